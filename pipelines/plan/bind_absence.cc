#include "pipelines/plan/bind_absence.h"

#include "pipelines/base/nearest.h"
#include "pipelines/plan/absence_node.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/function_arguments.h"

namespace leat::plan {
namespace {

constexpr const char* kForm =
    "the form is ABSENCE(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), timeout => INTERVAL "
    "'30' "
    "SECOND)";

class AbsenceBinder {
 public:
  AbsenceBinder(const sql::Call& call, QueryBinder& queries)
      : call_(call), queries_(queries), context_(queries.context()) {}

  std::optional<Relation> bind() {
    if (!sort_arguments()) return std::nullopt;
    const auto* table = sql::as<sql::TableArgument>(*input_);
    if (!table) {
      error(input_->span, "expected TABLE, its name and PARTITION BY");
      return std::nullopt;
    }
    const std::optional<Relation> input = bind_table_argument(*table, queries_);
    if (!input) return std::nullopt;
    const bool whole[] = {bind_input(*table, *input), bind_time(*input), bind_timeout()};
    if (!whole[0] || !whole[1] || !whole[2]) return std::nullopt;
    node_->inputs = {input->node};
    node_->state_ttl = context_.settings.state_ttl;
    derive_absence_schema(*node_);
    return plain_relation(node_);
  }

 private:
  void error(sql::SourceSpan span, std::string message, std::string hint = kForm) const {
    context_.diagnostics.error(span, std::move(message), std::move(hint));
  }

  bool sort_arguments() {
    static const std::vector<std::string> kNames = {"input", "on_time", "timeout"};
    const std::optional<FunctionArguments> placed = place_arguments(call_, kNames, kForm, context_);
    if (!placed) return false;
    input_ = (*placed)[0];
    on_time_ = (*placed)[1];
    timeout_ = (*placed)[2];
    if (input_ && on_time_ && timeout_) return true;
    error(call_.span, "ABSENCE needs input, on_time and timeout");
    return false;
  }

  bool bind_input(const sql::TableArgument& table, const Relation& input) {
    if (input.node->updating) {
      error(table.span, "ABSENCE reads rows that come and stay, but the rows of this input change later",
            "give it the rows before they are aggregated");
      return false;
    }
    if (table.partition_by.empty()) {
      error(table.span, "ABSENCE needs PARTITION BY: whose silence is it?");
      return false;
    }
    const Scope scope(input, table.table ? table.table->last() : "");
    for (const sql::ExpressionPtr& key : table.partition_by) {
      const ExprPtr expr = ExprBinder(scope, context_, "PARTITION BY").bind(*key);
      if (!expr) return false;
      if (expr->kind != ExprKind::kColumn) {
        error(key->span, "PARTITION BY takes columns");
        return false;
      }
      node_->keys.push_back(expr->column);
    }
    return true;
  }

  bool bind_time(const Relation& input) {
    const auto* descriptor = sql::as<sql::Descriptor>(*on_time_);
    if (!descriptor || descriptor->columns.size() != 1) {
      error(on_time_->span, "expected DESCRIPTOR with one time column");
      return false;
    }
    const sql::Identifier& name = descriptor->columns[0];
    const std::optional<std::size_t> column = input.schema().find(name.text);
    if (!column) {
      std::vector<std::string> known;
      for (const Type::Field& field : input.schema().fields) known.push_back(field.name);
      error(name.span, "unknown column '" + name.text + "'" + did_you_mean(name.text, known), "");
      return false;
    }
    if (input.node->time_attributes[*column] != TimeAttribute::kRowTime) {
      error(name.span, "'" + name.text + "' is no rowtime",
            "declare WATERMARK FOR " + name.text + " AS … in its table");
      return false;
    }
    node_->time_column = *column;
    return true;
  }

  bool bind_timeout() {
    const Scope nothing;
    const ExprPtr expr = ExprBinder(nothing, context_, "timeout").bind(*timeout_);
    if (!expr) return false;
    const bool constant = expr->kind == ExprKind::kLiteral &&
                          expr->type.kind() == TypeKind::kIntervalDayTime && !expr->literal.is_null();
    if (!constant || expr->literal.as_integer() <= 0) {
      error(timeout_->span, "the timeout must be a constant INTERVAL longer than 0",
            "as in INTERVAL '30' SECOND");
      return false;
    }
    node_->timeout = Micros(expr->literal.as_integer());
    return true;
  }

  const sql::Call& call_;
  QueryBinder& queries_;
  const BindContext& context_;
  const sql::Expression* input_ = nullptr;
  const sql::Expression* on_time_ = nullptr;
  const sql::Expression* timeout_ = nullptr;
  std::shared_ptr<AbsenceNode> node_ = std::make_shared<AbsenceNode>();
};

}  // namespace

std::optional<Relation> bind_absence(const sql::Call& call, QueryBinder& queries) {
  return AbsenceBinder(call, queries).bind();
}

}  // namespace leat::plan
