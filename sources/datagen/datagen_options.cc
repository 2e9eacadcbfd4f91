#include "sources/datagen/datagen_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipelines/base/flink_option.h"

namespace leat::sources {
namespace {

using Errors = std::vector<OptionError>;

const std::vector<std::string>& attributes() {
  static const std::vector<std::string> names = {"kind",   "min",     "max",       "start",   "end",
                                                 "length", "var-len", "null-rate", "max-past"};
  return names;
}

Status read_kind(std::string_view text, FieldKind& kind) {
  if (text != "random" && text != "sequence")
    return fail(ErrorCode::kInvalid, "expected one of 'random', 'sequence'");
  kind = text == "random" ? FieldKind::kRandom : FieldKind::kSequence;
  return {};
}

Status read_rate(std::string_view text, double& rate) {
  LEAT_TRY(option_text::read(text, rate));
  if (rate < 0 || rate > 1) return fail(ErrorCode::kInvalid, "expected a number between 0 and 1");
  return {};
}

Status read_attribute(std::string_view attribute, std::string_view text, FieldSpec& spec) {
  if (attribute == "kind") return read_kind(text, spec.kind);
  if (attribute == "min") return option_text::read(text, spec.min);
  if (attribute == "max") return option_text::read(text, spec.max);
  if (attribute == "start") return option_text::read(text, spec.start);
  if (attribute == "end") return option_text::read(text, spec.end);
  if (attribute == "length") return option_text::read(text, spec.length);
  if (attribute == "var-len") return option_text::read(text, spec.var_len);
  if (attribute == "null-rate") return read_rate(text, spec.null_rate);
  return option_text::read(text, spec.max_past);
}

void read_field(const std::string& key, const std::string& text, FieldSpecs& fields, Errors& errors) {
  const std::string full = "fields." + key;
  const std::size_t dot = key.rfind('.');
  const std::string attribute = dot == std::string::npos ? key : key.substr(dot + 1);
  const auto& known = attributes();
  if (dot == std::string::npos || dot == 0 ||
      std::find(known.begin(), known.end(), attribute) == known.end()) {
    errors.push_back(
        {full, OptionError::Part::kKey,
         fmt::format("option '{}': expected fields.<column>.<attribute>, and there is no attribute "
                     "'{}'{}",
                     full, attribute, did_you_mean(attribute, known))});
    return;
  }
  const Status read = read_attribute(attribute, text, fields[key.substr(0, dot)]);
  if (!read) errors.push_back(unreadable_option(full, text, read.error(), false));
}

void check_sequences(const FieldSpecs& fields, Errors& errors) {
  for (const auto& [path, spec] : fields) {
    if (spec.kind != FieldKind::kSequence) continue;
    const std::string key = "fields." + path;
    if (!spec.start || !spec.end)
      errors.push_back({key + (spec.start ? ".end" : ".start"), OptionError::Part::kMissing,
                        fmt::format("a sequence needs '{}.start' and '{}.end'", key, key)});
    else if (*spec.end < *spec.start)
      errors.push_back({key + ".end", OptionError::Part::kValue,
                        fmt::format("option '{}.end': expected at least the start, {}", key, *spec.start)});
  }
}

}  // namespace

const OptionTable<DatagenOptions>& datagen_options() {
  using Options = DatagenOptions;
  static const OptionTable<Options> table{
      option("rows-per-second", &Options::rows_per_second, Necessity::kOptional, "Rows to make per second."),
      option("number-of-rows", &Options::number_of_rows, Necessity::kOptional,
             "End after so many rows; without it, and without a sequence, the source never ends."),
      option("seed", &Options::seed, Necessity::kOptional,
             "Another seed gives other random values; the same one gives the same rows again."),
      prefix_option(
          "fields.", &Options::field_texts,
          "fields.<column>.kind ('random' or 'sequence'), .min, .max, .length, .var-len, .null-rate, "
          ".max-past for random ones, .start and .end for sequences."),
      flink_option<Options, std::uint32_t>("scan.parallelism", "One thread makes the rows, in their order.")};
  return table;
}

DatagenOptions read_datagen_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                    Errors& errors) {
  DatagenOptions options = datagen_options().read(map, foreign, errors);
  for (const auto& [key, text] : options.field_texts) read_field(key, text, options.fields, errors);
  check_sequences(options.fields, errors);
  if (options.rows_per_second == 0)
    errors.push_back(
        {"rows-per-second", OptionError::Part::kValue, "option 'rows-per-second': expected at least 1"});
  return options;
}

DatagenOptions read_datagen_options(const OptionMap& map) {
  Errors ignored;
  return read_datagen_options(map, {}, ignored);
}

std::optional<std::uint64_t> DatagenOptions::total_rows() const {
  std::optional<std::uint64_t> total = number_of_rows;
  for (const auto& [path, spec] : fields) {
    if (spec.kind != FieldKind::kSequence || !spec.start || !spec.end) continue;
    const std::uint64_t length =
        static_cast<std::uint64_t>(*spec.end) - static_cast<std::uint64_t>(*spec.start) + 1;
    total = std::min(total.value_or(length), length);
  }
  return total;
}

}  // namespace leat::sources
