// Says in the errors of rows what could not be computed, as the user knows it: a column by its name, a
// condition by its text.
#pragma once

#include <string>

#include "pipelines/exec/evaluate.h"

namespace leat::exec {

/// "column 'n'"; by the text of `expr` if the column has no other name.
inline std::string column_called(const std::string& name, const plan::Expr& expr) {
  return name == to_string(expr) ? name : "column '" + name + "'";
}
/// "condition (n > 1)".
inline std::string condition_called(const plan::Expr& expr) {
  return "condition " + to_string(expr);
}

/// Runs `compute(errors)` and hands its errors on to `errors`, each behind what `called()` gives: that is
/// asked only when there are some.
template <class Compute, class Called>
auto with_named_errors(functions::RowErrors& errors, const Called& called, const Compute& compute) {
  functions::RowErrors own;
  auto result = compute(own);
  if (own.empty()) return result;
  const std::string what = called() + ": ";
  for (const auto& entry : own.entries()) errors.add(entry.row, what + entry.message);
  return result;
}

}  // namespace leat::exec
