#include "tests/unit/sql/parse_fixture.h"

#include <array>

#include <fmt/format.h>

namespace leat::sql {
namespace {

std::string joined(const Call& call, std::string_view separator) {
  std::string text;
  for (const auto& argument : call.arguments) {
    if (!text.empty()) text += separator;
    if (argument.name) text += argument.name->text + " => ";
    text += tree(*argument.value);
  }
  return text;
}

std::string order(const std::vector<OrderItem>& items) {
  std::string text;
  for (const auto& item : items) {
    text += " " + tree(*item.value);
    if (item.direction == OrderItem::Direction::kDescending) text += " DESC";
    if (item.nulls == OrderItem::Nulls::kFirst) text += " NULLS FIRST";
    if (item.nulls == OrderItem::Nulls::kLast) text += " NULLS LAST";
  }
  return text;
}

std::string over(const Window& window) {
  std::string text = " OVER[";
  if (window.base) text += window.base->text;
  for (const auto& key : window.partition_by) text += " by " + tree(*key);
  if (!window.order_by.empty()) text += " order" + order(window.order_by);
  if (window.frame) text += window.frame->unit == Frame::Unit::kRows ? " rows" : " range";
  return text + "]";
}

std::string call_tree(const Call& call) {
  const bool symbol = call.syntax == CallSyntax::kInfix && call.name.find(' ') == std::string::npos &&
                      call.name != "BETWEEN" && call.name != "IN" && call.name != "LIKE";
  if (symbol) return "(" + joined(call, " " + call.name + " ") + ")";
  std::string text = call.name;
  if (call.syntax == CallSyntax::kBare) return text;
  const std::string_view distinct = call.distinct ? "DISTINCT " : "";
  text += fmt::format("({}{}{})", distinct, call.star ? "*" : "", joined(call, ", "));
  if (!call.order_by.empty()) text += " WITHIN" + order(call.order_by);
  if (call.filter) text += " FILTER " + tree(*call.filter);
  if (call.over) text += over(*call.over);
  return text;
}

std::string units(const IntervalUnits& units) {
  std::string text(to_string(units.from));
  if (units.to) text += fmt::format(" TO {}", to_string(*units.to));
  return text;
}

std::string literal_tree(const Literal& literal) {
  switch (literal.literal) {
    case LiteralKind::kNull:
      return "NULL";
    case LiteralKind::kTrue:
      return "TRUE";
    case LiteralKind::kFalse:
      return "FALSE";
    case LiteralKind::kUnknown:
      return "UNKNOWN";
    case LiteralKind::kInteger:
      return literal.text;
    case LiteralKind::kDecimal:
      return literal.text + "m";
    case LiteralKind::kDouble:
      return literal.text + "d";
    case LiteralKind::kString:
      return "'" + literal.text + "'";
    case LiteralKind::kBinary:
      return fmt::format("x[{}]", literal.text.size());
    case LiteralKind::kDate:
      return "DATE '" + literal.text + "'";
    case LiteralKind::kTime:
      return "TIME '" + literal.text + "'";
    case LiteralKind::kTimestamp:
      return "TIMESTAMP '" + literal.text + "'";
    case LiteralKind::kInterval:
      break;
  }
  return fmt::format("INTERVAL {}'{}' {}", literal.negative ? "-" : "", literal.text,
                     units(literal.interval));
}

std::string case_tree(const Case& node) {
  std::string text = "CASE";
  if (node.operand) text += " " + tree(*node.operand);
  for (const auto& branch : node.branches) {
    for (const auto& when : branch.when) text += " WHEN " + tree(*when);
    text += " THEN " + tree(*branch.then);
  }
  if (node.otherwise) text += " ELSE " + tree(*node.otherwise);
  return text + " END";
}

std::string subquery_tree(const Subquery& node) {
  static constexpr std::array<std::string_view, 6> kUses = {"SCALAR", "EXISTS", "IN", "ANY", "ALL", "ARRAY"};
  const std::string operand = node.operand ? tree(*node.operand) + ", " : "";
  const bool compares = node.use == Subquery::Use::kAny || node.use == Subquery::Use::kAll;
  return fmt::format("{}({}{}query)", kUses[static_cast<std::size_t>(node.use)], operand,
                     compares ? node.op + " " : "");
}

std::string table_tree(const TableArgument& node) {
  std::string text = node.table ? "TABLE " + node.table->to_string() : "TABLE query";
  for (const auto& key : node.partition_by) text += " by " + tree(*key);
  if (!node.order_by.empty()) text += " order" + order(node.order_by);
  return text;
}

}  // namespace

Parsed::Parsed(std::string_view sql)
    : text(sql), source("x.sql", text), script(parse_script(source, diagnostics)) {}

const Query& Parsed::query() const {
  return *only<SelectStatement>().query;
}

const Select& Parsed::select() const {
  const auto* select = as<Select>(*query().body);
  REQUIRE(select != nullptr);
  return *select;
}

const Expression& Parsed::item() const {
  return *select().items.front().value;
}

std::string tree(const Expression& expression) {
  if (const auto* node = as<Literal>(expression)) return literal_tree(*node);
  if (const auto* node = as<ColumnName>(expression)) return node->name.to_string();
  if (const auto* node = as<Star>(expression))
    return node->qualifier ? node->qualifier->to_string() + ".*" : "*";
  if (const auto* node = as<Call>(expression)) return call_tree(*node);
  if (const auto* node = as<Case>(expression)) return case_tree(*node);
  if (const auto* node = as<Subquery>(expression)) return subquery_tree(*node);
  if (const auto* node = as<UnitArgument>(expression)) return std::string(to_string(node->unit));
  if (const auto* node = as<SymbolArgument>(expression)) return node->symbol;
  if (const auto* node = as<TableArgument>(expression)) return table_tree(*node);
  if (const auto* node = as<ModelArgument>(expression)) return "MODEL " + node->model.to_string();
  if (const auto* node = as<FieldAccess>(expression)) {
    return tree(*node->value) + "." + (node->star ? "*" : node->field.text);
  }
  if (const auto* node = as<Cast>(expression)) {
    const std::string_view name = node->on_error == Cast::OnError::kNull ? "TRY_CAST" : "CAST";
    return fmt::format("{}({} AS {})", name, tree(*node->value), tree(node->type));
  }
  std::string text = "DESCRIPTOR";
  for (const auto& column : as<Descriptor>(expression)->columns) text += " " + column.text;
  return text;
}

std::string tree(const TypeName& type) {
  static constexpr std::array<std::string_view, 26> kNames = {
      "BOOLEAN", "TINYINT", "SMALLINT",  "INT",           "BIGINT",   "FLOAT",     "DOUBLE",
      "DECIMAL", "CHAR",    "VARCHAR",   "STRING",        "BINARY",   "VARBINARY", "BYTES",
      "DATE",    "TIME",    "TIMESTAMP", "TIMESTAMP_LTZ", "INTERVAL", "ARRAY",     "MULTISET",
      "MAP",     "ROW",     "VARIANT",   "BITMAP",        "RAW"};
  std::string text(kNames[static_cast<std::size_t>(type.kind)]);
  for (const auto parameter : type.parameters) text += fmt::format(" {}", parameter);
  if (type.kind == TypeNameKind::kInterval) text += " " + units(type.interval);
  for (std::size_t i = 0; i < type.children.size(); ++i) {
    text += i == 0 ? "<" : ", ";
    if (!type.fields.empty()) text += type.fields[i].name.text + " ";
    text += tree(type.children[i]);
    if (!type.fields.empty() && type.fields[i].comment) text += " '" + type.fields[i].comment->text + "'";
  }
  if (!type.children.empty()) text += ">";
  return type.nullable ? text : text + " NOT NULL";
}

std::string tree(const RowPattern& pattern) {
  static constexpr std::array<std::string_view, 6> kKinds = {"", "seq", "alt", "permute", "exclude", "empty"};
  std::string text(pattern.variable.text);
  if (pattern.kind != RowPattern::Kind::kVariable) {
    text = fmt::format("({}", kKinds[static_cast<std::size_t>(pattern.kind)]);
    for (const auto& child : pattern.children) text += " " + tree(child);
    text += ")";
  }
  if (!pattern.quantifier) return text;
  const auto& [minimum, maximum, greed, span] = *pattern.quantifier;
  text += fmt::format("{{{},{}}}", minimum, maximum ? fmt::format("{}", *maximum) : "");
  return greed == RowPattern::Greed::kReluctant ? text + "?" : text;
}

std::string tree(std::string_view expression) {
  const Parsed parsed(fmt::format("SELECT {}", expression));
  if (parsed.diagnostics.has_errors()) return render(parsed.diagnostics, parsed.source);
  return tree(parsed.item());
}

std::string errors(std::string_view sql) {
  const Parsed parsed(sql);
  return render(parsed.diagnostics, parsed.source);
}

std::string first_error(std::string_view sql) {
  const Parsed parsed(sql);
  const auto all = parsed.diagnostics.sorted();
  return all.empty() ? std::string() : all.front().message;
}

bool parses(std::string_view sql) {
  const Parsed parsed(sql);
  if (parsed.diagnostics.has_errors()) MESSAGE(render(parsed.diagnostics, parsed.source));
  return !parsed.diagnostics.has_errors();
}

}  // namespace leat::sql
