// Types, and the units of time.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pipelines/base/nearest.h"
#include "pipelines/sql/parser_core.h"

namespace leat::sql {
namespace {

/// A type that is one word, with so many numbers in parentheses at most.
struct TypeWord {
  std::string_view word;
  TypeNameKind kind;
  std::size_t parameters = 0;
};

constexpr auto kTypeWords = std::to_array<TypeWord>({
    {"ARRAY", TypeNameKind::kArray},
    {"BIGINT", TypeNameKind::kBigInt},
    {"BINARY", TypeNameKind::kBinary, 1},
    {"BITMAP", TypeNameKind::kBitmap},
    {"BOOLEAN", TypeNameKind::kBoolean},
    {"BYTES", TypeNameKind::kBytes},
    {"CHAR", TypeNameKind::kChar, 1},
    {"CHARACTER", TypeNameKind::kChar, 1},
    {"DATE", TypeNameKind::kDate},
    {"DEC", TypeNameKind::kDecimal, 2},
    {"DECIMAL", TypeNameKind::kDecimal, 2},
    {"DOUBLE", TypeNameKind::kDouble},
    {"FLOAT", TypeNameKind::kFloat},
    {"INT", TypeNameKind::kInteger},
    {"INTEGER", TypeNameKind::kInteger},
    {"INTERVAL", TypeNameKind::kInterval},
    {"MAP", TypeNameKind::kMap},
    {"MULTISET", TypeNameKind::kMultiset},
    {"NUMERIC", TypeNameKind::kDecimal, 2},
    {"RAW", TypeNameKind::kRaw},
    {"REAL", TypeNameKind::kFloat},
    {"ROW", TypeNameKind::kRow},
    {"SMALLINT", TypeNameKind::kSmallInt},
    {"STRING", TypeNameKind::kString},
    {"TIME", TypeNameKind::kTime, 1},
    {"TIMESTAMP", TypeNameKind::kTimestamp, 1},
    {"TIMESTAMP_LTZ", TypeNameKind::kTimestampLtz, 1},
    {"TINYINT", TypeNameKind::kTinyInt},
    {"VARBINARY", TypeNameKind::kVarBinary, 1},
    {"VARCHAR", TypeNameKind::kVarChar, 1},
    {"VARIANT", TypeNameKind::kVariant},
});

struct UnitWord {
  std::string_view word;
  TimeUnit unit;
};

constexpr auto kUnitWords = std::to_array<UnitWord>({
    {"YEAR", TimeUnit::kYear},
    {"YEARS", TimeUnit::kYear},
    {"QUARTER", TimeUnit::kQuarter},
    {"QUARTERS", TimeUnit::kQuarter},
    {"MONTH", TimeUnit::kMonth},
    {"MONTHS", TimeUnit::kMonth},
    {"WEEK", TimeUnit::kWeek},
    {"WEEKS", TimeUnit::kWeek},
    {"DAY", TimeUnit::kDay},
    {"DAYS", TimeUnit::kDay},
    {"HOUR", TimeUnit::kHour},
    {"HOURS", TimeUnit::kHour},
    {"MINUTE", TimeUnit::kMinute},
    {"MINUTES", TimeUnit::kMinute},
    {"SECOND", TimeUnit::kSecond},
    {"SECONDS", TimeUnit::kSecond},
    {"MILLISECOND", TimeUnit::kMillisecond},
    {"MICROSECOND", TimeUnit::kMicrosecond},
    {"NANOSECOND", TimeUnit::kNanosecond},
    {"DOW", TimeUnit::kDayOfWeek},
    {"DOY", TimeUnit::kDayOfYear},
    {"ISODOW", TimeUnit::kIsoDayOfWeek},
    {"ISOYEAR", TimeUnit::kIsoYear},
    {"EPOCH", TimeUnit::kEpoch},
    {"DECADE", TimeUnit::kDecade},
    {"CENTURY", TimeUnit::kCentury},
    {"MILLENNIUM", TimeUnit::kMillennium},
});

constexpr auto kOdbcUnitWords = std::to_array<UnitWord>({
    {"SQL_TSI_YEAR", TimeUnit::kYear},
    {"SQL_TSI_QUARTER", TimeUnit::kQuarter},
    {"SQL_TSI_MONTH", TimeUnit::kMonth},
    {"SQL_TSI_WEEK", TimeUnit::kWeek},
    {"SQL_TSI_DAY", TimeUnit::kDay},
    {"SQL_TSI_HOUR", TimeUnit::kHour},
    {"SQL_TSI_MINUTE", TimeUnit::kMinute},
    {"SQL_TSI_SECOND", TimeUnit::kSecond},
    {"SQL_TSI_MICROSECOND", TimeUnit::kMicrosecond},
    {"SQL_TSI_FRAC_SECOND", TimeUnit::kMicrosecond},
    {"FRAC_SECOND", TimeUnit::kMicrosecond},
});

/// Whether an INTERVAL may be measured in the unit.
bool is_interval_unit(TimeUnit unit) {
  return unit <= TimeUnit::kSecond;
}

std::string nearest_type(const Token& token) {
  std::vector<std::string> words;
  for (const auto& type : kTypeWords) words.emplace_back(type.word);
  return token.text.size() > 40 ? std::string() : did_you_mean(token.text, words);
}

}  // namespace

TypeName Parser::seal(TypeName type, SourceSpan span) {
  type.span = span;
  for (const auto& child : type.children) type.height = std::max(type.height, child.height + 1);
  if (type.height > kMaxTreeHeight) error(span, "this type is nested too deeply");
  return type;
}

// type := simple { ARRAY | MULTISET | [NOT] NULL }; NULL ON … is a clause of the JSON function around it.
TypeName Parser::type_name() {
  const Nesting nesting(*this);
  const Token& first = peek();
  TypeName type = simple_type();
  while (!failed_) {
    if (accept_words({"NOT", "NULL"})) {
      type.nullable = false;
    } else if (!at_word("ON", 1) && accept_word("NULL")) {
      type.nullable = true;
    } else if (at_any_word({"ARRAY", "MULTISET"})) {
      TypeName outer;
      outer.kind = at_word("ARRAY") ? TypeNameKind::kArray : TypeNameKind::kMultiset;
      advance();
      outer.children.push_back(std::move(type));
      type = seal(std::move(outer), since(first));
    } else {
      break;
    }
    type.span = since(first);
  }
  return type;
}

TypeName Parser::simple_type() {
  const Token& first = peek();
  if (first.kind != TokenKind::kWord) {
    error_expected("a type");
    return {};
  }
  return seal(named_type(first), since(first));
}

TypeName Parser::named_type(const Token& first) {
  TypeName type;
  for (const auto& [word, kind, parameters] : kTypeWords) {
    if (!accept_word(word)) continue;
    type.kind = kind;
    if (kind == TypeNameKind::kChar && accept_word("VARYING")) type.kind = TypeNameKind::kVarChar;
    if (kind == TypeNameKind::kBinary && accept_word("VARYING")) type.kind = TypeNameKind::kVarBinary;
    if (kind == TypeNameKind::kDouble) accept_word("PRECISION");
    if (parameters > 0) type_parameters(type, parameters);
    if (kind == TypeNameKind::kTime || kind == TypeNameKind::kTimestamp) time_type(type);
    if (kind == TypeNameKind::kArray || kind == TypeNameKind::kMultiset) {
      expect("<", "and the type of the elements");
      type.children.push_back(type_name());
      close_angle();
    }
    if (kind == TypeNameKind::kMap) map_type(type);
    if (kind == TypeNameKind::kRow) row_fields(type);
    if (kind == TypeNameKind::kRaw) raw_type(type);
    if (kind == TypeNameKind::kInterval) type.interval = interval_units();
    return type;
  }
  if (first.use == WordUse::kClause)
    error_expected("a type");
  else
    unknown_type(first, type);
  return type;
}

/// A misspelt type is told apart from what comes behind it, so that the other errors of the statement are
/// found, too.
void Parser::unknown_type(const Token& word, TypeName& type) {
  if (!failed_)
    diagnostics_.error(word.span,
                       fmt::format("'{}' is no type{}", word.text.substr(0, 40), nearest_type(word)));
  type.kind = TypeNameKind::kUnknown;
  advance();
  type_parameters(type, 2);
}

/// `ARRAY<INT>=`… cannot be in a valid text, so `>` always stands alone.
void Parser::close_angle() {
  expect(">", "to close the type");
}

// parameters := [ '(' n { ',' n } ')' ]
void Parser::type_parameters(TypeName& type, std::size_t most) {
  if (!accept("(")) return;
  do {
    type.parameters.push_back(integer("a number"));
  } while (accept(",") && type.parameters.size() < most);
  expect(")");
}

// time := [ ( WITHOUT | WITH [ LOCAL ] ) TIME ZONE ]
void Parser::time_type(TypeName& type) {
  const Token& first = peek();
  if (accept_words({"WITHOUT", "TIME", "ZONE"})) return;
  if (type.kind == TypeNameKind::kTimestamp && accept_words({"WITH", "LOCAL", "TIME", "ZONE"})) {
    type.kind = TypeNameKind::kTimestampLtz;
  } else if (at_words({"WITH", "TIME", "ZONE"})) {
    error(join(first.span, peek(2).span), "a time that carries its own zone is not a type of Flink SQL",
          "use TIMESTAMP_LTZ, a point in time");
  }
}

void Parser::map_type(TypeName& type) {
  expect("<", "and the types of key and value");
  type.children.push_back(type_name());
  expect(",", "between the types of key and value");
  type.children.push_back(type_name());
  close_angle();
}

// row := ROW ( '<' field { ',' field } '>' | '(' field { ',' field } ')' | '<>' )
void Parser::row_fields(TypeName& type) {
  if (accept("<>")) return;
  const std::string_view close = at("(") ? ")" : ">";
  if (!accept("(")) expect("<", "and the fields of the row");
  if (accept(close)) return;
  do {
    type.fields.push_back(row_field(type, close));
  } while (accept(","));
  if (!accept(close)) error_expected(fmt::format("',' or '{}' after the field", close));
}

// field := [ name ] type [ 'comment' ]; fields without names are called f0, f1, …
TypeName::Field Parser::row_field(TypeName& type, std::string_view close) {
  TypeName::Field field;
  const bool unnamed = at(",", 1) || at(close, 1) || at("(", 1) || at("<", 1);
  if (unnamed) {
    field.name = {fmt::format("f{}", type.fields.size()), {peek().span.begin, peek().span.begin}};
  } else {
    field.name = identifier("a field's name");
  }
  type.children.push_back(type_name());
  if (peek().kind == TokenKind::kString) field.comment = string_word("the comment");
  return field;
}

void Parser::raw_type(TypeName& type) {
  expect("(");
  string_word("the class in quotes");
  expect(",");
  string_word("the serializer in quotes");
  expect(")");
  type.kind = TypeNameKind::kRaw;
}

// units := unit [ '(' n [ ',' n ] ')' ] [ TO unit [ '(' n ')' ] ]
IntervalUnits Parser::interval_units() {
  IntervalUnits units;
  const Token& first = peek();
  const auto from = accept_unit();
  if (!from || !is_interval_unit(*from)) {
    error_expected("a unit: YEAR, MONTH, DAY, HOUR, MINUTE or SECOND",
                   {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"});
    return units;
  }
  units.from = *from;
  if (accept("(")) {
    units.leading_precision = integer("the number of digits");
    if (accept(",")) units.fraction_precision = integer("the number of digits");
    expect(")");
  }
  if (!accept_word("TO")) return units;
  units.to = accept_unit();
  if (!units.to) error_expected("a unit", {"MONTH", "HOUR", "MINUTE", "SECOND"});
  if (units.to && accept("(")) {
    units.fraction_precision = integer("the number of digits");
    expect(")");
  }
  const bool months = units.from == TimeUnit::kYear && units.to == TimeUnit::kMonth;
  const bool days =
      units.from >= TimeUnit::kDay && units.to && *units.to > units.from && is_interval_unit(*units.to);
  if (!months && !days) error(since(first), "no interval runs from this unit to that one");
  return units;
}

std::optional<TimeUnit> Parser::accept_unit() {
  for (const auto& [word, unit] : kUnitWords) {
    if (accept_word(word)) return unit;
  }
  return std::nullopt;
}

/// ODBC's names, which TIMESTAMPADD and TIMESTAMPDIFF take as well.
std::optional<TimeUnit> Parser::accept_odbc_unit() {
  for (const auto& [word, unit] : kOdbcUnitWords) {
    if (accept_word(word)) return unit;
  }
  return std::nullopt;
}

}  // namespace leat::sql
