// The nodes of joins: two inputs, columns that must be equal, a condition on pairs of rows. What makes two
// rows meet beside that (all rows ever, a range of time, a window, a version) is the kind of the node.
//
// A join keeps whole rows of its inputs, so pruning narrows the inputs to the columns that it uses.
#pragma once

#include <array>

#include "pipelines/plan/operator_node.h"

namespace leat::plan {

enum class JoinType : std::uint8_t {
  kInner,
  kLeft,
  kRight,
  kFull,
  kSemi,  ///< EXISTS: rows of the left input that have a match.
  kAnti,  ///< NOT EXISTS: those that have none.
};
std::string_view to_string(JoinType type);
/// Rows of this side come out without a match, too: padded with NULLs, or alone.
bool keeps_left(JoinType type);
bool keeps_right(JoinType type);
/// The columns of the right input come out, too.
bool gives_right(JoinType type);

struct JoinKey {
  enum class Nulls : std::uint8_t {
    kNeverMatch,  ///< `=`
    kMatch,       ///< IS NOT DISTINCT FROM
  };
  std::size_t left = 0;
  std::size_t right = 0;
  Nulls nulls = Nulls::kNeverMatch;
};

/// What all joins share. The columns of both inputs are counted through: the left ones, then the right ones.
struct JoinBase : OperatorNode {
  using OperatorNode::OperatorNode;

  JoinType type = JoinType::kInner;
  std::vector<JoinKey> keys;        ///< Both columns of one layout, comparable by their bytes.
  ExprPtr condition;                ///< Over the columns of both inputs; null: all pairs of equal keys match.
  std::vector<std::size_t> output;  ///< Columns of both inputs that come out.
  /// Columns of the left and of the right input that the kind of the join reads itself.
  std::array<std::vector<std::size_t>, 2> special;

  [[nodiscard]] std::size_t left_width() const { return inputs[0]->schema.size(); }
  /// Sets schema, time attributes and `updating` from the other fields.
  virtual void derive() = 0;

  [[nodiscard]] std::string line() const override;
  void add_needs(const Needs& own, std::span<Needs> inputs) const override;
  [[nodiscard]] Pruned prune(const Needs& own, std::span<const Pruned> inputs) const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;

 protected:
  /// Which inputs' time attributes stay attributes behind the join.
  enum class KeptTimes : std::uint8_t { kNone, kLeft, kBoth };
  void derive_schema(KeptTimes times);
  /// What the kind of the join adds to `line` and to `identity`.
  [[nodiscard]] virtual std::string own_text(std::span<const std::string> left,
                                             std::span<const std::string> right) const = 0;
};

/// Each row meets all rows that the other input has ever had; both inputs may be changelogs.
struct JoinNode final : JoinBase {
  JoinNode() : JoinBase(NodeKind::kJoin) {}
  /// How long the rows of each side are kept: 'table.exec.state.ttl', or what STATE_TTL says; 0: for ever.
  std::array<Micros, 2> state_ttl{};

  void derive() override;
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::string identity(std::span<const std::vector<std::string>> columns) const override;
  [[nodiscard]] std::string_view operator_name() const override { return "join"; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;

 protected:
  [[nodiscard]] std::string own_text(std::span<const std::string> left,
                                     std::span<const std::string> right) const override;
};

/// Rows meet whose times differ by no more than a range: left time − right time lies in [lower, upper]. A row
/// is forgotten when the watermark has passed its range. `special` has the time columns. The inputs are
/// append-only.
struct IntervalJoinNode final : JoinBase {
  IntervalJoinNode() : JoinBase(NodeKind::kIntervalJoin) {}
  Micros lower{0};
  Micros upper{0};

  void derive() override;
  [[nodiscard]] std::string_view operator_name() const override { return "interval join"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;

 protected:
  [[nodiscard]] std::string own_text(std::span<const std::string> left,
                                     std::span<const std::string> right) const override;
};

/// Rows of the same window meet when it ends. `special` has window_end; the equality of window_start is among
/// the keys. The inputs are append-only.
struct WindowJoinNode final : JoinBase {
  WindowJoinNode() : JoinBase(NodeKind::kWindowJoin) {}
  WindowSpec window;  ///< Of both sides; says when a window fires.

  void derive() override;
  [[nodiscard]] std::string_view operator_name() const override { return "window join"; }
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;

 protected:
  [[nodiscard]] std::string own_text(std::span<const std::string> left,
                                     std::span<const std::string> right) const override;
};

/// FOR SYSTEM_TIME AS OF a rowtime: each left row meets the version of its key that the right side had at the
/// row's time. `special` has the time columns. Only INNER and LEFT.
struct TemporalJoinNode final : JoinBase {
  TemporalJoinNode() : JoinBase(NodeKind::kTemporalJoin) {}

  Micros state_ttl{0};  ///< 'table.exec.state.ttl'; 0: keys keep their latest version for ever.

  void derive() override;
  [[nodiscard]] std::string_view operator_name() const override { return "temporal join"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] bool drops_late_rows() const override { return true; }
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override;

 protected:
  [[nodiscard]] std::string own_text(std::span<const std::string> left,
                                     std::span<const std::string> right) const override;
};

/// `left` as an input of a join: with `keys` behind its own columns, where they are no columns of it already.
/// `places` gives the column of each key.
NodePtr with_key_columns(NodePtr input, std::span<const ExprPtr> keys, std::vector<std::size_t>& places);

}  // namespace leat::plan
