#include "daemon/runtime/deploy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "daemon/runtime/source_reader.h"
#include "pipelines/sql/parser.h"

namespace leat::runtime {
namespace {

using Operators = std::vector<exec::Dataflow::OperatorInfo>;

constexpr std::string_view kNameSetting = "pipeline.name";
constexpr std::size_t kLongestName = 200;

/// "window aggregate" of "window aggregate 2".
std::string kind_of(const std::string& name) {
  const std::size_t end = name.find_last_not_of("0123456789");
  if (end == std::string::npos || end + 1 == name.size() || name[end] != ' ') return name;
  return name.substr(0, end);
}

/// What an operator of the version before is called, by its fingerprint.
using Names = std::map<std::string, std::string>;

/// Those that have state in the store, or would have it with the next commit.
Names operators_before(const Operators& before, const store::KeptParts& parts) {
  Names names;
  for (const auto& part : parts.operators)
    if (!part.node.starts_with(kMemoryPrefix))
      names[part.node] = fmt::format("an operator of an earlier version ({})", part.node.substr(0, 8));
  for (const auto& info : before)
    if (!info.fingerprint.empty()) names[info.fingerprint] = info.name;
  return names;
}

std::uint64_t keys_of(const std::string& fingerprint, const Operators& before,
                      const store::KeptParts& parts) {
  for (const auto& info : before)
    if (info.fingerprint == fingerprint && info.keys > 0) return info.keys;
  for (const auto& part : parts.operators)
    if (part.node == fingerprint) return part.entries;
  return 0;
}

const exec::Dataflow::OperatorInfo* find(const Operators& operators, const std::string& name) {
  const auto found = std::ranges::find(operators, name, &exec::Dataflow::OperatorInfo::name);
  return found == operators.end() ? nullptr : &*found;
}

std::string shortened(const std::string& line) {
  constexpr std::size_t kShown = 200;
  if (line.size() <= kShown) return line;
  return line.substr(0, sql::valid_prefix(std::string_view(line).substr(0, kShown))) + "…";
}

/// The first operator, from `now` down to what it reads, that is another one than in the version before.
std::string difference(const OperatorLines& lines, const Operators& operators, const std::string& now,
                       const OperatorLines& lines_before, const Operators& before, const std::string& was) {
  const auto line = lines.find(now);
  const auto line_before = lines_before.find(was);
  if (line == lines.end() || line_before == lines_before.end()) return {};
  if (line->second != line_before->second)
    return fmt::format("'{}' was \"{}\" and is \"{}\"", now, shortened(line_before->second),
                       shortened(line->second));
  const auto* info = find(operators, now);
  const auto* info_before = find(before, was);
  if (info == nullptr || info_before == nullptr) return {};
  for (std::size_t i = 0; i < std::min(info->inputs.size(), info_before->inputs.size()); ++i) {
    const std::string below = difference(lines, operators, operators[info->inputs[i]].name, lines_before,
                                         before, before[info_before->inputs[i]].name);
    if (!below.empty()) return below;
  }
  return {};
}

/// What became of the operators of the version before.
struct Fates {
  std::vector<std::string> gone;
  std::vector<std::pair<std::string, std::string>> taken;  // Their names, then and now.
};

/// The one of its name, else one of its kind; null: there is none.
const std::string* counterpart(const std::string& name, const std::vector<std::string>& gone) {
  if (const auto same = std::ranges::find(gone, name); same != gone.end()) return &*same;
  const auto like = std::ranges::find(gone, kind_of(name), kind_of);
  return like == gone.end() ? nullptr : &*like;
}

std::string why_cold(const std::string& name, const Fates& fates, const Operators& operators,
                     const Operators& before, const PlanLines& lines) {
  if (const std::string* const other = counterpart(name, fates.gone)) {
    const std::string what = difference(lines.now, operators, name, lines.before, before, *other);
    return fmt::format("'{}' of the version before is another one: {}", *other,
                       what.empty() ? "the types of what it reads differ" : what);
  }
  for (const auto& [then, now] : fates.taken)
    if (kind_of(then) == kind_of(name))
      return fmt::format(
          "'{}' of the version before is now '{}', which takes its state; there was none more "
          "like it",
          then, now);
  if (before.empty() && !fates.gone.empty())
    return "the state that is kept is that of other operators, of a text that is not there any more";
  return "the version before has none like it";
}

std::vector<sql::SourceSpan> places_of_name(const sql::SourceText& source, std::string* last) {
  sql::Diagnostics ignored;
  const sql::Script script = sql::parse_script(source, ignored);
  std::vector<sql::SourceSpan> places;
  for (const sql::StatementPtr& statement : script.statements) {
    const auto* set = sql::as<sql::SetStatement>(*statement);
    if (set == nullptr || !set->option || set->option->key.text != kNameSetting) continue;
    places.push_back(set->option->value.span);
    if (last != nullptr) *last = set->option->value.text;
  }
  return places;
}

std::string quoted(const std::string& text) {
  std::string literal = "'";
  for (const char c : text) literal += c == '\'' ? "''" : std::string(1, c);
  return literal + "'";
}

}  // namespace

std::string_view to_string(Origin origin) {
  return origin == Origin::kFile ? "file" : "deployed";
}

std::string_view to_string(Part part) {
  switch (part) {
    case Part::kJournal:
      return "journal";
    case Part::kState:
      return "state";
    case Part::kOutbox:
      return "outbox";
    case Part::kTables:
      break;
  }
  return "tables";
}

StateReport compare_state(const Operators& operators, const Operators& before, const store::KeptParts& parts,
                          const PlanLines& lines) {
  StateReport report;
  if (parts.last_commit.value == 0) return report;  // It begins anew in any case.
  Names gone = operators_before(before, parts);
  Fates fates;
  std::vector<std::string> cold;
  for (const auto& info : operators) {
    if (info.fingerprint.empty()) continue;
    const auto former = gone.find(info.fingerprint);
    if (former == gone.end()) {
      cold.push_back(info.name);
      continue;
    }
    report.kept.push_back({info.name, keys_of(info.fingerprint, before, parts)});
    fates.taken.emplace_back(former->second, info.name);
    gone.erase(former);
  }
  for (const auto& [fingerprint, name] : gone) {
    fates.gone.push_back(name);
    const auto is_this = [&node = fingerprint](const auto& part) { return part.node == node; };
    if (std::ranges::any_of(parts.operators, is_this)) report.dropped.push_back(name);
  }
  for (const std::string& name : cold)
    report.cold.push_back({name, why_cold(name, fates, operators, before, lines)});
  return report;
}

std::optional<std::string> name_in_text(std::string_view sql) {
  std::string name;
  const bool any = !places_of_name(sql::SourceText("", sql), &name).empty();
  return any ? std::optional(name) : std::nullopt;
}

std::optional<plan::Message> name_conflict(const std::string& file, std::string_view sql,
                                           const PipelineName& name) {
  const sql::SourceText source(file, sql);
  std::string found;
  const std::vector<sql::SourceSpan> places = places_of_name(source, &found);
  if (places.empty() || found == name.value) return std::nullopt;
  const sql::Diagnostic error{
      .span = places.back(),
      .message =
          fmt::format("the text names its pipeline '{}', but it is deployed as '{}'", found, name.value),
      .hint = "leave the SET out, or deploy it under the name that it gives"};
  const sql::SourcePosition place = source.position(error.span.begin);
  return plan::Message{.line = place.line,
                       .column = place.column,
                       .length = sql::count_characters(source.at(error.span)),
                       .text = error.message,
                       .rendered = render(error, source)};
}

std::string with_name(const std::string& sql, const PipelineName& name) {
  std::string text = sql;
  std::vector<sql::SourceSpan> places = places_of_name(sql::SourceText("", sql), nullptr);
  std::ranges::reverse(places);
  for (const sql::SourceSpan& place : places) text.replace(place.begin, place.size(), quoted(name.value));
  return text;
}

Status check_name(const PipelineName& name) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::kInvalid, fmt::format("'{}' cannot be a pipeline's name: {}", name.value, why));
  };
  if (name.value.empty()) return refuse("it is empty");
  if (name.value.size() > kLongestName)
    return refuse(fmt::format("it is longer than {} bytes", kLongestName));
  if (sql::valid_prefix(name.value) != name.value.size()) return refuse("it is no UTF-8");
  const auto forbidden = [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '/'; };
  if (std::ranges::any_of(name.value, forbidden)) return refuse("it holds a '/' or a control character");
  // Identities of later owners of a name look so.
  const std::size_t tilde = name.value.rfind('~');
  if (tilde != std::string::npos && tilde + 1 < name.value.size() &&
      name.value.find_first_not_of("0123456789", tilde + 1) == std::string::npos)
    return refuse("it ends in '~' and a number");
  return {};
}

}  // namespace leat::runtime
