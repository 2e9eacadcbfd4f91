// The statements of a pipeline file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "pipelines/sql/query.h"

namespace leat::sql {

enum class StatementKind : std::uint8_t {
  kCreateTable,
  kCreateView,
  kInsert,
  kStatementSet,
  kSet,
  kReset,
  kExplain,
  kDrop,
  kSelect,  ///< a bare query
};

struct Statement {
  explicit Statement(StatementKind statement_kind) : kind(statement_kind) {}
  virtual ~Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  const StatementKind kind;
  SourceSpan span;  ///< Without the `;`.
};
using StatementPtr = std::unique_ptr<Statement>;

template <class Node>
const Node* as(const Statement& statement) {
  return statement.kind == Node::kKind ? static_cast<const Node*>(&statement) : nullptr;
}

/// PRIMARY KEY of a column or of the table; always NOT ENFORCED, the parser insists.
struct PrimaryKey {
  std::optional<Identifier> constraint;  ///< CONSTRAINT n
  std::vector<Identifier> columns;
  SourceSpan span;
};

struct ColumnDefinition {
  enum class Kind : std::uint8_t {
    kPhysical,  ///< `c type`
    kComputed,  ///< `c AS expression`
    kMetadata,  ///< `c type METADATA [FROM 'key'] [VIRTUAL]`
    kNameOnly,  ///< a bare `c`: only in CREATE TABLE … (c, …) AS query, which gives the type
  };
  Kind kind = Kind::kPhysical;
  Identifier name;
  std::optional<TypeName> type;  ///< Of kPhysical and kMetadata.
  ExpressionPtr computed;        ///< Of kComputed.
  std::optional<StringWord> metadata_key;
  bool is_virtual = false;
  std::optional<StringWord> comment;
  SourceSpan span;
};

/// `WATERMARK FOR column AS expression`; the column may be a dotted path, which the binder refuses.
struct WatermarkDefinition {
  Name column;
  ExpressionPtr value;
  SourceSpan span;
};

struct LikeOption {
  enum class Merge : std::uint8_t { kIncluding, kExcluding, kOverwriting };
  enum class Feature : std::uint8_t {
    kAll,
    kConstraints,
    kDistribution,
    kPartitions,
    kGenerated,
    kOptions,
    kMetadata,
    kWatermarks,
  };
  Merge merge = Merge::kIncluding;
  Feature feature = Feature::kAll;
  SourceSpan span;
};

struct LikeClause {
  Name table;
  std::vector<LikeOption> options;
  SourceSpan span;
};

/// `DISTRIBUTED BY [HASH|RANGE](c, …) [INTO n BUCKETS]` or `DISTRIBUTED INTO n BUCKETS`.
struct Distribution {
  enum class Kind : std::uint8_t { kUnknown, kHash, kRange };
  Kind kind = Kind::kUnknown;
  std::vector<Identifier> columns;
  std::optional<std::int64_t> buckets;
  SourceSpan span;
};

struct Insert final : Statement {
  static constexpr auto kKind = StatementKind::kInsert;
  Insert() : Statement(kKind) {}
  enum class Mode : std::uint8_t { kInto, kOverwrite };
  /// ON CONFLICT DO …
  enum class OnConflict : std::uint8_t { kNone, kNothing, kError, kDeduplicate };
  struct PartitionValue {
    Identifier column;
    ExpressionPtr value;  ///< Null in `PARTITION (p)`.
  };
  Mode mode = Mode::kInto;
  Name table;
  std::vector<Hint> hints;
  std::vector<PartitionValue> partition;
  std::vector<Identifier> columns;
  /// How the query's columns find those of the table if `columns` is empty.
  enum class Match : std::uint8_t {
    kPosition,
    kName,  ///< Of CREATE TABLE … AS, whose table has a column for each of the query's.
  };
  Match match = Match::kPosition;
  std::unique_ptr<Query> query;  ///< VALUES is a query.
  OnConflict on_conflict = OnConflict::kNone;
  SourceSpan on_conflict_span;
};

/// Whether the thing must not exist before.
enum class IfExists : std::uint8_t { kFail, kSkip };

struct CreateTable final : Statement {
  static constexpr auto kKind = StatementKind::kCreateTable;
  CreateTable() : Statement(kKind) {}
  bool temporary = false;
  IfExists if_exists = IfExists::kFail;
  Name name;
  std::vector<ColumnDefinition> columns;
  std::vector<WatermarkDefinition> watermarks;  ///< The binder wants one at most.
  std::vector<PrimaryKey> primary_keys;         ///< The binder wants one at most.
  std::optional<StringWord> comment;
  std::optional<Distribution> distribution;
  std::vector<Identifier> partitioned_by;
  std::vector<Option> options;
  std::optional<SourceSpan> options_span;  ///< `WITH (…)`; none if not written.
  std::optional<LikeClause> like;
  std::unique_ptr<Insert> as;  ///< AS query, which fills the table by names; null if not written.
};

struct CreateView final : Statement {
  static constexpr auto kKind = StatementKind::kCreateView;
  CreateView() : Statement(kKind) {}
  bool temporary = false;
  IfExists if_exists = IfExists::kFail;
  Name name;
  std::vector<Identifier> columns;
  std::optional<StringWord> comment;
  std::unique_ptr<Query> query;
  SourceSpan query_span;
};

/// EXECUTE STATEMENT SET BEGIN insert; … END
struct StatementSet final : Statement {
  static constexpr auto kKind = StatementKind::kStatementSet;
  StatementSet() : Statement(kKind) {}
  std::vector<std::unique_ptr<Insert>> inserts;
};

/// SET 'k' = 'v', or SET alone, which lists the settings.
struct SetStatement final : Statement {
  static constexpr auto kKind = StatementKind::kSet;
  SetStatement() : Statement(kKind) {}
  std::optional<Option> option;
};

/// RESET 'k', or RESET alone: all.
struct ResetStatement final : Statement {
  static constexpr auto kKind = StatementKind::kReset;
  ResetStatement() : Statement(kKind) {}
  std::optional<StringWord> key;
};

/// EXPLAIN [PLAN FOR | detail, …] statement
struct Explain final : Statement {
  static constexpr auto kKind = StatementKind::kExplain;
  Explain() : Statement(kKind) {}
  std::vector<Identifier> details;  ///< ESTIMATED_COST, CHANGELOG_MODE, …
  StatementPtr statement;           ///< A bare query, Insert, StatementSet or CreateTable … AS.
};

struct Drop final : Statement {
  static constexpr auto kKind = StatementKind::kDrop;
  Drop() : Statement(kKind) {}
  enum class Object : std::uint8_t { kTable, kView };
  Object object = Object::kTable;
  bool temporary = false;
  IfExists if_exists = IfExists::kFail;  ///< kSkip: IF EXISTS
  Name name;
};

struct SelectStatement final : Statement {
  static constexpr auto kKind = StatementKind::kSelect;
  SelectStatement() : Statement(kKind) {}
  std::unique_ptr<Query> query;
};

/// A parsed file: its statements in order, without those that had errors.
struct Script {
  std::vector<StatementPtr> statements;
  /// Tables and views whose CREATE has an error: what else names them is not to blame for that.
  std::vector<Name> unreadable;
};

}  // namespace leat::sql
