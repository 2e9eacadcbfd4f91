#include "pipelines/plan/settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <functional>
#include <vector>

#include "pipelines/base/nearest.h"
#include "pipelines/column/zone.h"

namespace leat::plan {
namespace {

using Check = std::function<Status(std::string_view)>;

/// Any value that `option_text` reads into a T.
template <class T>
Status readable(std::string_view value) {
  T read{};
  return option_text::read(value, read);
}

Status any_text(std::string_view value) {
  return value.empty() ? Status(fail(ErrorCode::kInvalid, "expected a text that is not empty")) : Status();
}

Status positive_duration(std::string_view value) {
  LEAT_ASSIGN(const Micros duration, parse_duration(value));
  if (duration.count() <= 0) return fail(ErrorCode::kInvalid, "expected a duration longer than 0");
  return {};
}

Status positive_integer(std::string_view value) {
  std::uint32_t number = 0;
  LEAT_TRY(option_text::read(value, number));
  if (number == 0) return fail(ErrorCode::kInvalid, "expected a number above 0");
  return {};
}

Status time_zone(std::string_view value) {
  if (value == "default" || Zone::find(value)) return {};
  return fail(ErrorCode::kInvalid,
              "expected the name of a time zone, such as 'Europe/Berlin' or 'UTC', or an offset, such as "
              "'GMT-08:00'");
}

Status multiplier(std::string_view value) {
  double number = 0;
  LEAT_TRY(option_text::read(value, number));
  if (number >= 1 && std::isfinite(number)) return {};
  return fail(ErrorCode::kInvalid, "expected a number of 1 or more");
}

Status fraction(std::string_view value) {
  double number = 0;
  LEAT_TRY(option_text::read(value, number));
  if (number >= 0 && number <= 1) return {};
  return fail(ErrorCode::kInvalid, "expected a number from 0 to 1");
}

/// A setting that takes one of `words`; those of `others` are further spellings, which nobody needs to learn.
Setting choice(std::string key, std::vector<std::string> words, std::string doc,
               std::vector<std::string> others = {}) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "one of '" : ", '") + word + "'";
  words.insert(words.end(), others.begin(), others.end());
  const auto check = [words = std::move(words), list](std::string_view value) -> Status {
    if (std::ranges::find(words, small_letters(value)) != words.end()) return {};
    return fail(ErrorCode::kInvalid, "expected " + list);
  };
  return {std::move(key), list, SettingEffect::kUsed, std::move(doc), check, true};
}

std::vector<Setting> engine_settings() {
  using enum SettingEffect;
  return {
      {"pipeline.name", "string", kUsed, "Name of the pipeline; default: the file's.", any_text},
      choice("execution.runtime-mode", {"streaming", "batch", "automatic"},
             "'batch' wants bounded sources only; 'automatic' is 'batch' where all that is read has an end, "
             "else 'streaming'."),
      {"execution.checkpointing.interval", "duration", kUsed, "How often results and state are committed.",
       positive_duration},
      {"table.local-time-zone", "time zone", kUsed,
       "The session's wall clock: casts of TIMESTAMP_LTZ, windows over it; 'default': the host's zone.",
       time_zone},
      {"table.exec.source.idle-timeout", "duration", kUsed,
       "A source without rows for so long does not hold back the watermark; 0: never.", readable<Micros>},
      {"table.exec.state.ttl", "duration", kUsed,
       "State that no row has written for so long is dropped; 0: never. Windows drop theirs when they fire.",
       readable<Micros>},
      {"leat.match.max-partial-matches", "integer", kUsed,
       "The most partial matches of one partition of MATCH_RECOGNIZE; the newest one is given up and "
       "counted. Default: 10000.",
       positive_integer},
      {"leat.memory.max", "bytes", kUsed, "The most that the pipeline's state may take.", readable<ByteSize>},
      {"leat.state.max-keys", "integer", kUsed,
       "The most keys that each operator's state may hold; a pipeline that needs more fails.",
       positive_integer},
      choice("leat.on-row-error", {"dead-letter", "fail"},
             "What a row that cannot be computed does; Flink fails."),
      {"leat.late-rows", "table", kUsed,
       "Table that takes the rows that come too late, its columns filled by name; without it they are only "
       "counted.",
       any_text},
  };
}

