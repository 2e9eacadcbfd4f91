// PERCENTILE: the value below which a share of all values lies, exactly: between two neighbours it is
// interpolated. All values are kept, sorted and counted.
#include <cmath>
#include <map>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/aggregate_parts.h"

namespace leat::functions {
namespace {

// NaN counts as greater than all numbers.
struct Less {
  bool operator()(double a, double b) const { return a < b || (std::isnan(b) && !std::isnan(a)); }
};

struct Tally {
  std::int64_t count = 0;
  PartMark mark;
};

// head := zigzag total        part := double => zigzag count
class SortedValues {
 public:
  void step(double value, std::int64_t by) {
    if (by == 0) return;
    total_ += by;
    const auto entry = counts_.try_emplace(value).first;
    entry->second.count += by;
    if (entry->second.count != 0) return log_.changed(value, entry->second.mark);
    log_.removed(value, entry->second.mark);
    counts_.erase(entry);
  }
  void merge(const SortedValues& from) {
    for (const auto& [value, tally] : from.counts_) step(value, tally.count);
  }
  [[nodiscard]] bool empty() const { return total_ <= 0; }
  /// Of a group that is not empty.
  [[nodiscard]] double percentile(double share) const {
    const double position = share * static_cast<double>(total_ - 1);
    const double low = value_at(static_cast<std::int64_t>(std::floor(position)));
    const double high = value_at(static_cast<std::int64_t>(std::ceil(position)));
    return low == high ? low : low + (high - low) * (position - std::floor(position));
  }
  [[nodiscard]] std::size_t heap_bytes() const {
    constexpr std::size_t kLinks = 32;
    return counts_.size() * (sizeof(double) + sizeof(Tally) + kLinks) + log_.heap_bytes();
  }

  void save(ByteWriter& out) const { out.zigzag(total_); }
  void load(ByteReader& in) { total_ = in.zigzag(); }
  void save_parts(PartChanges& changes) { log_.save(counts_, part_of, value_of, changes); }
  void unsave_parts(PartChanges& changes) { log_.unsave(counts_, part_of, changes); }
  Status load_part(std::string_view part, std::string_view value) {
    ByteReader part_reader(part);
    ByteReader reader(value);
    const double key = part_reader.float64();
    const std::int64_t count = reader.zigzag();
    if (!part_reader.ok() || !reader.ok())
      return fail(ErrorCode::kCorrupt, "a value of PERCENTILE is damaged");
    counts_.insert_or_assign(key, Tally{count, {.saved = true, .dirty = false}});
    return {};
  }

 private:
  [[nodiscard]] double value_at(std::int64_t position) const {
    for (const auto& [value, tally] : counts_) {
      position -= tally.count;
      if (position < 0) return value;
    }
    return counts_.rbegin()->first;
  }
  static std::string part_of(double value) {
    std::string part;
    ByteWriter(part).float64(value);
    return part;
  }
  static std::string value_of(double, const Tally& tally) {
    std::string bytes;
    ByteWriter(bytes).zigzag(tally.count);
    return bytes;
  }

  std::map<double, Tally, Less> counts_;
  PartLog<double> log_;
  std::int64_t total_ = 0;
};

class Percentile final : public OverParts<SortedValues> {
 public:
  Percentile(std::vector<Type> arguments, std::vector<double> shares)
      : arguments_(std::move(arguments)), shares_(std::move(shares)) {}

  [[nodiscard]] Type result_type() const override {
    return several() ? Type::array(Type::float64()) : Type::float64();
  }
  [[nodiscard]] std::vector<Type> argument_types() const override { return arguments_; }
  [[nodiscard]] bool retractable() const override { return true; }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    step(arguments, rows, states, 1);
  }
  void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    step(arguments, rows, states, -1);
  }
  void merge(std::byte* into, const std::byte* from) const override { at(into).merge(at(from)); }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    if (at(state).empty()) return out.append_null();
    if (!several()) return out.append(at(state).percentile(shares_[0]));
    for (const double share : shares_) out.child(0).append(at(state).percentile(share));
    out.close_nested();
  }

 private:
  [[nodiscard]] bool several() const { return arguments_[1].kind() == TypeKind::kArray; }

  static void step(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
                   std::byte* const* states, std::int64_t sign) {
    const auto values = arguments[0]->values<double>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t row = rows[i];
      if (arguments[0]->is_null(row)) continue;
      std::int64_t times = 1;
      if (arguments.size() > 2)
        times = arguments[2]->is_null(row) ? 0 : arguments[2]->values<std::int64_t>()[row];
      // A value cannot be there less often than never.
      if (times > 0) at(states[i]).step(values[row], sign * times);
    }
  }

  std::vector<Type> arguments_;
  std::vector<double> shares_;
};

}  // namespace

AggregatePtr make_percentile(std::vector<Type> arguments, std::vector<double> shares) {
  return std::make_shared<const Percentile>(std::move(arguments), std::move(shares));
}

}  // namespace leat::functions
