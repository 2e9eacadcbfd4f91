// SET 'key' = 'value': which keys there are and what values they take. One table serves the check, the
// nearest name and the documentation. A setting is the pipeline's, wherever in the file it stands; the last
// one wins, and `--set` wins over the file.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"

namespace leat::plan {

/// Whether a setting changes what Leat does.
enum class SettingEffect : std::uint8_t {
  kUsed,
  kNone,    ///< Of a Flink cluster: accepted, so that the file runs there and here, with a warning.
  kNotYet,  ///< Leat's own or Flink's, known, and refused by this version.
};

struct Setting {
  std::string key;   ///< A trailing ".*" takes every key with that prefix.
  std::string type;  ///< "duration", "integer", "one of 'a', 'b'", …
  SettingEffect effect = SettingEffect::kUsed;
  std::string doc;
  /// Errors: invalid, with the expected form.
  std::function<Status(std::string_view value)> check;
  /// One of a few words, in any letters; the plan has them in small ones.
  bool is_choice = false;
};

/// All settings, in the order of the documentation.
std::span<const Setting> all_settings();
/// The row of a key, or null.
const Setting* find_setting(std::string_view key);
/// "unknown setting 'leat.memory' (did you mean 'leat.memory.max'?)"
std::string unknown_setting(std::string_view key);

std::string small_letters(std::string_view text);

/// 'table.exec.sink.not-null-enforcer': what a NULL for a NOT NULL column does to its row.
enum class NotNullEnforcer : std::uint8_t { kError, kDrop };
/// 'table.exec.sink.type-length-enforcer': what becomes of a text that does not have the length of its
/// column.
enum class LengthEnforcer : std::uint8_t { kIgnore, kTrimPad, kError };
/// 'table.exec.sink.upsert-materialize': when all rows of a sink's key are kept to know its last one.
enum class UpsertMaterialize : std::uint8_t {
  kAuto,  ///< When the query may hold several rows for one key.
  kNone,
  kForce,  ///< Whenever the sink keeps one row per key.
};

/// 'table.exec.emit.…', as they are written: emit_settings.h says what they mean for a window.
struct EmitSettings {
  bool early = false;  ///< 'early-fire.enabled'
  bool late = false;   ///< 'late-fire.enabled'
  std::optional<Micros> early_delay;
  std::optional<Micros> late_delay;
  std::optional<Micros> lateness;  ///< 'allow-lateness'
};

/// What the planner itself reads of checked settings.
struct PlanSettings {
  std::string time_zone = "UTC";
  Micros source_idle_timeout{0};
  std::uint64_t max_partial_matches = 10'000;
  bool batch = false;
  std::string late_rows;  ///< 'leat.late-rows'; empty: late rows are only counted.
  Micros state_ttl{0};    ///< 0: for ever.
  NotNullEnforcer not_null = NotNullEnforcer::kError;
  LengthEnforcer length = LengthEnforcer::kIgnore;
  UpsertMaterialize upsert_materialize = UpsertMaterialize::kAuto;
  EmitSettings emit;
  /// Keys whose value has an error, which is reported: they have no value here.
  std::set<std::string, std::less<>> refused;
};
/// `settings` are those of the plan: see bind_settings.
PlanSettings read_settings(const OptionMap& settings);

}  // namespace leat::plan
