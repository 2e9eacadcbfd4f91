#include "pipelines/plan/bind_sparkplug.h"

#include <algorithm>

#include "pipelines/plan/function_arguments.h"
#include "pipelines/plan/sparkplug_node.h"

namespace leat::plan {
namespace {

constexpr FunctionForm kSparkplug{
    "SPARKPLUG",
    "the form is SPARKPLUG(input => TABLE t [, rebirth_interval => INTERVAL '10' "
    "SECOND]), where t has 'format' = 'sparkplug' and topic STRING METADATA "
    "VIRTUAL"};
constexpr Micros kDefaultInterval{10 * kMicrosPerSecond};
constexpr std::string_view kTopic = "topic";

/// What SPARKPLUG needs and the input does not have, as it would be declared; empty: nothing.
std::string missing_columns(const Schema& input) {
  std::vector<std::string> missing;
  const auto topic = input.find(kTopic);
  if (!topic || !input.fields[*topic].type.is_character()) missing.push_back("topic STRING METADATA VIRTUAL");
  for (const sparkplug::ColumnRule& rule : sparkplug::columns()) {
    if (std::ranges::find(kSparkplugNeeds, rule.role) == kSparkplugNeeds.end()) continue;
    const auto column = input.find(rule.name);
    if (!column || !sparkplug::fits(rule, input.fields[*column].type))
      missing.push_back(std::string(rule.name) + " " + rule.type.to_string());
  }
  std::string text;
  for (const std::string& column : missing) text += (text.empty() ? "" : ", ") + column;
  return text;
}

/// Of a table, and no row is left out or added: SPARKPLUG would take a message without rows for a missed one,
/// and ask for births over and over.
bool has_all_rows(const Node& node) {
  const Node* below = &node;
  while (below->kind == NodeKind::kProject) below = below->inputs[0].get();
  return below->kind == NodeKind::kScan;
}

/// False: reported.
bool check_input(const sql::TableArgument& table, const Relation& input, const BindContext& context) {
  if (input.node->updating) {
    context.diagnostics.error(
        table.span, "SPARKPLUG reads rows that come and stay, but the rows of this input change later",
        std::string(kSparkplug.form));
    return false;
  }
  if (!has_all_rows(*input.node)) {
    context.diagnostics.error(
        table.span,
        "SPARKPLUG reads one table, with all its rows as they come: what is left out looks like messages "
        "that "
        "were missed",
        "give it the table, or a view that only chooses columns, and filter, order or unite what comes out: "
        "SELECT … FROM SPARKPLUG(input => TABLE t) WHERE …");
    return false;
  }
  const std::string missing = missing_columns(input.schema());
  if (missing.empty()) return true;
  context.diagnostics.error(table.span, "SPARKPLUG needs more columns of its input: " + missing,
                            std::string(kSparkplug.form));
  return false;
}

std::vector<std::optional<sparkplug::Role>> roles_of(const Schema& input) {
  std::vector<std::optional<sparkplug::Role>> roles;
  for (const Type::Field& field : input.fields) {
    const sparkplug::ColumnRule* rule = sparkplug::find_column(field.name);
    const bool known = rule != nullptr && sparkplug::fits(*rule, field.type);
    roles.push_back(known ? std::optional(rule->role) : std::nullopt);
  }
  return roles;
}

Relation relation_of(const Relation& input, Micros rebirth_interval) {
  using Own = SparkplugNode::Own;
  auto node = std::make_shared<SparkplugNode>();
  node->inputs = {input.node};
  node->topic = *input.schema().find(kTopic);
  node->roles = roles_of(input.schema());
  node->rebirth_interval = rebirth_interval;
  node->own = {Own::kGroup, Own::kNode, Own::kDevice, Own::kMessageType, Own::kEvent, Own::kReason};
  for (std::size_t i = 0; i < input.schema().size(); ++i) node->passed.push_back(i);
  derive_sparkplug_schema(*node);
  return plain_relation(node);
}

}  // namespace

std::optional<Relation> bind_sparkplug(const sql::Call& call, QueryBinder& queries) {
  static const std::vector<std::string> kNames = {"input", "rebirth_interval"};
  const BindContext& context = queries.context();
  const std::optional<FunctionArguments> placed = place_arguments(call, kNames, kSparkplug.form, context);
  if (!placed) return std::nullopt;
  const FunctionArguments& given = *placed;
  const auto* table = given[0] ? sql::as<sql::TableArgument>(*given[0]) : nullptr;
  if (!table || !table->partition_by.empty()) {
    context.diagnostics.error(call.span, "SPARKPLUG needs input, a table without PARTITION BY",
                              std::string(kSparkplug.form));
    return std::nullopt;
  }
  const std::optional<Relation> input = bind_table_argument(*table, queries);
  if (!input || !check_input(*table, *input, context)) return std::nullopt;
  std::optional<Micros> interval = kDefaultInterval;
  if (given[1]) interval = bind_span(*given[1], "rebirth_interval", context);
  if (!interval) return std::nullopt;
  return relation_of(*input, *interval);
}

}  // namespace leat::plan
