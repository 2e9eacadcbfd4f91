// ORDER BY and LIMIT as nodes of their own; together they are a Top-N (rank_node.h) in streaming.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/passing_node.h"

namespace leat::plan {

struct SortNode final : PassingNode {
  SortNode() : PassingNode(NodeKind::kSort) {}

  enum class When : std::uint8_t {
    kRowTime,  ///< The first key is the rowtime, ascending: rows go on as the watermark passes them.
    kAtEnd,    ///< Batch: when the input has ended.
  };
  When when = When::kRowTime;
  std::vector<SortKey> order;
  /// At the end, of an insert-only input: no more than the first so many rows are asked for.
  std::optional<std::uint64_t> wanted;

  [[nodiscard]] std::string_view operator_name() const override { return "sort"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<SortNode>(*this);
  }

 protected:
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
  /// At the end the rows that are left are given out, each once.
  [[nodiscard]] bool makes_updates() const override { return false; }
};

/// The first rows of an insert-only input: `offset` are skipped, `count` pass.
struct LimitNode final : PassingNode {
  LimitNode() : PassingNode(NodeKind::kLimit) {}

  std::int64_t offset = 0;
  std::optional<std::int64_t> count;

  [[nodiscard]] std::string_view operator_name() const override { return "limit"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<LimitNode>(*this);
  }

 protected:
  void add_own_needs(const Needs&, Needs&) const override {}
  void move_own(const Needs&, std::span<const std::size_t>) override {}
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
};

}  // namespace leat::plan
