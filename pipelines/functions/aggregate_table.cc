// The one list of aggregate functions.
#include <fmt/format.h>

#include <algorithm>

#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/decimal.h"

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
  constexpr std::string_view kSignature = "COUNT(*), COUNT([DISTINCT] value) or COUNT(DISTINCT ROW(a, b))";
  const bool distinct = distinctness == Distinctness::kDistinct;
  if (arguments.empty() && !distinct) return make_count_all();
  if (arguments.size() != 1) return wrong_arguments(kSignature, arguments);
  const AggregatePtr count = make_count(type_or(arguments[0], Type::integer()));
  return distinct ? make_distinct(count, needs_retraction) : count;
}

// Wraps what counts each distinct value once.
AggregatePtr distinct_if(Distinctness distinctness, AggregatePtr aggregate, bool needs_retraction,
                         NullValues nulls = NullValues::kSkipped) {
  if (distinctness == Distinctness::kAll) return aggregate;
  return make_distinct(std::move(aggregate), needs_retraction, nulls);
}

// ---- With words that the binder adds behind the arguments -------------------------------------------------

bool has_word(std::span<const ArgumentInfo> arguments, std::string_view word) {
  return !arguments.empty() && text_literal(arguments.back()) == word;
}

Result<AggregatePtr> bind_array_agg(std::span<const ArgumentInfo> arguments, Distinctness distinctness,
                                    bool needs_retraction) {
  constexpr std::string_view kSignature = "ARRAY_AGG([DISTINCT] value [{RESPECT | IGNORE} NULLS])";
  const bool ignore = arguments.size() == 2 && has_word(arguments, "IGNORE NULLS");
  if (arguments.size() != 1 && !ignore) return wrong_arguments(kSignature, arguments);
  const NullValues nulls = ignore ? NullValues::kSkipped : NullValues::kCounted;
  const Type type = type_or(arguments[0], Type::integer());
  return distinct_if(distinctness, make_array_agg(type, nulls), needs_retraction, nulls);
}

// Of several equal values the first is the first of all, and the last the last: DISTINCT changes nothing.
template <Position kPosition>
Result<AggregatePtr> bind_positional(std::span<const ArgumentInfo> arguments, Distinctness,
                                     bool needs_retraction) {
  const bool respect = arguments.size() == 2 && has_word(arguments, "RESPECT NULLS");
  if (arguments.size() != 1 && !respect) {
    const std::string_view name = kPosition == Position::kFirst ? "FIRST_VALUE" : "LAST_VALUE";
    return wrong_arguments(fmt::format("{}([DISTINCT] value [{{IGNORE | RESPECT}} NULLS])", name), arguments);
  }
  return make_positional(type_or(arguments[0], Type::integer()), kPosition,
                         respect ? NullValues::kCounted : NullValues::kSkipped, needs_retraction);
}

struct JsonWords {
  NullValues nulls;
  JsonText text;
};

// …, 'NULL' | 'ABSENT', 'JSON' | 'VALUE'
JsonWords json_words(std::span<const ArgumentInfo> arguments) {
  const bool keep = text_literal(arguments[arguments.size() - 2]) == "NULL";
  return {keep ? NullValues::kCounted : NullValues::kSkipped,
          has_word(arguments, "JSON") ? JsonText::kJson : JsonText::kValue};
}

Result<AggregatePtr> bind_json_array(std::span<const ArgumentInfo> arguments, Distinctness distinctness,
                                     bool needs_retraction) {
  if (arguments.size() != 3)
    return wrong_arguments("JSON_ARRAYAGG([DISTINCT] value [{NULL | ABSENT} ON NULL])", arguments);
  const auto [nulls, text] = json_words(arguments);
  const Type type = type_or(arguments[0], Type::string());
  return distinct_if(distinctness, make_json_array_agg(type, nulls, text), needs_retraction, nulls);
}

