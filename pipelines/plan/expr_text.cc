// Bound expressions as text. The same printer serves people (EXPLAIN) and fingerprints; the latter print
// columns by what they are, not by their names, and literals with their types.
#include <algorithm>
#include <array>
#include <string_view>

#include "pipelines/base/time.h"
#include "pipelines/column/column.h"
#include "pipelines/column/text.h"
#include "pipelines/plan/expr.h"

namespace leat::plan {
namespace {

std::string sql_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  out.push_back('\'');
  return out;
}

std::string cell_text(const Expr& literal) {
  const ColumnPtr column = Column::constant(literal.type, literal.literal, 1);
  std::string text;
  append_text(*column, 0, TextStyle{}, text);
  return text;
}

std::string hex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "x'";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out + "'";
}

std::string day_time_text(std::int64_t micros) {
  return "INTERVAL " + sql_quoted(format_duration(Micros(micros)));
}

std::string literal_text(const Expr& literal) {
  if (literal.literal.is_null()) return "NULL";
  switch (literal.type.kind()) {
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      return sql_quoted(literal.literal.as_string());
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return hex(literal.literal.as_string());
    case TypeKind::kDate:
      return "DATE " + sql_quoted(cell_text(literal));
    case TypeKind::kTime:
      return "TIME " + sql_quoted(cell_text(literal));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return "TIMESTAMP " + sql_quoted(cell_text(literal));
    case TypeKind::kIntervalDayTime:
      return day_time_text(literal.literal.as_integer());
    case TypeKind::kIntervalYearMonth:
      return "INTERVAL " + sql_quoted(std::to_string(literal.literal.as_integer()) + " months");
    default:
      return cell_text(literal);
  }
}

bool is_infix(std::string_view name) {
  static constexpr std::array<std::string_view, 16> kInfix = {"+",
                                                              "-",
                                                              "*",
                                                              "/",
                                                              "%",
                                                              "||",
                                                              "=",
                                                              "<>",
                                                              "<",
                                                              "<=",
                                                              ">",
                                                              ">=",
                                                              "LIKE",
                                                              "SIMILAR TO",
                                                              "IS DISTINCT FROM",
                                                              "IS NOT DISTINCT FROM"};
  return std::ranges::find(kInfix, name) != kInfix.end();
}

// A function that reads JSON with all of its clauses as arguments.
bool is_bound_json(const Expr& expr) {
  const std::size_t count = expr.children.size();
  return (expr.name == "JSON_VALUE" && count == 7) || (expr.name == "JSON_QUERY" && count == 6) ||
         (expr.name == "JSON_EXISTS" && count == 3);
}

class ExprPrinter {
 public:
  explicit ExprPrinter(const ExprTextStyle& style) : style_(style) {}

  std::string print(const Expr& expr) const {
    switch (expr.kind) {
      case ExprKind::kColumn:
        return style_.column_text(expr);
      case ExprKind::kLiteral:
        return print_literal(expr);
      case ExprKind::kCase:
        return print_case(expr);
      case ExprKind::kAnd:
        return "(" + list(expr.children, " AND ") + ")";
      case ExprKind::kOr:
        return "(" + list(expr.children, " OR ") + ")";
      case ExprKind::kCoalesce:
        return "COALESCE(" + list(expr.children, ", ") + ")";
      case ExprKind::kCast:
        return (expr.name.empty() ? "CAST" : expr.name) + "(" + print(*expr.children[0]) + " AS " +
               expr.type.with_nullable(true).to_string() + ")";
      case ExprKind::kCall:
        return print_call(expr);
    }
    return {};
  }

 private:
  std::string list(const std::vector<ExprPtr>& exprs, std::string_view separator) const {
    std::string text;
    for (const ExprPtr& expr : exprs) {
      if (!text.empty()) text += separator;
      text += print(*expr);
    }
    return text;
  }

