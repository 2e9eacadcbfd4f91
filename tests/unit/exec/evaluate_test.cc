#include <doctest/doctest.h>

#include "pipelines/exec/evaluate.h"
#include "tests/unit/exec/script.h"

namespace leat::exec::test {
namespace {

using plan::ExprKind;
using plan::ExprPtr;
using Cells = std::vector<std::optional<std::int64_t>>;

const Type kLong = Type::big_int();

ExprPtr a() {
  return column(0, kLong);
}
ExprPtr b() {
  return column(1, kLong);
}
ExprPtr when(std::vector<ExprPtr> children) {
  return logical(ExprKind::kCase, std::move(children), kLong);
}
ExprPtr both(ExprPtr x, ExprPtr y) {
  return logical(ExprKind::kAnd, {x, y}, Type::boolean());
}
ExprPtr either(ExprPtr x, ExprPtr y) {
  return logical(ExprKind::kOr, {x, y}, Type::boolean());
}

ColumnPtr longs(const Cells& cells) {
  ColumnBuilder builder(kLong);
  for (const auto& cell : cells) cell ? builder.append(*cell) : builder.append_null();
  return builder.finish();
}

struct Evaluated {
  Cells cells;
  std::vector<std::uint32_t> failed;
};

Evaluated evaluate(const ExprPtr& expr, const Cells& first, const Cells& second) {
  const std::vector<ColumnPtr> columns = {longs(first), longs(second)};
  const std::vector<std::int64_t> times(first.size());
  functions::RowErrors errors;
  const ColumnPtr column = Evaluator(expr).column({first.size(), columns, times, times}, errors);
  Evaluated result;
  REQUIRE(column->size() == first.size());
  for (std::size_t row = 0; row < column->size(); ++row) {
    const Value value = column->value(row);
    if (value.is_null())
      result.cells.emplace_back();
    else
      result.cells.emplace_back(column->type().kind() == TypeKind::kBoolean ? value.as_boolean()
                                                                            : value.as_integer());
  }
  for (const auto& entry : errors.entries()) result.failed.push_back(entry.row);
  return result;
}

TEST_CASE("a column passes through without a copy") {
  const std::vector<ColumnPtr> columns = {longs({1, 2})};
  functions::RowErrors errors;
  CHECK(Evaluator(a()).column({2, columns, {}, {}}, errors).get() == columns[0].get());
}

TEST_CASE("a literal stays one value for all rows") {
  functions::RowErrors errors;
  const functions::Datum datum = Evaluator(literal(7)).evaluate({100, {}, {}, {}}, errors);
  CHECK(datum.constant);
  CHECK(datum.column->size() == 1);
  CHECK(expand(datum, 3)->values<std::int64_t>()[2] == 7);
}

TEST_CASE("CASE takes the first TRUE condition; without ELSE the rest is NULL") {
  const auto small = when({greater(a(), literal(2)), literal(20), greater(a(), literal(1)), b()});
  CHECK(evaluate(small, {3, 2, 1, std::nullopt}, {30, 31, 32, 33}).cells ==
        Cells{20, 31, std::nullopt, std::nullopt});
  const auto otherwise = when({greater(a(), literal(2)), b(), a()});
  CHECK(evaluate(otherwise, {3, 2, 5}, {30, 31, 32}).cells == Cells{30, 2, 32});
}

TEST_CASE("a branch of CASE runs only on its rows") {
  const auto guarded = when({greater(b(), literal(0)), divide(a(), b()), literal(-1)});
  const Evaluated result = evaluate(guarded, {8, 9, 10}, {2, 0, 5});
  CHECK(result.cells == Cells{4, -1, 2});
  CHECK(result.failed.empty());
}

TEST_CASE("an error inside a branch names the row of the batch") {
  const auto unguarded = when({greater(a(), literal(0)), divide(a(), b()), literal(-1)});
  CHECK(evaluate(unguarded, {0, 9, 0, 7}, {0, 0, 0, 0}).failed == std::vector<std::uint32_t>{1, 3});
}

TEST_CASE("AND and OR are three-valued") {
  const auto is_true = [](ExprPtr x) { return greater(std::move(x), literal(0)); };
  const Cells left = {1, 1, 1, 0, 0, 0, std::nullopt, std::nullopt, std::nullopt};
  const Cells right = {1, 0, std::nullopt, 1, 0, std::nullopt, 1, 0, std::nullopt};
  CHECK(evaluate(both(is_true(a()), is_true(b())), left, right).cells ==
        Cells{1, 0, std::nullopt, 0, 0, 0, std::nullopt, 0, std::nullopt});
  CHECK(evaluate(either(is_true(a()), is_true(b())), left, right).cells ==
        Cells{1, 1, 1, 1, 0, std::nullopt, 1, std::nullopt, std::nullopt});
}

TEST_CASE("the right side of AND runs only where the left is not FALSE") {
  const auto guarded = both(greater(b(), literal(0)), greater(divide(a(), b()), literal(1)));
  const Evaluated result = evaluate(guarded, {8, 9, 1}, {2, 0, 5});
  CHECK(result.cells == Cells{1, 0, 0});
  CHECK(result.failed.empty());
}

TEST_CASE("the right side of OR runs only where the left is not TRUE") {
  const auto guarded = either(greater(literal(1), b()), greater(divide(a(), b()), literal(3)));
  const Evaluated result = evaluate(guarded, {8, 9, 1}, {2, 0, 5});
  CHECK(result.cells == Cells{1, 1, 0});
  CHECK(result.failed.empty());
}

TEST_CASE("COALESCE evaluates a child only where all before it are NULL") {
  const auto expr = logical(ExprKind::kCoalesce, {a(), divide(literal(10), b()), literal(-1)}, kLong);
  const Evaluated result = evaluate(expr, {1, std::nullopt, std::nullopt, 4}, {0, 5, std::nullopt, 0});
  CHECK(result.cells == Cells{1, 2, -1, 4});
  CHECK(result.failed.empty());
}

TEST_CASE("nested branches keep to the rows of the outer one") {
  const auto inner = when({greater(b(), literal(0)), divide(a(), b()), literal(0)});
  const auto outer = when({greater(a(), literal(5)), inner, literal(-1)});
  CHECK(evaluate(outer, {10, 10, 1, 20}, {5, 0, 0, 4}).cells == Cells{2, 0, -1, 5});
}

}  // namespace
}  // namespace leat::exec::test
