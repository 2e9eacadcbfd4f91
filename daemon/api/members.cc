#include "daemon/api/members.h"

#include <fmt/format.h>

#include "pipelines/base/options.h"

namespace leat::api {
namespace {

/// What was found, for a message.
std::string shown(const nlohmann::json& value) {
  constexpr std::size_t kLongest = 60;
  if (value.is_structured()) return std::string("an ") + value.type_name();  // However deep it is.
  const std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.size() <= kLongest ? text : std::string("a ") + value.type_name();
}

}  // namespace

Result<std::string> text_member(const Request& request, const std::string& name) {
  if (const auto word = request.query.find(name); word != request.query.end()) return word->second;
  const auto member = request.body.find(name);
  if (member == request.body.end()) return std::string();
  if (member->is_string()) return member->get<std::string>();
  return fail(ErrorCode::kInvalid, fmt::format("'{}' is a text, found {}", name, shown(*member)));
}

Result<std::string> required_text(const Request& request, const std::string& name) {
  LEAT_ASSIGN(std::string text, text_member(request, name));
  if (text.empty()) return fail(ErrorCode::kInvalid, fmt::format("'{}' is missing", name));
  return text;
}

Result<std::int64_t> number_member(const Request& request, const std::string& name, const Range& range) {
  std::int64_t number = range.otherwise;
  std::string found;
  bool good = true;
  if (const auto word = request.query.find(name); word != request.query.end()) {
    found = "'" + word->second + "'";
    good = option_text::read(word->second, number).has_value();
  } else if (const auto member = request.body.find(name); member != request.body.end()) {
    found = shown(*member);
    good = member->is_number_integer() &&
           !(member->is_number_unsigned() && member->get<std::uint64_t>() > INT64_MAX);
    if (good) number = member->get<std::int64_t>();
  }
  if (good && number >= range.least && number <= range.most) return number;
  return fail(ErrorCode::kInvalid,
              fmt::format("'{}' is a number from {} to {}, found {}", name, range.least, range.most, found));
}

Response wrong_member(const Error& error) {
  return problem(400, "wrong parameter", error.message);
}

Response busy(const std::string& detail) {
  Response response = problem(503, "too many at once", detail);
  response.headers.emplace_back("Retry-After", "2");
  return response;
}

}  // namespace leat::api
