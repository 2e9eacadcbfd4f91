// The aggregates that one set of expressions of a pattern refers to, each over the rows of some variables:
// one piece of memory with the states of all of them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "pipelines/exec/match_rows.h"
#include "pipelines/plan/match_node.h"

namespace leat::exec {

class MatchAggregates {
 public:
  explicit MatchAggregates(const plan::MatchReferences& refers);

  [[nodiscard]] bool empty() const { return calls_.empty(); }
  /// Initialised states of no rows; the caller gives them back by `release`.
  std::byte* take();
  std::byte* copy(const std::byte* from);
  void release(std::byte* states);
  /// A row that went to `variable`.
  void add(std::byte* states, const MatchRows::Cells& row, std::uint32_t variable);
  /// Appends the value of reference `reference`, which is an aggregate.
  void result(const std::byte* states, std::size_t reference, ColumnBuilder& out) const;

  [[nodiscard]] std::size_t memory_bytes() const { return pieces_.size() * size_; }

 private:
  struct Call {
    functions::AggregatePtr function;
    std::vector<std::size_t> arguments;
    plan::VariableSet variables = 0;
    std::size_t offset = 0;
  };
  std::vector<Call> calls_;
  std::vector<std::size_t> call_of_;  // By reference; meaningless for those that are no aggregates.
  std::size_t size_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> pieces_;
  std::vector<std::byte*> free_;
  std::vector<ColumnPtr> arguments_;  // Scratch.
};

}  // namespace leat::exec