  std::string print_literal(const Expr& expr) const {
    const std::string text = literal_text(expr);
    return style_.literals == ExprTextStyle::Literals::kTyped ? text + ":" + expr.type.to_string() : text;
  }

  std::string print_case(const Expr& expr) const {
    std::string text = "CASE";
    std::size_t i = 0;
    for (; i + 1 < expr.children.size(); i += 2)
      text += " WHEN " + print(*expr.children[i]) + " THEN " + print(*expr.children[i + 1]);
    if (i < expr.children.size()) text += " ELSE " + print(*expr.children[i]);
    return text + " END";
  }

  std::string print_call(const Expr& expr) const {
    const std::vector<ExprPtr>& children = expr.children;
    if (children.size() == 2 && is_infix(expr.name)) return "(" + list(children, " " + expr.name + " ") + ")";
    if (children.size() == 1 && expr.name.starts_with("IS "))
      return "(" + print(*children[0]) + " " + expr.name + ")";
    if (children.size() == 1 && expr.name == "NOT") return "NOT " + print(*children[0]);
    if (children.size() == 1 && expr.name == "NEGATE") return "-" + print(*children[0]);
    if (children.size() == 2 && expr.name == ".")
      return print(*children[0]) + "." + print_field(*children[1]);
    if (expr.name == "IN")
      return "(" + print(*children[0]) + " IN (" + list({children.begin() + 1, children.end()}, ", ") + "))";
    if (children.size() == 2 && expr.name == "[]")
      return print(*children[0]) + "[" + print(*children[1]) + "]";
    // For the reader as it was written; an identity keeps the plain form.
    if (style_.literals != ExprTextStyle::Literals::kTyped && is_bound_json(expr))
      return expr.name + "(" + list({children.begin(), children.begin() + 2}, ", ") + json_clauses(expr) +
             ")";
    return expr.name + "(" + list(children, ", ") + ")";
  }

  // The arguments behind document and path (see functions/json_value.cc and json_read.cc) as clauses; nothing
  // for what holds when nothing is said.
  std::string json_clauses(const Expr& expr) const {
    const std::vector<ExprPtr>& children = expr.children;
    const auto word = [&](std::size_t i) { return children[i]->literal.as_string(); };
    const auto behaviour = [&](const std::string& text, std::string_view when) {
      return text == "NULL" ? std::string() : " " + text + std::string(when);
    };
    if (expr.name == "JSON_EXISTS") return word(2) == "FALSE" ? std::string() : " " + word(2) + " ON ERROR";
    const Type returned = children[2]->type.with_nullable(true);
    std::string text = returned == Type::string() ? std::string() : " RETURNING " + returned.to_string();
    if (expr.name == "JSON_QUERY") {
      if (word(3) != "WITHOUT") text += " WITH " + word(3) + " WRAPPER";
      return text + behaviour(word(4), " ON EMPTY") + behaviour(word(5), " ON ERROR");
    }
    const auto fallback = [&](std::size_t i) {
      return word(i) == "DEFAULT" ? "DEFAULT " + print(*children[i + 1]) : word(i);
    };
    return text + behaviour(fallback(3), " ON EMPTY") + behaviour(fallback(5), " ON ERROR");
  }

  static std::string print_field(const Expr& name) {
    return name.kind == ExprKind::kLiteral ? name.literal.as_string() : std::string();
  }

  const ExprTextStyle& style_;  // Lives as long as the call of `to_string`.
};

}  // namespace

std::string to_string(const Expr& expr, const ExprTextStyle& style) {
  return ExprPrinter(style).print(expr);
}

std::string identity_of(const Expr& expr) {
  return to_string(expr, {.column_text = [](const Expr& c) { return "$" + std::to_string(c.column); },
                          .literals = ExprTextStyle::Literals::kTyped});
}

std::string to_string(const Expr& expr) {
  return to_string(expr, ExprTextStyle{.column_text = [](const Expr& column) { return column.name; }});
}

}  // namespace leat::plan
