// The one list of scalar functions.
#include <algorithm>
#include <iterator>

#include "pipelines/functions/families.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {
namespace {

ScalarFunctions build_table() {
  ScalarFunctions table;
  const auto add = [&](ScalarFunctions family) {
    std::move(family.begin(), family.end(), std::back_inserter(table));
  };
  add(comparison_functions());
  add(logic_functions());
  add(arithmetic_functions());
  add(math_functions());
  add(text_edit_functions());
  add(text_search_functions());
  add(pattern_functions());
  add(digest_functions());
  add(time_part_functions());
  add(time_text_functions());
  add(time_now_functions());
  add(conditional_functions());
  add(collection_functions());
  add(array_functions());
  add(map_functions());
  add(json_read_functions());
  add(json_write_functions());
  add(encoding_functions());
  add(pattern_search_functions());
  add(format_functions());
  std::sort(table.begin(), table.end(),
            [](const ScalarFunction& a, const ScalarFunction& b) { return a.name < b.name; });
  return table;
}

const ScalarFunctions& table() {
  static const ScalarFunctions kTable = build_table();
  return kTable;
}

}  // namespace

const ScalarFunction* find_scalar(std::string_view name) {
  const auto found =
      std::lower_bound(table().begin(), table().end(), name,
                       [](const ScalarFunction& row, std::string_view key) { return row.name < key; });
  return found != table().end() && found->name == name ? &*found : nullptr;
}

std::span<const ScalarFunction> all_scalars() {
  return table();
}

Result<Value> fold(const BoundScalar& call, std::span<const Value> arguments) {
  std::vector<Datum> data;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    data.push_back({Column::constant(call.arguments[i], arguments[i], 1), true});
  RowErrors errors;
  const ColumnPtr result = call.kernel({.rows = 1, .errors = &errors}, data);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.entries().front().message);
  return result->value(0);
}

}  // namespace leat::functions
