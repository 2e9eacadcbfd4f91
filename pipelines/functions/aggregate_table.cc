// The one list of aggregate functions.
#include <fmt/format.h>

#include <algorithm>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/binding.h"

namespace leat::functions {
namespace {

// Builds the aggregate over one argument type; nullptr: there is none for it.
using Make = AggregatePtr (*)(const Type& argument, bool needs_retraction);

// MIN, MAX of distinct values are those of all.
enum class UnderDistinct : std::uint8_t { kMatters, kIsTheSame };

AggregateFunction one_argument(std::string name, std::string doc, UnderDistinct distinct, Make make) {
  const std::string signature = name + "([DISTINCT] value)";
  return {name, signature, std::move(doc),
          [=](std::span<const ArgumentInfo> arguments, Distinctness distinctness,
              bool needs_retraction) -> Result<AggregatePtr> {
            if (arguments.size() != 1) return wrong_arguments(signature, arguments);
            const Type type = type_or(arguments[0], Type::integer());
            AggregatePtr aggregate = make(type, needs_retraction);
            if (!aggregate) return wrong_arguments(signature, arguments);
            const bool wrap = distinctness == Distinctness::kDistinct && distinct == UnderDistinct::kMatters;
            return wrap ? make_distinct(std::move(aggregate), needs_retraction) : aggregate;
          }};
}

Result<AggregatePtr> bind_count(std::span<const ArgumentInfo> arguments, Distinctness distinctness,
                                bool needs_retraction) {
  constexpr std::string_view kSignature = "COUNT(*) or COUNT([DISTINCT] value)";
  const bool distinct = distinctness == Distinctness::kDistinct;
  if (arguments.empty() && !distinct) return make_count_all();
  if (arguments.size() != 1) return wrong_arguments(kSignature, arguments);
  const AggregatePtr count = make_count(type_or(arguments[0], Type::integer()));
  return distinct ? make_distinct(count, needs_retraction) : count;
}

std::vector<AggregateFunction> build_table() {
  using enum UnderDistinct;
  const Make deviation_of_sample = [](const Type& type, bool) {
    return make_spread(type, Spread::kDeviation, Basis::kSample);
  };
  const Make variance_of_sample = [](const Type& type, bool) {
    return make_spread(type, Spread::kVariance, Basis::kSample);
  };
  return {
      {"COUNT", "COUNT(*) or COUNT([DISTINCT] value)",
       "Number of rows, or of rows in which value is not NULL.", bind_count},
      one_argument(
          "SUM", "Sum of all values, in their own type (integers wrap); DECIMAL(p, s) gives DECIMAL(38, s).",
          kMatters, [](const Type& type, bool) { return make_sum(type); }),
      one_argument("AVG", "Mean of all values, in their own type (integers without the fraction).", kMatters,
                   [](const Type& type, bool) { return make_average(type); }),
      one_argument(
          "MIN", "Least value.", kIsTheSame,
          [](const Type& type, bool retract) { return make_extreme(type, Extreme::kLeast, retract); }),
      one_argument(
          "MAX", "Greatest value.", kIsTheSame,
          [](const Type& type, bool retract) { return make_extreme(type, Extreme::kGreatest, retract); }),
      one_argument(
          "STDDEV_POP", "Standard deviation of the population.", kMatters,
          [](const Type& type, bool) { return make_spread(type, Spread::kDeviation, Basis::kPopulation); }),
      one_argument("STDDEV_SAMP", "Standard deviation of the sample; NULL for one value.", kMatters,
                   deviation_of_sample),
      one_argument("STDDEV", "The same as STDDEV_SAMP.", kMatters, deviation_of_sample),
      one_argument(
          "VAR_POP", "Variance of the population.", kMatters,
          [](const Type& type, bool) { return make_spread(type, Spread::kVariance, Basis::kPopulation); }),
      one_argument("VAR_SAMP", "Variance of the sample; NULL for one value.", kMatters, variance_of_sample),
      one_argument("VARIANCE", "The same as VAR_SAMP.", kMatters, variance_of_sample),
      one_argument(
          "FIRST_VALUE", "Value that arrived first, NULLs aside.", kIsTheSame,
          [](const Type& type, bool retract) { return make_positional(type, Position::kFirst, retract); }),
      one_argument(
          "LAST_VALUE", "Value that arrived last, NULLs aside.", kIsTheSame,
          [](const Type& type, bool retract) { return make_positional(type, Position::kLast, retract); }),
  };
}

const std::vector<AggregateFunction>& table() {
  static const std::vector<AggregateFunction> kTable = build_table();
  return kTable;
}

}  // namespace

Status Aggregate::load_part(std::byte* state, std::string_view part, std::string_view value) const {
  (void)state;
  (void)part;
  (void)value;
  return fail(ErrorCode::kCorrupt, "a saved aggregate has parts that it cannot have");
}

const AggregateFunction* find_aggregate(std::string_view name) {
  const auto found = std::find_if(table().begin(), table().end(),
                                  [&](const AggregateFunction& row) { return row.name == name; });
  return found == table().end() ? nullptr : &*found;
}

std::span<const AggregateFunction> all_aggregates() {
  return table();
}

}  // namespace leat::functions
