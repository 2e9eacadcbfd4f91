#include "sources/listen/request_head.h"

#include <algorithm>

namespace leat::listen {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

tl::unexpected<Error> broken(std::string_view why) {
  return fail(ErrorCode::kInvalid, std::string(why));
}

/// Of a field's name.
bool is_token(char c) {
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return letter || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

Result<HeadField> read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return broken("a line of the head has no colon");
  const std::string_view name = line.substr(0, colon);
  if (name.empty() || !std::ranges::all_of(name, is_token))
    return broken("a field of the head has a name that is none");
  return HeadField{name, without_blanks(line.substr(colon + 1))};
}

/// "POST /readings HTTP/1.1", one blank between the parts.
bool is_request_line(std::string_view line) {
  const std::size_t method = line.find(' ');
  if (method == 0 || method == std::string_view::npos) return false;
  if (!std::ranges::all_of(line.substr(0, method), is_token)) return false;
  line.remove_prefix(method + 1);
  const std::size_t target = line.find(' ');
  if (target == 0 || target == std::string_view::npos) return false;
  const std::string_view version = line.substr(target + 1);
  return version == "HTTP/1.1" || version == "HTTP/1.0";
}

}  // namespace

Result<std::vector<HeadField>> read_head(std::string_view head) {
  std::vector<HeadField> fields;
  for (bool first = true;; first = false) {
    const std::size_t end = head.find(kLineEnd);
    if (end == std::string_view::npos) return broken("the head has no end");
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(end + kLineEnd.size());
    if (std::ranges::any_of(line, is_control)) return broken("a line of the head holds a control character");
    if (first && !is_request_line(line)) return broken("the first line of the head is no request's");
    if (first) continue;  // Its parts are httplib's.
    if (line.empty()) return fields;
    LEAT_ASSIGN(fields.emplace_back(), read_field(line));
  }
}

}  // namespace leat::listen
