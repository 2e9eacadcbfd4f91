#include "daemon/api/dead_letter_request.h"

#include <fmt/format.h>

#include <charconv>

#include "pipelines/formats/read_scalar.h"

namespace leat::api {
namespace {

/// The word's text in the query or, as text or number, in the body; empty: it is not there.
Result<std::string> text_of(const Request& request, const std::string& name) {
  if (const auto found = request.query.find(name); found != request.query.end()) return found->second;
  const auto member = request.body.find(name);
  if (member == request.body.end()) return std::string();
  if (member->is_string()) return member->get<std::string>();
  if (member->is_number_integer()) return member->dump();
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is a text or a number, found {}", name, member->dump()));
}

Status read_moment_of(const Request& request, const std::string& name, std::int64_t now, std::int64_t& out) {
  LEAT_ASSIGN(const std::string text, text_of(request, name));
  if (text.empty()) return {};
  LEAT_ASSIGN(out, read_moment(text, now));
  return {};
}

Status read_id(const Request& request, const std::string& name, std::int64_t& out) {
  LEAT_ASSIGN(const std::string text, text_of(request, name));
  if (text.empty()) return {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error == std::errc() && end == text.data() + text.size() && out >= 0) return {};
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is the id of a dead letter, found '{}'", name, text));
}

Status read_ids(const Request& request, std::vector<std::int64_t>& out) {
  const auto member = request.body.find("ids");
  if (member == request.body.end()) return {};
  if (!member->is_array() || member->empty())
    return fail(ErrorCode::kInvalid, "'ids' is a list of one or more ids of dead letters");
  for (const auto& id : *member) {
    if (!id.is_number_integer() || id.get<std::int64_t>() <= 0)
      return fail(ErrorCode::kInvalid,
                  fmt::format("'ids' holds {}, which is no id of a dead letter", id.dump()));
    out.push_back(id.get<std::int64_t>());
  }
  return {};
}

}  // namespace

std::vector<Parameter> dead_letter_words(std::vector<Parameter> more) {
  std::vector<Parameter> words{
      {"pipeline", "Of this pipeline."},
      {"origin", "Of this table, a source or a sink."},
      {"since", "Not older: a time in UTC, or how long ago, such as '2 h'."},
      {"until", "Not younger: the same."},
      {"after", "Of a greater id.", Parameter::Type::kNumber},
      {"before", "Of a smaller id.", Parameter::Type::kNumber},
  };
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Result<store::DeadLetterFilter> dead_letter_filter(const Request& request, std::int64_t now) {
  store::DeadLetterFilter filter;
  LEAT_ASSIGN(filter.pipeline, text_of(request, "pipeline"));
  LEAT_ASSIGN(filter.origin, text_of(request, "origin"));
  LEAT_TRY(read_moment_of(request, "since", now, filter.since));
  LEAT_TRY(read_moment_of(request, "until", now, filter.until));
  LEAT_TRY(read_id(request, "after", filter.above_id));
  LEAT_TRY(read_id(request, "before", filter.below_id));
  LEAT_TRY(read_ids(request, filter.ids));
  return filter;
}

Result<std::int64_t> read_moment(const std::string& text, std::int64_t now) {
  constexpr std::int32_t kMicrosecondDigits = 6;
  for (const formats::TimestampSyntax syntax :
       {formats::TimestampSyntax{'T', 'Z'}, formats::TimestampSyntax{'T', '\0'},
        formats::TimestampSyntax{' ', 'Z'}, formats::TimestampSyntax{' ', '\0'}})
    if (const auto moment = formats::read_timestamp(text, syntax, kMicrosecondDigits)) return *moment;
  const bool bare = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (const auto ago = parse_duration(text); ago && !bare) return now - ago->count();
  return fail(
      ErrorCode::kInvalid,
      fmt::format("expected a time in UTC such as '2026-11-22T09:00:00Z', or how long ago, such as '2 h'; "
                  "found '{}'{}",
                  text, bare ? ", which has no unit" : ""));
}

}  // namespace leat::api
