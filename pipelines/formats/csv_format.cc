#include "pipelines/formats/csv_format.h"

#include <algorithm>

#include "pipelines/formats/csv_decoder.h"
#include "pipelines/formats/csv_encoder.h"
#include "pipelines/formats/csv_options.h"
#include "pipelines/formats/file_encoder.h"
#include "pipelines/formats/format_options.h"

namespace leat::formats {
namespace {

constexpr std::string_view kPrefix = "csv.";

/// A field holds a scalar, or an ARRAY or ROW of scalars, whose elements stand between delimiters.
bool writable(const Type& type) {
  if (!type.is_nested()) return true;
  if (type.kind() != TypeKind::kArray && type.kind() != TypeKind::kRow) return false;
  for (const Type::Field& field : type.fields())
    if (field.type.is_nested()) return false;
  return true;
}

void check_characters(const CsvOptions& options, std::vector<OptionError>& errors) {
  const auto check = [&](std::string_view key, std::string_view value) {
    if (value.size() == 1 && static_cast<unsigned char>(value[0]) < 0x80) return;
    errors.push_back(
        {std::string(key), OptionError::Part::kValue,
         "'" + std::string(key) + "' must be a single ASCII character, not '" + std::string(value) + "'"});
  };
  if (options.field_delimiter != "\\t") check("csv.field-delimiter", options.field_delimiter);
  check("csv.quote-character", options.quote_character);
  if (options.escape_character) check("csv.escape-character", *options.escape_character);
  if (options.array_element_delimiter.empty())
    errors.push_back({"csv.array-element-delimiter", OptionError::Part::kValue,
                      "'csv.array-element-delimiter' must not be empty"});
}

/// Two meanings of one character: what is written with them could not be read again. An escape that is the
/// quote doubles it, which is the usual way.
void check_clashes(const CsvOptions& options, std::vector<OptionError>& errors) {
  const auto refuse = [&](const std::string& key, const std::string& what) {
    errors.push_back({key, OptionError::Part::kValue, "'" + key + "' must not be " + what});
  };
  const auto check = [&](const std::string& key, char character) {
    const std::string delimiter = "csv.field-delimiter";
    if (character == '\n' || character == '\r')
      refuse(key, "a line end, which ends the record");
    else if (key != delimiter && character != '\0' && character == options.delimiter())
      refuse(key, "the character of '" + delimiter + "'");
  };
  check("csv.field-delimiter", options.delimiter());
  check("csv.quote-character", options.quote());
  check("csv.escape-character", options.escape());
}

/// A text that is written without quotes, and found again only if nothing in it has another meaning.
void check_plain(const CsvOptions& options, const std::string& key, std::string_view text,
                 std::vector<OptionError>& errors) {
  const std::string special{'\r', '\n', options.delimiter(), options.quote()};
  if (text.find_first_of(special) == std::string_view::npos) return;
  errors.push_back({key, OptionError::Part::kValue,
                    "'" + key + "' must not hold the delimiter, the quote character or a line end" +
                        (options.disable_quote_character ? ", as nothing is quoted" : "")});
}

CsvOptions read_checked(const OptionMap& all, std::vector<OptionError>& errors) {
  const OptionMap own = options_with_prefix(all, kPrefix);
  const CsvOptions options = csv_options().read(own, {}, errors);
  std::vector<OptionError> wrong;
  check_characters(options, wrong);
  if (wrong.empty()) {
    check_clashes(options, wrong);
    check_plain(options, "csv.null-literal", options.null_literal.value_or(""), wrong);
  }
  errors.insert(errors.end(), wrong.begin(), wrong.end());
  if (options.disable_quote_character && own.contains("csv.quote-character"))
    errors.push_back({"csv.quote-character", OptionError::Part::kKey,
                      "'csv.quote-character' cannot be set when 'csv.disable-quote-character' is true"});
  return options;
}

/// Elements are in quotes where what stands between them needs it, unless there are none.
void check_elements(const CsvOptions& options, const Schema& schema, std::vector<OptionError>& errors) {
  const auto nested = [](const Type::Field& column) { return column.type.is_nested(); };
  if (options.quote() != '\0' || std::ranges::none_of(schema.fields, nested)) return;
  check_plain(options, "csv.array-element-delimiter", options.array_element_delimiter, errors);
}

void validate(const OptionMap& all, const Schema& schema, std::vector<OptionError>& errors) {
  const std::size_t before = errors.size();
  const CsvOptions options = read_checked(all, errors);
  if (errors.size() == before) check_elements(options, schema, errors);
  for (const Type::Field& column : schema.fields)
    if (!writable(column.type))
      errors.push_back({"format", OptionError::Part::kValue,
                        "format 'csv' cannot hold column '" + column.name + "' of type " +
                            column.type.to_string() + ": a field is a value, or an ARRAY or ROW of values"});
}

Result<CsvOptions> read_options(const OptionMap& all) {
  std::vector<OptionError> errors;
  const CsvOptions options = read_checked(all, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return options;
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  LEAT_ASSIGN(const CsvOptions options, read_options(all));
  return std::make_unique<CsvDecoder>(options, request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& all, const Schema& schema) {
  LEAT_ASSIGN(const CsvOptions options, read_options(all));
  auto encoder = std::make_unique<CsvEncoder>(options, schema);
  if (!goes_into_files(all)) return encoder;
  return make_file_encoder(std::move(encoder),
                           [records = CsvRecords(options)](std::string_view bytes, Behind behind) {
                             return records.first(bytes, behind);
                           });
}

Result<RecordSplitter> make_splitter(const OptionMap& all) {
  LEAT_ASSIGN(const CsvOptions options, read_options(all));
  return [records = CsvRecords(options)](std::string_view bytes, Behind behind) {
    return records.whole(bytes, behind);
  };
}

Result<RecordSplitter> header_splitter(const OptionMap& all) {
  LEAT_ASSIGN(const CsvOptions options, read_options(all));
  return [records = CsvRecords(options)](std::string_view bytes, Behind behind) {
    return records.header(bytes, behind);
  };
}

Result<std::string> make_header(const OptionMap& all, const Schema& schema) {
  LEAT_ASSIGN(const CsvOptions options, read_options(all));
  return CsvEncoder(options, schema).header(schema);
}

}  // namespace

const OptionTable<CsvOptions>& csv_options() {
  using Options = CsvOptions;
  constexpr auto kOptional = Necessity::kOptional;
  static const OptionTable<Options> table{
      option("csv.field-delimiter", &Options::field_delimiter, kOptional,
             "The character between fields; '\\t' is the tabulator."),
      option("csv.disable-quote-character", &Options::disable_quote_character, kOptional,
             "Fields are never quoted, and quotes in them mean nothing."),
      option("csv.quote-character", &Options::quote_character, kOptional,
             "The character that encloses a field; inside, it is doubled."),
      option("csv.allow-comments", &Options::allow_comments, kOptional,
             "Lines that begin with # are left out. They count as empty."),
      option("csv.ignore-parse-errors", &Options::ignore_parse_errors, kOptional,
             "A field that cannot be read becomes NULL, and a line that cannot be split is left out and "
             "counted."),
      option("csv.array-element-delimiter", &Options::array_element_delimiter, kOptional,
             "What stands between the elements of an ARRAY and the fields of a ROW."),
      option("csv.escape-character", &Options::escape_character, kOptional,
             "The character that takes the meaning from the next one. None by default."),
      option("csv.null-literal", &Options::null_literal, kOptional,
             "The text that stands for NULL. By default NULL is written as an empty field, and no text is "
             "read as "
             "NULL."),
      option("csv.write-bigdecimal-in-scientific-notation", &Options::scientific_decimals, kOptional,
             "Writes large and small DECIMALs in scientific notation (100 as 1E+2)."),
      option("csv.trim-spaces", &Options::trim_spaces, kOptional,
             "Cuts blanks before and behind fields that are not quoted."),
      option("csv.ignore-trailing-unmappable", &Options::ignore_trailing_unmappable, kOptional,
             "A line may have more fields than the table has columns; those behind are ignored."),
      option("csv.allow-trailing-comma", &Options::allow_trailing_comma, kOptional,
             "A delimiter may stand behind the last field."),
      option("csv.fail-on-missing-columns", &Options::fail_on_missing_columns, kOptional,
             "A line with fewer fields than the table has columns is bad. By default the rest is NULL."),
      option("csv.empty-string-as-null", &Options::empty_string_as_null, kOptional,
             "An empty field that is not quoted is read as NULL.")};
  return table;
}

Format csv_format() {
  return {.name = "csv",
          .doc =
              "Comma-separated values (RFC 4180): one record per line (more if a quoted field has "
              "line breaks), the columns in the table's order, or by the names in the first line "
              "('file.header').",
          .options = [] { return csv_options().docs(); },
          .validate = validate,
          .make_decoder = make_decoder,
          .make_encoder = make_encoder,
          .make_splitter = make_splitter,
          .header_splitter = header_splitter,
          .make_header = make_header,
          .separator = "\n",
          .content_type = "text/csv"};
}

}  // namespace leat::formats
