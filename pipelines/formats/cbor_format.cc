#include "pipelines/formats/cbor_format.h"

#include "pipelines/formats/cbor_decoder.h"
#include "pipelines/formats/cbor_encoder.h"
#include "pipelines/formats/cbor_options.h"
#include "pipelines/formats/format_options.h"

namespace leat::formats {
namespace {

constexpr std::string_view kPrefix = "cbor.";
constexpr std::size_t kLongestItem = 16U << 20;  // In a file.

CborOptions read_checked(const OptionMap& all, std::vector<OptionError>& errors) {
  const CborOptions options = cbor_options().read(options_with_prefix(all, kPrefix), {}, errors);
  if (options.fail_on_missing_field && options.ignore_parse_errors)
    errors.push_back({"cbor.fail-on-missing-field", OptionError::Part::kKey,
                      "'cbor.fail-on-missing-field' and 'cbor.ignore-parse-errors' cannot both be true"});
  return options;
}

void validate(const OptionMap& all, const Schema& /*schema*/, std::vector<OptionError>& errors) {
  read_checked(all, errors);
}

Result<CborOptions> read_options(const OptionMap& all) {
  std::vector<OptionError> errors;
  const CborOptions options = read_checked(all, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return options;
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  LEAT_ASSIGN(const CborOptions options, read_options(all));
  return std::make_unique<CborDecoder>(options, request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& all, const Schema& schema) {
  LEAT_ASSIGN(const CborOptions options, read_options(all));
  return std::make_unique<CborEncoder>(options, schema);
}

/// Whole items; what is no CBOR, or too long for one, is a record, and found bad.
std::size_t whole_items(std::string_view bytes, Behind behind) {
  if (behind == Behind::kNothing) return bytes.size();
  CborReader in(bytes);
  std::size_t whole = 0;
  while (!in.done() && in.skip()) whole = in.position();
  if (whole > 0) return whole;
  const bool waits = in.state() != CborReader::State::kBroken && bytes.size() < kLongestItem;
  return waits ? 0 : bytes.size();
}

Result<RecordSplitter> make_splitter(const OptionMap& /*all*/) {
  return RecordSplitter(whole_items);
}

}  // namespace

const OptionTable<CborOptions>& cbor_options() {
  using Options = CborOptions;
  constexpr auto kOptional = Necessity::kOptional;
  static const OptionTable<Options> table{
      option("cbor.fail-on-missing-field", &Options::fail_on_missing_field, kOptional,
             "A record without one of the columns that are read is bad. By default the column is NULL."),
      option(
          "cbor.ignore-parse-errors", &Options::ignore_parse_errors, kOptional,
          "A field that cannot be read becomes NULL, and a record that is no CBOR is left out and counted."),
      choice(
          "cbor.timestamp-format", &Options::times,
          {{"epoch", CborTimes::kEpoch}, {"text", CborTimes::kText}}, kOptional,
          "How times are written: seconds (tag 1) and days (tag 100) since 1970, or texts (tags 0 and 1004). "
          "A TIMESTAMP counts as one in UTC. All of these are read."),
      option("cbor.encode.ignore-null-fields", &Options::ignore_null_fields, kOptional,
             "Leaves out fields of rows that are NULL. By default they are written as null.")};
  return table;
}

Format cbor_format() {
  return {.name = "cbor",
          .doc =
              "CBOR (RFC 8949): a map per row, or an array of them; in files, one behind the other. The "
              "columns are "
              "the members of the same names.",
          .options = [] { return cbor_options().docs(); },
          .validate = validate,
          .make_decoder = make_decoder,
          .make_encoder = make_encoder,
          .make_splitter = make_splitter,
          .separator = "",
          .content_type = "application/cbor",
          .text = false};
}

}  // namespace leat::formats
