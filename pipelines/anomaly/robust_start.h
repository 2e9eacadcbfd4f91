// A detector that measures by means begins with rows whose error codes are cut: its first rows wait until
// there are some to compare them with, and then are learnt all at once. A code among them would be its idea
// of a spread for thousands of rows otherwise.
//
// No verdict is missed: no more rows wait than the detector warms up with.
#pragma once

#include <algorithm>
#include <utility>

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/first_rows.h"

namespace leat::anomaly {

/// `Base` is a detector of one value that says nothing of the first `options.warm_up()` rows.
template <class Base>
class RobustStart final : public Base {
 public:
  template <class... More>
  explicit RobustStart(const DetectorOptions& options, More&&... more)
      : Base(options, std::forward<More>(more)...),
        rows_(rows_for(options.warm_up())),
        has_begun_(rows_ == 0) {}

  [[nodiscard]] std::size_t memory_bytes() const override {
    return Base::memory_bytes() + sizeof *this - sizeof(Base) + first_.memory_bytes();
  }
  [[nodiscard]] std::size_t most_memory_bytes() const override {
    return Base::most_memory_bytes() + sizeof *this - sizeof(Base) + FirstRows::most_bytes(rows_);
  }

  /// head := u8 1: no rows wait any longer, rows that wait, head of `Base`
  void save(ByteWriter& out) const override {
    out.u8(has_begun_ ? 1 : 0);
    first_.save(out);
    Base::save(out);
  }
  Status load(ByteReader& in) override {
    has_begun_ = in.u8() != 0;
    first_.load(in);
    return Base::load(in);
  }

 private:
  /// 0: too few to tell anything by.
  static std::size_t rows_for(std::size_t warm_up) {
    constexpr std::size_t kRows = 20;
    constexpr std::size_t kFewest = 5;
    return warm_up < kFewest ? 0 : std::min(kRows, warm_up);
  }

  Verdict judge(std::span<const double> values, std::int64_t time) override {
    if (has_begun_) return Base::judge(values, time);
    first_.add(values[0], time);
    if (first_.size() < rows_) return {};
    has_begun_ = true;
    for (const FirstRow& row : first_.take_winsorized()) Base::judge({&row.value, 1}, row.time);
    return {};
  }

  std::size_t rows_;
  FirstRows first_;
  bool has_begun_;
};

}  // namespace leat::anomaly
