#include "pipelines/plan/operator_node.h"

#include "pipelines/column/codec.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

void need(Needs& needs, std::size_t column) {
  needs[column] = true;
}

void need(Needs& needs, const Expr& expr) {
  for (const std::size_t column : columns_of(expr)) needs[column] = true;
}

void need(Needs& needs, std::span<const std::size_t> columns) {
  for (const std::size_t column : columns) needs[column] = true;
}

std::vector<std::size_t> moved(std::span<const std::size_t> columns, std::span<const std::size_t> new_index) {
  std::vector<std::size_t> places;
  for (const std::size_t column : columns) places.push_back(new_index[column]);
  return places;
}

NodePtr picked(const Pruned& branch, const Needs& needs) {
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (!needs[i]) continue;
    exprs.push_back(column_of(*branch.node, branch.new_index[i]));
    names.push_back(exprs.back()->name);
  }
  return make_project(branch.node, std::move(exprs), names);
}

std::string names_of(const Schema& schema, std::span<const std::size_t> columns) {
  std::string text;
  for (const std::size_t column : columns) text += (text.empty() ? "" : ", ") + schema.fields[column].name;
  return text;
}

std::string typed_columns(const Schema& schema, std::span<const std::string> texts) {
  std::string text;
  for (std::size_t i = 0; i < schema.size(); ++i)
    text += texts[i] + ":" + schema.fields[i].type.to_string() + "; ";
  return text;
}

std::string typed_columns(const Schema& schema, std::span<const std::string> texts,
                          std::span<const std::size_t> columns) {
  std::string text;
  for (const std::size_t column : columns) {
    const Type& type = schema.fields[column].type;
    // A MAP that is a key has its entries sorted in the state; that of earlier versions had not.
    text += texts[column] + ":" + type.to_string() + (holds_entries(type) ? " sorted; " : "; ");
  }
  return text;
}

std::string expr_identity(const Expr& expr, std::span<const std::string> columns) {
  return to_string(expr, {.column_text = [&](const Expr& c) { return columns[c.column]; },
                          .literals = ExprTextStyle::Literals::kTyped});
}

}  // namespace leat::plan