std::vector<Setting> emit_settings() {
  using enum SettingEffect;
  const std::string emit = "table.exec.emit.";
  return {
      {emit + "early-fire.enabled", "boolean", kUsed,
       "GROUP BY TUMBLE(ts, …) and HOP(ts, …) give results before their windows end, which they update "
       "later.",
       readable<bool>},
      {emit + "early-fire.delay", "duration", kUsed,
       "How often, by the gateway's clock from a window's first row on; 0: with each row.", readable<Micros>},
      {emit + "late-fire.enabled", "boolean", kUsed,
       "GROUP BY TUMBLE(ts, …) and HOP(ts, …) take rows that come late, too, and update their results.",
       readable<bool>},
      {emit + "late-fire.delay", "duration", kUsed,
       "How often, by the gateway's clock from a window's first late row on; 0: with each row.",
       readable<Micros>},
      {emit + "allow-lateness", "duration", kUsed,
       "How far behind a window's end the watermark may be for its late rows; default: table.exec.state.ttl.",
       readable<Micros>},
  };
}

std::vector<Setting> sink_settings() {
  return {
      choice("table.exec.sink.not-null-enforcer", {"error", "drop"},
             "What a NULL for a NOT NULL column does: the row cannot be written, or is left out silently."),
      choice(
          "table.exec.sink.type-length-enforcer", {"ignore", "trim_pad", "error"},
          "A text or binary value that does not have the length of its column is written whole, is cut and "
          "padded, or the row cannot be written."),
      choice("table.exec.sink.upsert-materialize", {"auto", "none", "force"},
             "Whether a sink with one row per key gets the last one of several that the query has."),
  };
}

std::vector<Setting> restart_settings() {
  using enum SettingEffect;
  const std::string fixed = "restart-strategy.fixed-delay.";
  const std::string growing = "restart-strategy.exponential-delay.";
  const std::string rate = "restart-strategy.failure-rate.";
  return {
      choice("restart-strategy.type", {"none", "fixed-delay", "exponential-delay", "failure-rate"},
             "When a failed pipeline starts again.",
             {"off", "disable", "fixeddelay", "exponentialdelay", "failurerate"}),
      {fixed + "attempts", "integer", kUsed, "Restarts before the pipeline stays failed.", positive_integer},
      {fixed + "delay", "duration", kUsed, "Wait before each restart.", readable<Micros>},
      {growing + "initial-backoff", "duration", kUsed, "First wait.", positive_duration},
      {growing + "max-backoff", "duration", kUsed, "Longest wait.", positive_duration},
      {growing + "backoff-multiplier", "double", kUsed, "How the wait grows.", multiplier},
      {growing + "reset-backoff-threshold", "duration", kUsed, "Running so long resets the wait.",
       positive_duration},
      {growing + "jitter-factor", "double", kUsed, "Random part of the wait, up or down.", fraction},
      {growing + "attempts-before-reset-backoff", "integer", kUsed,
       "Restarts for the same error before the pipeline stays failed; what the system refuses (a full disk, "
       "a file's owner) is tried for ever.",
       positive_integer},
      {rate + "delay", "duration", kUsed, "Wait before each restart.", readable<Micros>},
      {rate + "failure-rate-interval", "duration", kUsed, "The time over which failures are counted.",
       positive_duration},
      {rate + "max-failures-per-interval", "integer", kUsed,
       "Failures within that time before the pipeline stays failed.", positive_integer},
  };
}

