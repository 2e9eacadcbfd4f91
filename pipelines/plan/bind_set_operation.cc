// UNION, INTERSECT and EXCEPT, with ALL and without.
#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "pipelines/plan/bind_correlated.h"
#include "pipelines/plan/bind_group.h"
#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/set_operation_node.h"

namespace leat::plan {
namespace {

using Step = sql::SetOperation::Step;

std::string_view text_of(const Step& step) {
  const bool all = step.quantifier == sql::SetOperation::Quantifier::kAll;
  switch (step.op) {
    case sql::SetOperation::Operator::kUnion:
      return all ? "UNION ALL" : "UNION";
    case sql::SetOperation::Operator::kIntersect:
      return all ? "INTERSECT ALL" : "INTERSECT";
    case sql::SetOperation::Operator::kExcept:
      return all ? "EXCEPT ALL" : "EXCEPT";
  }
  return "";
}

/// Brings the columns of all branches to one type each.
bool unify_branches(std::vector<Relation>& branches, const std::vector<sql::SourceSpan>& spans,
                    std::string_view what, const BindContext& context) {
  const Schema first = branches[0].schema();
  for (std::size_t b = 1; b < branches.size(); ++b) {
    if (branches[b].schema().size() == first.size()) continue;
    context.diagnostics.error(spans[b], "this query has " + std::to_string(branches[b].schema().size()) +
                                            " columns, the first has " + std::to_string(first.size()));
    return false;
  }
  std::vector<Type> common;
  for (std::size_t c = 0; c < first.size(); ++c) {
    std::vector<Type> types;
    for (const Relation& branch : branches) types.push_back(branch.schema().fields[c].type);
    const std::optional<Type> type =
        unify(types,
              "column " + std::to_string(c + 1) + " ('" + first.fields[c].name + "') of " + std::string(what),
              spans[1], context);
    if (!type) return false;
    common.push_back(*type);
  }
  for (std::size_t b = 0; b < branches.size(); ++b) {
    std::vector<ExprPtr> exprs;
    std::vector<std::string> names;
    for (std::size_t c = 0; c < first.size(); ++c) {
      exprs.push_back(coerce(column_of(*branches[b].node, c), common[c], spans[b], context));
      if (!exprs.back()) return false;
      names.push_back(first.fields[c].name);
    }
    branches[b].node = make_project(branches[b].node, std::move(exprs), names);
  }
  return true;
}
/// Puts branches of equal types together, from left to right.
class Chain {
 public:
  Chain(NodePtr first, const BindContext& context) : context_(context), branches_{std::move(first)} {}

  void add(const Step& step, NodePtr right) {
    const bool all = step.quantifier == sql::SetOperation::Quantifier::kAll;
    if (step.op == sql::SetOperation::Operator::kUnion) {
      // What is made distinct at the end of a chain of UNIONs need not be before.
      if (all && distinct_) settle();
      distinct_ = !all;
      branches_.push_back(std::move(right));
      return;
    }
    settle();
    const bool intersect = step.op == sql::SetOperation::Operator::kIntersect;
    const SetOperator op = intersect ? (all ? SetOperator::kIntersectAll : SetOperator::kIntersect)
                                     : (all ? SetOperator::kExceptAll : SetOperator::kExcept);
    branches_[0] =
        make_set_operation(op, std::move(branches_[0]), std::move(right), context_.settings.state_ttl);
  }

  NodePtr finish() {
    settle();
    return branches_[0];
  }

 private:
  /// One branch of all so far.
  void settle() {
    if (branches_.size() > 1) {
      std::vector<std::string> names;
      for (const Type::Field& field : branches_[0]->schema.fields) names.push_back(field.name);
      branches_ = {make_union_all(std::move(branches_), names)};
    }
    if (std::exchange(distinct_, false))
      branches_[0] = bind_distinct(plain_relation(branches_[0]), context_).node;
  }

  const BindContext& context_;
  std::vector<NodePtr> branches_;  ///< To be united; at least one.
  bool distinct_ = false;          ///< Without repeated rows.
};

bool same_match(const Correlated::Match& a, const Correlated::Match& b) {
  return a.nulls == b.nulls && identity_of(*a.outer) == identity_of(*b.outer);
}

/// Makes the keys of all branches those of the set operation: the rows of an outer row meet in it.
bool share_keys(std::span<const Correlated> asked, std::span<const sql::SourceSpan> spans,
                Correlated& correlated, const BindContext& context) {
  for (std::size_t b = 1; b < asked.size(); ++b) {
    if (std::ranges::equal(asked[b].matches, asked[0].matches, same_match)) continue;
    context.not_yet(spans[b], "a branch of a set operation that asks other things of the outer row",
                    "compare the same outer columns in the same order in each branch, or join outside of it");
    return false;
  }
  correlated.matches = asked[0].matches;
  correlated.keys = asked[0].keys;
  return true;
}

}  // namespace

std::optional<Relation> QueryBinder::bind_set_operation(const sql::SetOperation& operation) {
  Correlated* const correlated = std::exchange(correlated_, nullptr);
  bool whole = true;
  std::vector<Relation> branches;
  std::vector<Correlated> asked;
  std::vector<sql::SourceSpan> spans = {operation.first->span};
  const auto add = [&](const sql::QueryBody& body) {
    if (correlated) asked.emplace_back(correlated->outer);
    correlated_ = correlated ? &asked.back() : nullptr;
    std::optional<Relation> branch = bind_body(body);
    correlated_ = nullptr;
    whole = whole && branch;
    if (branch) branches.push_back(std::move(*branch));
  };
  add(*operation.first);
  for (const Step& step : operation.steps) {
    add(*step.right);
    spans.push_back(step.right->span);
  }
  if (whole && correlated) whole = share_keys(asked, spans, *correlated, context_);
  if (!whole || !unify_branches(branches, spans, text_of(operation.steps[0]), context_)) return std::nullopt;
  Chain chain(branches[0].node, context_);
  for (std::size_t i = 0; i < operation.steps.size(); ++i)
    chain.add(operation.steps[i], branches[i + 1].node);
  return plain_relation(chain.finish());
}

}  // namespace leat::plan
