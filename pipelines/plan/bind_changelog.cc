#include "pipelines/plan/bind_changelog.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/changelog_node.h"
#include "pipelines/plan/function_arguments.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

constexpr std::string_view kToForm =
    "the form is TO_CHANGELOG(input => TABLE t, op => DESCRIPTOR(op), op_mapping => MAP['INSERT', 'i', …])";
constexpr std::string_view kFromForm =
    "the form is FROM_CHANGELOG(input => TABLE t, op => DESCRIPTOR(op), op_mapping => MAP['i', 'INSERT', …], "
    "error_handling => 'FAIL')";

/// By RowKind, as Flink calls them.
const std::array<std::string, 4> kKindNames = {"INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"};

/// One pair of op_mapping, a text of several names taken apart.
struct Mapping {
  std::vector<std::string> from;
  std::string to;
  sql::SourceSpan from_span;
  sql::SourceSpan to_span;
};

/// "c, r": the names without the blanks around them.
std::vector<std::string> names_in(const std::string& list) {
  std::vector<std::string> names(1);
  for (const char c : list) {
    if (c == ',')
      names.emplace_back();
    else if (c != ' ' || !names.back().empty())
      names.back() += c;
  }
  for (std::string& name : names)
    while (name.ends_with(' ')) name.pop_back();
  return names;
}

/// What the two functions have in common: the rows, the column of codes, and the pairs of the mapping.
class ChangelogArguments {
 public:
  ChangelogArguments(const sql::Call& call, QueryBinder& queries, std::string_view form)
      : call_(call), queries_(queries), context_(queries.context()), form_(form) {}

  /// The table, the name of the column of codes, and the mapping; false: reported.
  bool bind(std::span<const std::string> names) {
    const std::optional<FunctionArguments> placed = place_arguments(call_, names, form_, context_);
    if (!placed) return false;
    arguments = *placed;
    return bind_input() && bind_column() && bind_mapping();
  }

  bool error(sql::SourceSpan span, std::string message, std::string hint) const {
    context_.diagnostics.error(span, std::move(message), std::move(hint));
    return false;
  }
  bool error(sql::SourceSpan span, std::string message) const {
    return error(span, std::move(message), std::string(form_));
  }

  /// The kind that Flink calls `name`; none: there is none, reported.
  std::optional<RowKind> kind_named(const std::string& name, sql::SourceSpan span) const {
    const auto found = std::ranges::find(kKindNames, name);
    if (found != kKindNames.end()) return static_cast<RowKind>(found - kKindNames.begin());
    error(span,
          "'" + name + "' is no change of a row" + did_you_mean(name, {kKindNames.begin(), kKindNames.end()}),
          "there are INSERT, UPDATE_BEFORE, UPDATE_AFTER and DELETE");
    return std::nullopt;
  }

  FunctionArguments arguments;
  std::optional<Relation> input;
  std::string column = "op";
  sql::SourceSpan column_span;
  std::vector<Mapping> mappings;  ///< Empty: not given.

 private:
  bool bind_input() {
    if (!arguments[0]) return error(call_.span, call_.name + " needs input");
    const auto* table = sql::as<sql::TableArgument>(*arguments[0]);
    if (!table) return error(arguments[0]->span, "expected TABLE and its name");
    if (!table->partition_by.empty() || !table->order_by.empty())
      return error(
          table->span, call_.name + " takes each row by itself",
          "leave PARTITION BY out; the last row of each key is QUALIFY ROW_NUMBER() OVER (PARTITION BY k "
          "ORDER BY ts DESC) = 1");
    input = bind_table_argument(*table, queries_);
    return input.has_value();
  }

  bool bind_column() {
    column_span = call_.span;
    if (!arguments[1]) return true;
    const auto* descriptor = sql::as<sql::Descriptor>(*arguments[1]);
    if (!descriptor || descriptor->columns.size() != 1)
      return error(arguments[1]->span, "expected DESCRIPTOR with the column of the changes");
    column = descriptor->columns[0].text;
    column_span = descriptor->columns[0].span;
    return true;
  }

  bool bind_mapping() {
    if (!arguments[2]) return true;
    const auto* map = sql::as<sql::Call>(*arguments[2]);
    if (!map || map->name != "MAP" || map->arguments.empty() || map->arguments.size() % 2 != 0)
      return error(arguments[2]->span, "op_mapping must be a MAP of texts");
    for (std::size_t i = 0; i < map->arguments.size(); i += 2) {
      const sql::Literal* from = text_at(*map, i);
      const sql::Literal* to = text_at(*map, i + 1);
      if (!from || !to) return false;
      mappings.push_back({names_in(from->text), to->text, from->span, to->span});
    }
    return true;
  }

  const sql::Literal* text_at(const sql::Call& map, std::size_t place) const {
    const sql::Expression& value = *map.arguments[place].value;
    const auto* literal = sql::as<sql::Literal>(value);
    if (literal && literal->literal == sql::LiteralKind::kString) return literal;
    error(value.span, "op_mapping takes texts in quotes");
    return nullptr;
  }

  const sql::Call& call_;
  QueryBinder& queries_;
  const BindContext& context_;
  std::string_view form_;
};

