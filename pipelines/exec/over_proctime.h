// OVER in processing time: every row is applied and given out at once, in the order of arrival. Its time is
// its intake time; rows are no peers of each other.
//
// A key is forgotten when nothing is left of it in frames of times, and without these when the time to live
// is over since its last row.
//
// State: that of OverWindows and of KeyLifetimes.
#pragma once

#include <vector>

#include "pipelines/exec/key_lifetimes.h"
#include "pipelines/exec/over_windows.h"

namespace leat::exec {

class OverProctime final : public Operator {
 public:
  explicit OverProctime(const plan::OverNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override {
    return windows_.memory_bytes() + lifetimes_.memory_bytes();
  }
  [[nodiscard]] std::size_t key_count() const override { return windows_.key_count(); }

 private:
  void add_row(const Batch& batch, std::uint32_t row);
  void forget(KeyId key);

  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  OverWindows windows_;
  KeyLifetimes lifetimes_;
  OperatorCounters counters_;
  std::vector<KeyId> key_ids_;
  std::vector<OverEvent> events_;
  std::uint64_t run_ = 0;
};

}  // namespace leat::exec
