#include "pipelines/plan/bind_settings.h"

#include <optional>

namespace leat::plan {
namespace {

struct Complaint {
  OptionError::Part part = OptionError::Part::kKey;
  Severity severity = Severity::kError;
  std::string message;
};

std::optional<Complaint> check(const std::string& key, const std::string& value) {
  using enum OptionError::Part;
  const Setting* setting = find_setting(key);
  if (!setting) return Complaint{kKey, Severity::kError, unknown_setting(key)};
  if (setting->effect == SettingEffect::kNotYet)
    return Complaint{kKey, Severity::kError,
                     "the setting '" + key + "' is not supported yet by this version"};
  if (const Status readable = setting->check(value); !readable)
    return Complaint{kValue, Severity::kError, "setting '" + key + "': " + readable.error().message};
  if (setting->effect == SettingEffect::kNone)
    return Complaint{kKey, Severity::kWarning,
                     "the setting '" + key + "' has no effect in Leat: " + setting->doc};
  return std::nullopt;
}

void report(const Complaint& complaint, const sql::Option& option, sql::Diagnostics& diagnostics) {
  const sql::SourceSpan span =
      complaint.part == OptionError::Part::kValue ? option.value.span : option.key.span;
  if (complaint.severity == Severity::kError)
    diagnostics.error(span, complaint.message);
  else
    diagnostics.warning(span, complaint.message);
}

void take(const std::string& key, const std::string& value, const std::optional<Complaint>& complaint,
          BoundSettings& settings) {
  const bool refused = complaint && complaint->severity == Severity::kError;
  if (refused) {
    settings.refused.insert(key);
    settings.values.erase(key);
  } else {
    settings.refused.erase(key);
    settings.values[key] = value;
  }
}

void set(const sql::SetStatement& statement, BoundSettings& settings, sql::Diagnostics& diagnostics) {
  if (!statement.option)
    return diagnostics.error(statement.span, "SET alone lists settings and has no place in a pipeline",
                             "write SET 'key' = 'value'");
  const sql::Option& option = *statement.option;
  const std::optional<Complaint> complaint = check(option.key.text, option.value.text);
  if (complaint) report(*complaint, option, diagnostics);
  take(option.key.text, option.value.text, complaint, settings);
}

void reset(const sql::ResetStatement& statement, OptionMap& settings, sql::Diagnostics& diagnostics) {
  if (!statement.key) return settings.clear();
  if (!find_setting(statement.key->text))
    diagnostics.error(statement.key->span, unknown_setting(statement.key->text));
  settings.erase(statement.key->text);
}

void override_with(const OptionMap& overrides, BoundSettings& settings, std::vector<Message>& messages) {
  for (const auto& [key, value] : overrides) {
    const std::optional<Complaint> complaint = check(key, value);
    if (complaint) {
      const std::string kind = complaint->severity == Severity::kError ? "error: " : "warning: ";
      messages.push_back(
          {.severity = complaint->severity,
           .text = complaint->message,
           .rendered = "--set " + key + "=" + value + ": " + kind + complaint->message + "\n"});
    }
    take(key, value, complaint, settings);
  }
}

/// What the words of checked settings stand for, so that nobody behind the planner has to know: choices in
/// small letters, the host's time zone by its name.
void resolve(OptionMap& settings, const PlanRequest& request, std::vector<Message>& messages) {
  for (auto& [key, value] : settings)
    if (const Setting* setting = find_setting(key); setting && setting->is_choice)
      value = small_letters(value);
  const auto zone = settings.find("table.local-time-zone");
  if (zone == settings.end() || zone->second != "default") return;
  zone->second = request.host_time_zone;
  if (zone->second != "default" && find_setting(zone->first)->check(zone->second)) return;
  const std::string text = "setting 'table.local-time-zone': the host's time zone '" + zone->second +
                           "' is not known; name one, such as 'Europe/Berlin'";
  messages.push_back(
      {.severity = Severity::kError, .text = text, .rendered = request.file + ": error: " + text + "\n"});
}

}  // namespace

BoundSettings bind_settings(const sql::Script& script, const PlanRequest& request,
                            sql::Diagnostics& diagnostics, std::vector<Message>& messages) {
  BoundSettings settings;
  for (const sql::StatementPtr& statement : script.statements) {
    if (const auto* assignment = sql::as<sql::SetStatement>(*statement))
      set(*assignment, settings, diagnostics);
    if (const auto* removal = sql::as<sql::ResetStatement>(*statement))
      reset(*removal, settings.values, diagnostics);
  }
  override_with(request.overrides, settings, messages);
  resolve(settings.values, request, messages);
  return settings;
}

sql::SourceSpan span_of_setting(const sql::Script& script, std::string_view key) {
  sql::SourceSpan span;
  for (const sql::StatementPtr& statement : script.statements)
    if (const auto* set = sql::as<sql::SetStatement>(*statement))
      if (set->option && set->option->key.text == key) span = set->option->value.span;
  return span;
}

}  // namespace leat::plan
