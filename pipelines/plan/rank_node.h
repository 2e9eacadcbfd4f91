// Numbered rows: ROW_NUMBER() OVER (PARTITION BY … ORDER BY …), of which a condition may keep the first few.
// The binder makes a node without bounds from the call, and gives it bounds, or turns it into a
// deduplication, when it meets the condition (bind_rank.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/passing_node.h"

namespace leat::plan {

/// Which numbers of a partition a node gives out.
struct RankRange {
  std::int64_t first = 1;
  std::optional<std::int64_t> last;  ///< None: all from `first` on.
  [[nodiscard]] std::string to_string() const;
};

struct NumberingNode : PassingNode {
  using PassingNode::PassingNode;

  std::vector<std::size_t> partition_by;
  std::vector<SortKey> order;  ///< Rows that are equal in it come in the order of their arrival.
  RankRange range;
  bool gives_number = true;  ///< The number is a column of its own, behind the passed ones.

 protected:
  [[nodiscard]] std::vector<Type::Field> own_columns() const override;
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
  /// What `line` and the identity share.
  [[nodiscard]] std::string text(std::span<const std::string> columns) const;
};

/// Top-N: a changelog of the rows that are in the range now.
struct RankNode final : NumberingNode {
  RankNode() : NumberingNode(NodeKind::kRank) {}

  /// What becomes of a row behind the range.
  enum class Further : std::uint8_t {
    kKeptOut,
    kFail,  ///< There must be none: the row cannot be computed.
  };
  Further further = Further::kKeptOut;
  Micros state_ttl{0};  ///< 'table.exec.state.ttl'; 0: partitions live for ever.

  [[nodiscard]] std::string_view operator_name() const override { return "rank"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<RankNode>(*this);
  }

 protected:
  [[nodiscard]] bool makes_updates() const override {
    return further == Further::kKeptOut || inputs[0]->updating;
  }
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
};

/// Top-N of each window, given out once, when the window fires. The window's start and end are in
/// `partition_by`. The input is insert-only.
struct WindowRankNode final : NumberingNode {
  WindowRankNode() : NumberingNode(NodeKind::kWindowRank) {}

  enum class Ties : std::uint8_t { kFirstArrival, kLastArrival };

  std::size_t window_end = 0;  ///< Column of the input.
  WindowSpec window;           ///< Tells whether its bounds are local time, and of which zone.
  Ties ties = Ties::kFirstArrival;

  [[nodiscard]] std::string_view operator_name() const override { return "window rank"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<WindowRankNode>(*this);
  }

 protected:
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
};

/// The first or the last row of each key by a time attribute. The input is insert-only.
struct DeduplicateNode final : PassingNode {
  DeduplicateNode() : PassingNode(NodeKind::kDeduplicate) {}

  enum class Keep : std::uint8_t {
    kFirst,  ///< Insert-only: rowtime waits for the watermark, proctime gives the first row at once.
    kLast,   ///< Updates at once.
  };
  std::vector<std::size_t> partition_by;
  std::size_t time_column = 0;
  TimeAttribute time = TimeAttribute::kRowTime;
  Keep keep = Keep::kFirst;
  Micros state_ttl{0};  ///< 'table.exec.state.ttl'; 0: keys live for ever.

  [[nodiscard]] std::string_view operator_name() const override { return "deduplicate"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<DeduplicateNode>(*this);
  }

 protected:
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;
  [[nodiscard]] bool makes_updates() const override { return keep == Keep::kLast; }

 private:
  [[nodiscard]] std::string text(std::span<const std::string> columns) const;
};

}  // namespace leat::plan
