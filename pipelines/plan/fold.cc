#include "pipelines/plan/fold.h"

#include <algorithm>
#include <utility>

namespace leat::plan {

namespace {

/// A text of more bytes is made when it is needed, once a batch, and not kept in the plan: REPEAT('x',
/// 60000000) is short.
constexpr std::size_t kLongestFolded = 64 << 10;

/// The same before it is made, of the functions that make long texts of short ones.
bool would_be_long(const Expr& call) {
  if (call.name != "REPEAT" && call.name != "LPAD" && call.name != "RPAD") return false;
  std::size_t bytes = 1;
  for (const ExprPtr& child : call.children) {
    if (child->literal.is_null()) return false;
    if (child->type.is_integer())
      bytes *= static_cast<std::size_t>(std::clamp<std::int64_t>(child->literal.as_integer(), 1, 1 << 30));
    else if (child->type.is_character() && call.name == "REPEAT")
      bytes *= std::max<std::size_t>(child->literal.as_string().size(), 1);
    if (bytes > kLongestFolded) return true;
  }
  return false;
}

bool is_long(const Type& type, const Value& value) {
  if (value.is_null()) return false;
  if (type.is_character() || type.is_binary()) return value.as_string().size() > kLongestFolded;
  return type.is_nested() && value.as_list().size() > kLongestFolded;
}

}  // namespace

ExprPtr fold_call(ExprPtr call) {
  const bool is_call = call->kind == ExprKind::kCall || call->kind == ExprKind::kCast;
  const auto constant = [](const ExprPtr& child) { return child->kind == ExprKind::kLiteral; };
  if (!is_call || !call->call.deterministic || !std::ranges::all_of(call->children, constant)) return call;
  if (would_be_long(*call)) return call;
  std::vector<Value> values;
  for (const ExprPtr& child : call->children) values.push_back(child->literal);
  const Result<Value> value = functions::fold(call->call, values);
  if (!value || is_long(call->type, *value)) return call;
  return make_literal(call->type.with_nullable(call->type.nullable() || value->is_null()), *value);
}

ExprPtr fold_constants(const ExprPtr& expr) {
  std::vector<ExprPtr> children;
  for (const ExprPtr& child : expr->children) children.push_back(fold_constants(child));
  if (children == expr->children) return fold_call(expr);
  Expr copy = *expr;
  copy.children = std::move(children);
  return fold_call(std::make_shared<const Expr>(std::move(copy)));
}

}  // namespace leat::plan
