#include <algorithm>

#include "format_fixture.h"

namespace leat::formats {
namespace {

std::string first_error(const std::string& format, const OptionMap& options, const Schema& schema = {}) {
  std::vector<OptionError> errors;
  find_format(format)->validate(options, schema, errors);
  return errors.empty() ? "" : errors[0].message;
}

TEST_CASE("formats are found by the name that SQL uses") {
  CHECK(find_format("json")->name == "json");
  CHECK(find_format("csv")->content_type == "text/csv");
  CHECK(find_format("JSON") == nullptr);
}

TEST_CASE("every option of a format has its prefix and a full sentence") {
  for (const Format& format : all_formats())
    for (const OptionDoc& doc : format.options()) {
      CHECK(doc.key.starts_with(format.name + "."));
      CHECK(doc.doc.ends_with("."));
    }
}

TEST_CASE("an unknown option of a format is an error that names the nearest") {
  const std::string error = first_error("json", {{"json.ignore-parse-error", "true"}, {"topic", "x"}});
  CHECK(error.find("json.ignore-parse-errors") != std::string::npos);
  CHECK(first_error("csv", {{"csv.header", "true"}}) != "");
}

TEST_CASE("options that contradict each other are refused") {
  CHECK(first_error("json", {{"json.fail-on-missing-field", "true"}, {"json.ignore-parse-errors", "true"}}) !=
        "");
  CHECK(first_error("csv", {{"csv.disable-quote-character", "true"}, {"csv.quote-character", "'"}}) != "");
  CHECK(first_error("csv", {{"csv.field-delimiter", "::"}}) != "");
  CHECK(first_error("csv", {{"csv.field-delimiter", "\\t"}}) == "");
}

TEST_CASE("a CSV character has one meaning") {
  const auto key_of = [](const OptionMap& options) {
    std::vector<OptionError> errors;
    find_format("csv")->validate(options, {}, errors);
    return errors.size() == 1 ? errors[0].key : std::string();
  };
  CHECK(key_of({{"csv.quote-character", ","}}) == "csv.quote-character");
  CHECK(key_of({{"csv.escape-character", ";"},
                {"csv.field-delimiter", ";"},
                {"csv.array-element-delimiter", "|"}}) == "csv.escape-character");
  CHECK(key_of({{"csv.null-literal", "a,b"}}) == "csv.null-literal");
  CHECK(key_of({{"csv.field-delimiter", "\n"}}) == "csv.field-delimiter");
  CHECK(first_error("csv", {{"csv.escape-character", "\""}}) == "");
  CHECK(first_error("csv", {{"csv.field-delimiter", ";"}}) == "");
  CHECK(first_error("csv", {{"csv.field-delimiter", "\""}, {"csv.disable-quote-character", "true"}}) == "");
}

TEST_CASE("elements between delimiters need quotes around them") {
  const Schema list{{{"a", Type::array(Type::integer())}}};
  const Schema plain{{{"n", Type::integer()}}};
  OptionMap options{{"csv.field-delimiter", ";"}};
  CHECK(first_error("csv", options, list) == "");
  options["csv.disable-quote-character"] = "true";
  CHECK(first_error("csv", options, plain) == "");
  CHECK(first_error("csv", options, list) ==
        "'csv.array-element-delimiter' must not hold the delimiter, the quote character or a line end, as "
        "nothing is quoted");
}

TEST_CASE("types that a format cannot hold are refused with the column's name") {
  const Schema keyed{{{"m", Type::map(Type::integer(), Type::string())}}};
  CHECK(first_error("json", {}, keyed).find("'m'") != std::string::npos);
  CHECK(first_error("csv", {}, keyed)
            .starts_with("format 'csv' cannot hold column 'm' of type MAP<INT, STRING>"));
  CHECK(first_error("json", {}, {{{"a", Type::array(Type::array(Type::integer()))}}}) == "");
  CHECK(first_error("csv", {}, {{{"a", Type::array(Type::array(Type::integer()))}}}) != "");
}

}  // namespace
}  // namespace leat::formats