std::vector<std::string> names_of_columns(const Schema& schema) {
  std::vector<std::string> names;
  for (const Type::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

/// The columns of `node` in this order.
Relation columns_of(const NodePtr& node, std::span<const std::size_t> order) {
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (const std::size_t column : order) {
    exprs.push_back(column_of(*node, column));
    names.push_back(node->schema.fields[column].name);
  }
  return plain_relation(make_project(node, std::move(exprs), names));
}

bool take_codes(const ChangelogArguments& given, ToChangelogNode& node) {
  if (given.mappings.empty())
    for (std::size_t kind = 0; kind < kKindNames.size(); ++kind) node.codes[kind] = kKindNames[kind];
  for (const Mapping& mapping : given.mappings)
    for (const std::string& name : mapping.from) {
      const std::optional<RowKind> kind = given.kind_named(name, mapping.from_span);
      if (!kind) return false;
      if (node.codes[static_cast<std::size_t>(*kind)])
        return given.error(mapping.from_span, name + " has two codes", "");
      node.codes[static_cast<std::size_t>(*kind)] = mapping.to;
    }
  return true;
}

bool take_kinds(const ChangelogArguments& given, FromChangelogNode& node) {
  if (given.mappings.empty())
    for (std::size_t kind = 0; kind < kKindNames.size(); ++kind)
      node.kinds[kKindNames[kind]] = static_cast<RowKind>(kind);
  for (const Mapping& mapping : given.mappings) {
    const std::optional<RowKind> kind = given.kind_named(mapping.to, mapping.to_span);
    if (!kind) return false;
    for (const std::string& code : mapping.from)
      if (!node.kinds.emplace(code, *kind).second)
        return given.error(mapping.from_span, "'" + code + "' means two changes", "");
  }
  const auto means = [&](RowKind wanted) {
    return std::ranges::any_of(node.kinds, [&](const auto& entry) { return entry.second == wanted; });
  };
  if (!means(RowKind::kUpdateAfter) || means(RowKind::kUpdateBefore)) return true;
  return given.error(
      given.arguments[2]->span, "UPDATE_AFTER without UPDATE_BEFORE says not which row it replaces",
      "keep the last row of each key: QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY ts DESC) = 1");
}

/// 'FAIL', the default, or 'SKIP'.
bool take_error_handling(const ChangelogArguments& given, FromChangelogNode& node) {
  const sql::Expression* handling = given.arguments[3];
  if (!handling) return true;
  const auto* literal = sql::as<sql::Literal>(*handling);
  const std::string text = literal && literal->literal == sql::LiteralKind::kString ? literal->text : "";
  if (text == "SKIP") node.unknown = UnknownCode::kSkip;
  return text == "FAIL" || text == "SKIP" ||
         given.error(handling->span, "error_handling is 'FAIL' or 'SKIP'");
}

bool find_codes(const ChangelogArguments& given, FromChangelogNode& node) {
  const Schema& schema = given.input->schema();
  const std::optional<std::size_t> column = schema.find(given.column);
  if (!column)
    return given.error(
        given.column_span,
        "unknown column '" + given.column + "'" + did_you_mean(given.column, names_of_columns(schema)),
        "op => DESCRIPTOR(…) names the column that says what each row does");
  if (!schema.fields[*column].type.is_character())
    return given.error(
        given.column_span,
        "'" + given.column + "' is " + schema.fields[*column].type.with_nullable(true).to_string() +
            ", but changes are named by texts",
        "give it a text in a query: TABLE (SELECT CAST(" + given.column + " AS STRING) AS op, …)");
  node.code_column = *column;
  return true;
}

}  // namespace

std::optional<Relation> bind_to_changelog(const sql::Call& call, QueryBinder& queries) {
  static const std::vector<std::string> kNames = {"input", "op", "op_mapping"};
  ChangelogArguments given(call, queries, kToForm);
  if (!given.bind(kNames)) return std::nullopt;
  auto node = std::make_shared<ToChangelogNode>();
  if (!take_codes(given, *node)) return std::nullopt;
  if (given.input->schema().find(given.column)) {
    given.error(given.column_span, "the input has a column '" + given.column + "' already",
                "name the column of the changes otherwise: op => DESCRIPTOR(change)");
    return std::nullopt;
  }
  node->inputs = {given.input->node};
  derive_changelog_schema(*node, given.column);
  std::vector<std::size_t> order = {node->schema.size() - 1};
  for (std::size_t i = 0; i + 1 < node->schema.size(); ++i) order.push_back(i);
  return columns_of(node, order);
}

std::optional<Relation> bind_from_changelog(const sql::Call& call, QueryBinder& queries) {
  static const std::vector<std::string> kNames = {"input", "op", "op_mapping", "error_handling"};
  ChangelogArguments given(call, queries, kFromForm);
  if (!given.bind(kNames)) return std::nullopt;
  auto node = std::make_shared<FromChangelogNode>();
  if (!find_codes(given, *node) || !take_kinds(given, *node) || !take_error_handling(given, *node))
    return std::nullopt;
  if (given.input->node->updating) {
    given.error(given.arguments[0]->span,
                "FROM_CHANGELOG reads rows that come and stay, but those of this input "
                "change later",
                "TO_CHANGELOG gives the changes as such rows");
    return std::nullopt;
  }
  node->inputs = {given.input->node};
  derive_changelog_schema(*node);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < node->schema.size(); ++i)
    if (i != node->code_column) order.push_back(i);
  return columns_of(node, order);
}

}  // namespace leat::plan