Result<AggregatePtr> bind_json_object(std::span<const ArgumentInfo> arguments, Distinctness distinctness,
                                      bool) {
  const bool fits = arguments.size() == 4 && distinctness == Distinctness::kAll &&
                    implicitly_castable(arguments[0].type, Type::string());
  if (!fits)
    return wrong_arguments("JSON_OBJECTAGG([KEY] key VALUE value [{NULL | ABSENT} ON NULL])", arguments);
  const auto [nulls, text] = json_words(arguments);
  return make_json_object_agg(type_or(arguments[1], Type::string()), nulls, text);
}

// ---- With constants --------------------------------------------------------------------------------------

Result<AggregatePtr> bind_list_agg(std::span<const ArgumentInfo> arguments, Distinctness distinctness,
                                   bool needs_retraction) {
  constexpr std::string_view kSignature = "LISTAGG([DISTINCT] string [, separator])";
  if (arguments.empty() || arguments.size() > 2 || !implicitly_castable(arguments[0].type, Type::string()))
    return wrong_arguments(kSignature, arguments);
  const std::optional<std::string> separator = arguments.size() == 2 ? text_literal(arguments[1]) : ",";
  if (!separator) return fail(ErrorCode::kInvalid, "the separator of LISTAGG must be a constant text");
  return distinct_if(distinctness, make_list_agg(std::vector(arguments.size(), Type::string()), *separator),
                     needs_retraction);
}

std::optional<double> number_of(const Type& type, const Value& value) {
  if (value.is_null()) return std::nullopt;
  if (type.kind() == TypeKind::kDecimal) return decimal_to_double(value.as_decimal(), type.scale());
  if (type.is_approximate()) return value.as_double();
  if (type.is_integer()) return static_cast<double>(value.as_integer());
  return std::nullopt;
}

// The shares of PERCENTILE: one number, or an array of them; empty if they are no such thing.
std::vector<double> shares_of(const ArgumentInfo& argument) {
  if (!argument.literal || argument.literal->is_null()) return {};
  const bool array = argument.type.kind() == TypeKind::kArray;
  const Value::List values = array ? argument.literal->as_list() : Value::List{*argument.literal};
  std::vector<double> shares;
  for (const Value& value : values) {
    const std::optional<double> share = number_of(array ? argument.type.element() : argument.type, value);
    if (!share || *share < 0 || *share > 1) return {};
    shares.push_back(*share);
  }
  return shares;
}

Result<AggregatePtr> bind_percentile(std::span<const ArgumentInfo> arguments, Distinctness distinctness,
                                     bool) {
  constexpr std::string_view kSignature = "PERCENTILE(number, share [, frequency])";
  const bool count = arguments.size() == 2 || arguments.size() == 3;
  if (!count || distinctness == Distinctness::kDistinct || !arguments[0].type.is_numeric() ||
      (arguments.size() == 3 && !arguments[2].type.is_integer()))
    return wrong_arguments(kSignature, arguments);
  const std::vector<double> shares = shares_of(arguments[1]);
  if (shares.empty())
    return fail(ErrorCode::kInvalid,
                "the share of PERCENTILE must be a constant from 0 to 1, or an ARRAY of such");
  const bool array = arguments[1].type.kind() == TypeKind::kArray;
  std::vector<Type> types = {Type::float64(), array ? Type::array(Type::float64()) : Type::float64()};
  if (arguments.size() == 3) types.push_back(Type::big_int());
  return make_percentile(std::move(types), shares);
}

