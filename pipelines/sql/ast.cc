#include "pipelines/sql/ast.h"

#include <array>

namespace leat::sql {
namespace {

using Visit = std::function<void(const Expression&)>;

void visit_one(const ExpressionPtr& expression, const Visit& visit) {
  if (expression) visit(*expression);
}

void visit_all(const std::vector<ExpressionPtr>& expressions, const Visit& visit) {
  for (const auto& expression : expressions) visit_one(expression, visit);
}

void visit_order(const std::vector<OrderItem>& items, const Visit& visit) {
  for (const auto& item : items) visit_one(item.value, visit);
}

void visit_window(const Window& window, const Visit& visit) {
  visit_all(window.partition_by, visit);
  visit_order(window.order_by, visit);
  if (!window.frame) return;
  visit_one(window.frame->lower.offset, visit);
  visit_one(window.frame->upper.offset, visit);
}

void visit_call(const Call& call, const Visit& visit) {
  for (const auto& argument : call.arguments) visit_one(argument.value, visit);
  if (call.json) {
    visit_one(call.json->default_on_empty, visit);
    visit_one(call.json->default_on_error, visit);
  }
  visit_order(call.order_by, visit);
  visit_one(call.filter, visit);
  if (call.over) visit_window(*call.over, visit);
}

void visit_case(const Case& node, const Visit& visit) {
  visit_one(node.operand, visit);
  for (const auto& branch : node.branches) {
    visit_all(branch.when, visit);
    visit_one(branch.then, visit);
  }
  visit_one(node.otherwise, visit);
}

void visit_table_argument(const TableArgument& node, const Visit& visit) {
  visit_all(node.partition_by, visit);
  visit_order(node.order_by, visit);
}

}  // namespace

// Out of line: here the types behind the unique_ptr members are complete.
Call::Call() : Expression(kKind) {}
Call::~Call() = default;
Subquery::Subquery() : Expression(kKind) {}
Subquery::~Subquery() = default;
TableArgument::TableArgument() : Expression(kKind) {}
TableArgument::~TableArgument() = default;

std::string Name::to_string() const {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text += '.';
    text += part.text;
  }
  return text;
}

std::string Name::table_key() const {
  const std::string name = to_string();
  for (const std::string_view place : {"default_catalog.default_database.", "default_database."})
    if (name.starts_with(place)) return name.substr(place.size());
  return name;
}

std::string_view to_string(TimeUnit unit) {
  static constexpr std::array<std::string_view, 19> kNames = {
      "YEAR",    "QUARTER",     "MONTH",       "WEEK",       "DAY",       "HOUR", "MINUTE",
      "SECOND",  "MILLISECOND", "MICROSECOND", "NANOSECOND", "DOW",       "DOY",  "ISODOW",
      "ISOYEAR", "EPOCH",       "DECADE",      "CENTURY",    "MILLENNIUM"};
  return kNames[static_cast<std::size_t>(unit)];
}

void for_each_child(const Expression& expression, const Visit& visit) {
  switch (expression.kind) {
    case ExpressionKind::kCall:
      return visit_call(static_cast<const Call&>(expression), visit);
    case ExpressionKind::kCase:
      return visit_case(static_cast<const Case&>(expression), visit);
    case ExpressionKind::kCast:
      return visit_one(static_cast<const Cast&>(expression).value, visit);
    case ExpressionKind::kField:
      return visit_one(static_cast<const FieldAccess&>(expression).value, visit);
    case ExpressionKind::kSubquery:
      return visit_one(static_cast<const Subquery&>(expression).operand, visit);
    case ExpressionKind::kTableArgument:
      return visit_table_argument(static_cast<const TableArgument&>(expression), visit);
    case ExpressionKind::kLiteral:
    case ExpressionKind::kColumn:
    case ExpressionKind::kStar:
    case ExpressionKind::kUnit:
    case ExpressionKind::kSymbol:
    case ExpressionKind::kDescriptor:
    case ExpressionKind::kModelArgument:
      return;
  }
}

}  // namespace leat::sql
