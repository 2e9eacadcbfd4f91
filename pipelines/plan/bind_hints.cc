#include "pipelines/plan/bind_hints.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "pipelines/base/nearest.h"
#include "pipelines/base/time.h"
#include "pipelines/plan/bind_group.h"

namespace leat::plan {
namespace {

const std::vector<std::string>& known_hints() {
  static const std::vector<std::string> kNames = {"OPTIONS",      "STATE_TTL",     "LOOKUP",    "BROADCAST",
                                                  "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP", "MULTI_JOIN"};
  return kNames;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

bool is_options(const sql::Hint& hint) {
  return upper(hint.name.text) == "OPTIONS";
}

bool is_state_ttl(const sql::Hint& hint) {
  return upper(hint.name.text) == "STATE_TTL";
}

/// Hints that choose how a cluster joins. They change no result.
bool is_join_hint(const sql::Hint& hint) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"BROADCAST", "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP", "MULTI_JOIN", "NO_BROADCAST"});
  return std::ranges::find(kNames, upper(hint.name.text)) != kNames.end();
}

void warn_of_join_hint(const sql::Hint& hint, const BindContext& context) {
  context.diagnostics.warning(hint.name.span, "the hint " + upper(hint.name.text) +
                                                  " has no effect in Leat: there is one way to join");
}

void set_option(Table& table, const sql::Option& option) {
  const auto same = [&](const TableOption& old) { return old.key.text == option.key.text; };
  std::erase_if(table.options, same);
  table.options.push_back({option.key, option.value});
}

}  // namespace

void refuse_hint(const sql::Hint& hint, const BindContext& context) {
  const std::string name = upper(hint.name.text);
  const auto& known = known_hints();
  if (std::ranges::find(known, name) == known.end())
    context.diagnostics.error(hint.name.span,
                              "unknown hint '" + hint.name.text + "'" + did_you_mean(name, known));
  else if (name == "OPTIONS")
    context.diagnostics.error(hint.name.span, "OPTIONS belongs behind the name of a table",
                              "as in FROM t /*+ OPTIONS('key'='value') */");
  else if (name == "STATE_TTL")
    context.diagnostics.error(hint.name.span, "STATE_TTL belongs behind SELECT",
                              "as in SELECT /*+ STATE_TTL('a'='1 d', 'b'='3 d') */ … FROM a JOIN b ON …");
  else if (name == "LOOKUP")
    context.not_yet(hint.name.span, "the hint LOOKUP",
                    "leave it out: a table is held in memory or looked up in the store, without retries");
  else
    context.diagnostics.error(hint.name.span, name + " belongs behind SELECT",
                              "as in SELECT /*+ " + name + "(a) */ … FROM a JOIN b ON …");
}

// ---- STATE_TTL -------------------------------------------------------------------------------------------

std::optional<Micros> state_ttl_of(std::span<const sql::Hint> hints, std::string_view name) {
  for (const sql::Hint& hint : hints) {
    if (!is_state_ttl(hint)) continue;
    for (const sql::Option& option : hint.options)
      if (option.key.text == name) return parse_duration(option.value.text).value_or(Micros(0));
  }
  return std::nullopt;
}

namespace {

/// The name by which a SELECT knows the only table of its FROM; empty: there are several, or it has none.
std::string_view only_table(const sql::Select& select) {
  if (!select.from || !select.from->joins.empty()) return {};
  const sql::TableReference& first = *select.from->first;
  if (first.alias) return first.alias->text;
  const auto* named = sql::as<sql::NamedTable>(first);
  return named ? std::string_view(named->name.last()) : std::string_view();
}

bool check_ttl_entry(const sql::Option& entry, std::span<const ScopeTable> tables,
                     const BindContext& context) {
  std::vector<std::string> known;
  for (const ScopeTable& table : tables)
    if (!table.name.empty()) known.push_back(table.name);
  if (std::ranges::find(known, entry.key.text) == known.end()) {
    context.diagnostics.error(entry.key.span, "STATE_TTL: there is no table '" + entry.key.text +
                                                  "' in FROM of this SELECT" +
                                                  did_you_mean(entry.key.text, known));
    return false;
  }
  if (const auto ttl = parse_duration(entry.value.text); !ttl) {
    context.diagnostics.error(entry.value.span, ttl.error().message);
    return false;
  }
  return true;
}

bool check_state_ttl(const sql::Select& select, const sql::Hint& hint, std::span<const ScopeTable> tables,
                     const BindContext& context) {
  if (hint.options.empty()) {
    context.diagnostics.error(hint.span, "STATE_TTL takes tables and times in quotes: STATE_TTL('t'='1 d')");
    return false;
  }
  const bool joins = select.from && only_table(select).empty();
  if (!joins && !is_grouped(select)) {
    context.diagnostics.error(hint.span,
                              "nothing in this SELECT follows STATE_TTL: it has no join and no groups",
                              "SET 'table.exec.state.ttl' = '1 d' holds for every kind of state");
    return false;
  }
  bool whole = true;
  for (const sql::Option& entry : hint.options) whole = check_ttl_entry(entry, tables, context) && whole;
  return whole;
}

}  // namespace

std::optional<Micros> group_ttl_of(const sql::Select& select) {
  const std::string_view table = only_table(select);
  return table.empty() ? std::nullopt : state_ttl_of(select.hints, table);
}

bool check_select_hints(const sql::Select& select, std::span<const ScopeTable> tables,
                        const BindContext& context) {
  bool whole = true;
  for (const sql::Hint& hint : select.hints) {
    if (is_join_hint(hint)) {
      warn_of_join_hint(hint, context);
      continue;
    }
    if (!is_state_ttl(hint)) refuse_hint(hint, context);
    whole = is_state_ttl(hint) && check_state_ttl(select, hint, tables, context) && whole;
  }
  return whole;
}

// ---- OPTIONS ---------------------------------------------------------------------------------------------

std::string text_of_hints(std::span<const sql::Hint> hints) {
  std::string text;
  for (const sql::Hint& hint : hints)
    for (const sql::Option& option : hint.options) text += option.key.text + "\n" + option.value.text + "\n";
  return text;
}

std::unique_ptr<Table> with_hints(const Table& table, std::span<const sql::Hint> hints,
                                  const BindContext& context) {
  auto hinted = std::make_unique<Table>(table);
  hinted->read = hinted->written = false;
  hinted->scan = nullptr;
  hinted->unique_name.clear();
  bool whole = true;
  for (const sql::Hint& hint : hints) {
    if (!is_options(hint)) refuse_hint(hint, context);
    whole = whole && is_options(hint);
    if (is_options(hint) && !hint.arguments.empty()) {
      context.diagnostics.error(hint.span, "OPTIONS takes keys and values in quotes: OPTIONS('key'='value')");
      whole = false;
    }
    for (const sql::Option& option : hint.options) set_option(*hinted, option);
  }
  if (!whole) return nullptr;
  if (hinted->broken) return hinted;
  hinted->connector = nullptr;
  hinted->format = nullptr;
  bind_connector(*hinted, context);
  bind_watermark_options(*hinted, context);
  return hinted;
}

}  // namespace leat::plan