std::vector<AggregateFunction> build_table() {
  using enum UnderDistinct;
  const Make deviation_of_sample = [](const Type& type, bool retract) {
    return make_spread(type, Spread::kDeviation, Basis::kSample, retract);
  };
  const Make variance_of_sample = [](const Type& type, bool retract) {
    return make_spread(type, Spread::kVariance, Basis::kSample, retract);
  };
  return {
      {"COUNT", "COUNT(*) or COUNT([DISTINCT] value)",
       "Number of rows, or of rows in which value is not NULL.", bind_count},
      one_argument(
          "SUM", "Sum of all values, in their own type (integers wrap); DECIMAL(p, s) gives DECIMAL(38, s).",
          kMatters, [](const Type& type, bool retract) { return make_sum(type, retract); }),
      one_argument("AVG", "Mean of all values, in their own type (integers without the fraction).", kMatters,
                   [](const Type& type, bool retract) { return make_average(type, retract); }),
      one_argument(
          "MIN", "Least value.", kIsTheSame,
          [](const Type& type, bool retract) { return make_extreme(type, Extreme::kLeast, retract); }),
      one_argument(
          "MAX", "Greatest value.", kIsTheSame,
          [](const Type& type, bool retract) { return make_extreme(type, Extreme::kGreatest, retract); }),
      one_argument("STDDEV_POP", "Standard deviation of the population.", kMatters,
                   [](const Type& type, bool retract) {
                     return make_spread(type, Spread::kDeviation, Basis::kPopulation, retract);
                   }),
      one_argument("STDDEV_SAMP", "Standard deviation of the sample; NULL for one value.", kMatters,
                   deviation_of_sample),
      one_argument("STDDEV", "The same as STDDEV_SAMP.", kMatters, deviation_of_sample),
      one_argument("VAR_POP", "Variance of the population.", kMatters,
                   [](const Type& type, bool retract) {
                     return make_spread(type, Spread::kVariance, Basis::kPopulation, retract);
                   }),
      one_argument("VAR_SAMP", "Variance of the sample; NULL for one value.", kMatters, variance_of_sample),
      one_argument("VARIANCE", "The same as VAR_SAMP.", kMatters, variance_of_sample),
      {"FIRST_VALUE", "FIRST_VALUE([DISTINCT] value [{IGNORE | RESPECT} NULLS])",
       "Value that arrived first, NULLs aside unless RESPECT NULLS is said.",
       bind_positional<Position::kFirst>},
      {"LAST_VALUE", "LAST_VALUE([DISTINCT] value [{IGNORE | RESPECT} NULLS])",
       "Value that arrived last, NULLs aside unless RESPECT NULLS is said.",
       bind_positional<Position::kLast>},
      one_argument("SUM0", "SUM that is 0 where there is nothing to sum.", kMatters,
                   [](const Type& type, bool retract) { return make_sum_or_zero(type, retract); }),
      one_argument("APPROX_COUNT_DISTINCT", "Number of distinct values; exact here.", kIsTheSame,
                   [](const Type& type, bool retract) { return make_distinct(make_count(type), retract); }),
      one_argument("COLLECT", "The values as a multiset, NULLs aside.", kMatters,
                   [](const Type& type, bool) { return make_collect(type); }),
      {"ARRAY_AGG", "ARRAY_AGG([DISTINCT] value [{RESPECT | IGNORE} NULLS])",
       "The values as an array in the order of arrival.", bind_array_agg},
      {"LISTAGG", "LISTAGG([DISTINCT] string [, separator])",
       "The texts in the order of arrival with a separator, by default a comma, between them.",
       bind_list_agg},
      {"JSON_ARRAYAGG", "JSON_ARRAYAGG([DISTINCT] value [{NULL | ABSENT} ON NULL])",
       "The values as a JSON array; NULLs are left out unless NULL ON NULL is said.", bind_json_array},
      {"JSON_OBJECTAGG", "JSON_OBJECTAGG([KEY] key VALUE value [{NULL | ABSENT} ON NULL])",
       "The keys and values as a JSON object; of equal keys the last value counts.", bind_json_object},
      {"PERCENTILE", "PERCENTILE(number, share [, frequency])",
       "The value below which a share (or each share of an array) of all values lies, exactly.",
       bind_percentile},
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
