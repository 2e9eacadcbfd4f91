// LIMIT and OFFSET without an order: the first rows that come. Behind the last one time ends for what reads
// it, however much further its input has been read. State: "m" => varint rows that have come, as long as they
// matter.
#pragma once

#include <cstdint>
#include <string>

#include "pipelines/exec/operator.h"
#include "pipelines/plan/order_node.h"

namespace leat::exec {

class Limit final : public Operator {
 public:
  explicit Limit(const plan::LimitNode& node);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] bool sated() const override { return seen_ == end_; }
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 private:
  std::string fingerprint_;
  std::vector<std::size_t> passed_;
  std::uint64_t offset_;
  std::uint64_t end_;
  std::uint64_t seen_ = 0;  // At most `end_`.
  bool changed_ = false;
  OperatorCounters counters_;
};

}  // namespace leat::exec
