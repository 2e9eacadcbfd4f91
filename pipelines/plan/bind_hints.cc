#include "pipelines/plan/bind_hints.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "pipelines/base/nearest.h"

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
    context.not_yet(hint.name.span, "the hint STATE_TTL", "SET 'table.exec.state.ttl' = '1 d' holds for all");
  else
    context.not_yet(hint.name.span, "the hint " + name, "leave it out: it changes no result");
}

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
