// OVER in processing time: every row is applied and given out at once, in the order of arrival. Its time is
// its intake time; rows are no peers of each other.
//
// State: that of OverWindows.
#pragma once

#include <vector>

#include "pipelines/exec/over_windows.h"

namespace leat::exec {

class OverProctime final : public Operator {
 public:
  explicit OverProctime(const plan::OverNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override { windows_.save(fingerprint_, changes); }
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override { return windows_.loaded(); }
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override { return windows_.memory_bytes(); }
  [[nodiscard]] std::size_t key_count() const override { return windows_.key_count(); }

 private:
  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  OverWindows windows_;
  OperatorCounters counters_;
  std::vector<KeyId> key_ids_;
  std::vector<OverEvent> events_;
};

}  // namespace leat::exec