std::vector<Setting> cluster_settings() {
  using enum SettingEffect;
  return {
      {"parallelism.default", "integer", kNone, "A pipeline runs on one thread.", readable<std::int64_t>},
      {"pipeline.auto-watermark-interval", "duration", kNone, "Watermarks follow each row.",
       readable<Micros>},
      {"table.exec.mini-batch.enabled", "boolean", kNone, "Rows always run in small batches.",
       readable<bool>},
      {"table.exec.mini-batch.allow-latency", "duration", kNone, "Batches never wait.", readable<Micros>},
      {"table.exec.mini-batch.size", "integer", kNone, "Batches have a size of their own.",
       readable<std::int64_t>},
      {"table.exec.unbounded-over.version", "integer", kNone, "There is one version.",
       readable<std::int64_t>},
      {"table.exec.legacy-cast-behaviour", "string", kNone, "Casts are those of Flink since 1.15.", any_text},
      {"table.exec.sink.require-on-conflict", "boolean", kNone, "The materializer needs no ON CONFLICT.",
       readable<bool>},
      {"table.optimizer.*", "string", kNone, "The plan has few ways to choose from.", any_text},
      {"table.dml-sync", "boolean", kNone, "A pipeline always runs to its end.", readable<bool>},
      {"execution.checkpointing.mode", "string", kNone, "Commits are exactly-once.", any_text},
      {"execution.checkpointing.timeout", "duration", kNone, "A commit is one transaction.",
       readable<Micros>},
      {"execution.checkpointing.min-pause", "duration", kNone, "A commit is one transaction.",
       readable<Micros>},
      {"state.backend.type", "string", kNone, "State is in memory and in the store.", any_text},
      {"sql-client.*", "string", kNone, "Of Flink's own client.", any_text},
  };
}

std::vector<Setting> make_settings() {
  std::vector<Setting> all = engine_settings();
  for (auto&& part : {sink_settings(), emit_settings(), restart_settings(), cluster_settings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

std::span<const Setting> all_settings() {
  static const std::vector<Setting> settings = make_settings();
  return settings;
}

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : all_settings()) {
    const std::string_view known = setting.key;
    if (known == key) return &setting;
    if (known.ends_with(".*") && key.starts_with(known.substr(0, known.size() - 1))) return &setting;
  }
  return nullptr;
}

std::string small_letters(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string unknown_setting(std::string_view key) {
  std::vector<std::string> known;
  for (const Setting& setting : all_settings()) known.push_back(setting.key);
  return "unknown setting '" + std::string(key) + "'" + did_you_mean(key, known);
}

namespace {

template <class T>
void read_if_set(const OptionMap& settings, const char* key, T& value) {
  if (const auto found = settings.find(key); found != settings.end())
    (void)option_text::read(found->second, value);
}

std::optional<Micros> duration_of(const OptionMap& settings, const char* key) {
  const auto found = settings.find(key);
  if (found == settings.end()) return std::nullopt;
  return parse_duration(found->second).value_or(Micros(0));
}

EmitSettings read_emit(const OptionMap& settings) {
  EmitSettings emit;
  read_if_set(settings, "table.exec.emit.early-fire.enabled", emit.early);
  read_if_set(settings, "table.exec.emit.late-fire.enabled", emit.late);
  emit.early_delay = duration_of(settings, "table.exec.emit.early-fire.delay");
  emit.late_delay = duration_of(settings, "table.exec.emit.late-fire.delay");
  emit.lateness = duration_of(settings, "table.exec.emit.allow-lateness");
  return emit;
}

}  // namespace

PlanSettings read_settings(const OptionMap& settings) {
  PlanSettings read;
  if (const auto zone = settings.find("table.local-time-zone"); zone != settings.end())
    read.time_zone = zone->second;
  read.source_idle_timeout = duration_of(settings, "table.exec.source.idle-timeout").value_or(Micros(0));
  read.state_ttl = duration_of(settings, "table.exec.state.ttl").value_or(Micros(0));
  read_if_set(settings, "leat.match.max-partial-matches", read.max_partial_matches);
  read.emit = read_emit(settings);
  const auto is = [&](const char* key, std::string_view word) {
    const auto found = settings.find(key);
    return found != settings.end() && found->second == word;
  };
  if (is("table.exec.sink.not-null-enforcer", "drop")) read.not_null = NotNullEnforcer::kDrop;
  if (is("table.exec.sink.type-length-enforcer", "trim_pad")) read.length = LengthEnforcer::kTrimPad;
  if (is("table.exec.sink.type-length-enforcer", "error")) read.length = LengthEnforcer::kError;
  if (is("table.exec.sink.upsert-materialize", "none")) read.upsert_materialize = UpsertMaterialize::kNone;
  if (is("table.exec.sink.upsert-materialize", "force")) read.upsert_materialize = UpsertMaterialize::kForce;
  if (const auto mode = settings.find("execution.runtime-mode"); mode != settings.end())
    read.batch = mode->second == "batch";
  if (const auto late = settings.find("leat.late-rows"); late != settings.end())
    read.late_rows = late->second;
  return read;
}

}  // namespace leat::plan
