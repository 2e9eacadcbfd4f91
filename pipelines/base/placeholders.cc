#include "pipelines/base/placeholders.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "pipelines/base/nearest.h"

namespace leat {
namespace {

constexpr std::string_view kOpen = "${";
constexpr std::string_view kEscaped = "$${";
const std::array<std::string, 3> kWords{"env", "file", "credential"};

/// How many characters of a word and its colon follow "${"; 0: none, it is text.
std::size_t word_length(std::string_view rest) {
  std::size_t at = kOpen.size();
  while (at < rest.size() && ((rest[at] >= 'a' && rest[at] <= 'z') || (rest[at] >= 'A' && rest[at] <= 'Z')))
    ++at;
  return at > kOpen.size() && at < rest.size() && rest[at] == ':' ? at - kOpen.size() : 0;
}

bool is_variable(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::all_of(name.begin(), name.end(), plain);
}

bool is_credential(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.'; };
  return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), plain);
}

Result<Placeholder> read(std::string_view word, std::string_view name) {
  const auto wrong = [&](std::string_view expected) {
    return fail(ErrorCode::kInvalid, fmt::format("'${{{}:{}}}': expected {}", word, name, expected));
  };
  if (word == "env")
    return is_variable(name)
               ? Result<Placeholder>(Placeholder{Placeholder::From::kEnvironment, std::string(name)})
               : wrong("the name of a variable: letters, digits and '_'");
  if (word == "file")
    return name.starts_with('/')
               ? Result<Placeholder>(Placeholder{Placeholder::From::kFile, std::string(name)})
               : wrong("an absolute path");
  if (word == "credential")
    return is_credential(name)
               ? Result<Placeholder>(Placeholder{Placeholder::From::kCredential, std::string(name)})
               : wrong("the name of a credential: letters, digits, '.', '_' and '-'");
  return fail(ErrorCode::kInvalid,
              fmt::format("there is no '${{{}:…}}'{}: known are ${{env:NAME}}, ${{file:/path}} and "
                          "${{credential:NAME}}; '$${{' stands for the characters themselves",
                          word, did_you_mean(word, kWords)));
}

}  // namespace

bool has_placeholder(std::string_view value) {
  for (std::size_t at = value.find(kOpen); at != std::string_view::npos; at = value.find(kOpen, at + 1))
    if (word_length(value.substr(at)) > 0 || (at > 0 && value[at - 1] == '$')) return true;
  return false;
}

Result<std::string> fill_placeholders(std::string_view value,
                                      const std::function<Result<std::string>(const Placeholder&)>& look_up) {
  std::string filled;
  while (!value.empty()) {
    if (value.starts_with(kEscaped)) {
      filled += kOpen;
      value.remove_prefix(kEscaped.size());
      continue;
    }
    const std::size_t word = value.starts_with(kOpen) ? word_length(value) : 0;
    if (word == 0) {
      filled += value.front();
      value.remove_prefix(1);
      continue;
    }
    const std::size_t end = value.find('}');
    if (end == std::string_view::npos) return fail(ErrorCode::kInvalid, "a '${' has no '}' behind it");
    const std::size_t name = kOpen.size() + word + 1;
    LEAT_ASSIGN(const Placeholder placeholder,
                read(value.substr(kOpen.size(), word), value.substr(name, end - name)));
    LEAT_ASSIGN(const std::string text, look_up(placeholder));
    filled += text;
    value.remove_prefix(end + 1);
  }
  return filled;
}

}  // namespace leat
