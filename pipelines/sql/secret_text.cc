#include "pipelines/sql/secret_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "pipelines/base/nearest.h"

namespace leat::sql {
namespace {

constexpr std::array<std::string_view, 13> kMarks{
    "password", "passwd",  "passphrase", "pwd",     "secret",        "token",  "jaas",
    "oauth",    "api-key", "apikey",     "api_key", "authorization", "private"};

/// Keys with such a word in them whose values are none.
constexpr std::array<std::string_view, 5> kPlain{"oauth2.token-url", "oauth2.client-id", "oauth2.scope",
                                                 "oauth2.audience", "oauth2.credentials"};

/// How far from its key a value may stand, and how long a placeholder may be.
constexpr std::size_t kFarthest = 1000;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}
bool is_quote(char c) {
  return c == '\'' || c == '"' || c == '`';
}
bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

bool has_mark(const std::string& key) {
  return std::any_of(kMarks.begin(), kMarks.end(),
                     [&](std::string_view mark) { return key.find(mark) != std::string::npos; });
}

/// "pasword" is an error whose line is shown.
bool has_misspelt_mark(const std::string& key) {
  static const std::array<std::string, 5> kWords{"password", "passphrase", "secret", "token", "credential"};
  std::string part;
  for (const char c : key + ".") {
    if (c != '.' && c != '-' && c != '_') {
      part += c;
      continue;
    }
    const auto near = part.size() >= 5 ? nearest_name(part, kWords) : std::nullopt;
    // Not 'security' and 'retention', which are as near to 'secret' and 'credential' as misspelt ones.
    const bool alike = near && near->front() == part.front() && near->size() <= part.size() + 1 &&
                       part.size() <= near->size() + 1;
    if (part == "pem" || alike) return true;
    part.clear();
  }
  return false;
}

/// "${env:NAME}", also behind the name of an HTTP authentication: nothing of it is secret.
bool is_placeholder(std::string_view value) {
  if (value.size() > kFarthest) return false;
  std::string rest;
  bool any = false;
  while (!value.empty()) {
    const std::size_t end = value.starts_with("${") ? value.find('}') : std::string_view::npos;
    if (end != std::string_view::npos) {
      any = true;
      value.remove_prefix(end + 1);
      continue;
    }
    if (!is_blank(value.front())) rest += value.front();
    value.remove_prefix(1);
  }
  rest = lower(rest);
  return any && (rest.empty() || rest == "bearer" || rest == "basic" || rest == "token" || rest == "apikey");
}

class Finder {
 public:
  explicit Finder(std::string_view text) : text_(text) {}

  std::vector<SourceSpan> find() {
    // Inside of a secret nothing is looked for: a long one would be searched from each of its places.
    for (std::size_t at = 0; at < text_.size(); at = std::max(at + 1, covered_)) {
      find_option(at);
      if (text_.substr(at).starts_with("://")) find_url_password(at + 3);
      if (text_[at] == '?' || text_[at] == '&') find_parameter(at + 1);
    }
    return merged();
  }

 private:
  [[nodiscard]] char at(std::size_t place) const { return place < text_.size() ? text_[place] : '\0'; }

  void add(std::size_t begin, std::size_t end) {
    if (begin >= end) return;
    found_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    covered_ = std::max(covered_, end);
  }

  [[nodiscard]] std::size_t word_end(std::size_t place) const {
    while (place < text_.size() && is_word(text_[place])) ++place;
    return place;
  }

  /// Behind white space and comments, up to a bound.
  [[nodiscard]] std::size_t skip_blanks(std::size_t place) const {
    const std::size_t most = std::min(text_.size(), place + kFarthest);
    while (place < most) {
      const std::string_view rest = text_.substr(place, most - place);
      if (is_blank(rest.front())) {
        ++place;
      } else if (rest.starts_with("--")) {
        place += std::min(rest.find('\n'), rest.size());
      } else if (rest.starts_with("/*")) {
        const std::size_t end = rest.find("*/", 2);
        place += end == std::string_view::npos ? rest.size() : end + 2;
      } else {
        break;
      }
    }
    return place;
  }

  /// A key at `place`, an equals sign, a value.
  void find_option(std::size_t place) {
    const bool quoted = is_quote(text_[place]);
    if (!quoted && (!is_word(text_[place]) || (place > 0 && is_word(text_[place - 1])))) return;
    const std::size_t begin = quoted ? place + 1 : place;
    const std::size_t end = word_end(begin);
    if (end == begin || (quoted && at(end) != text_[place])) return;
    const std::string_view key = text_.substr(begin, end - begin);
    if (quoted ? !names_secret(key) : !has_mark(lower(key))) return;
    std::size_t value = skip_blanks(quoted ? end + 1 : end);
    const bool says_equals = at(value) == '=' || at(value) == ':';
    if (says_equals) {
      while (at(value) == '=' || at(value) == ':' || at(value) == '>') ++value;
      value = skip_blanks(value);
    }
    // Without an equals sign two texts in a row may be a forgotten one.
    if (starts_text(value) ? says_equals || quoted : says_equals && quoted) add_value(value);
  }

  [[nodiscard]] std::size_t prefix_length(std::size_t place) const {
    const char first = at(place);
    if ((first == 'E' || first == 'e') && at(place + 1) == '\'') return 1;
    if ((first == 'U' || first == 'u') && at(place + 1) == '&' && at(place + 2) == '\'') return 2;
    return 0;
  }
  [[nodiscard]] bool starts_text(std::size_t place) const {
    return is_quote(at(place + prefix_length(place)));
  }

  void add_value(std::size_t place) {
    const bool escapes = prefix_length(place) == 1;
    place += prefix_length(place);
    const std::size_t begin = is_quote(at(place)) ? place + 1 : place;
    const std::size_t end = begin > place ? text_end(begin, text_[place], escapes) : bare_end(begin);
    if (!is_placeholder(text_.substr(begin, end - begin))) add(begin, end);
  }

  /// Of the quote that closes, or of the text.
  [[nodiscard]] std::size_t text_end(std::size_t place, char quote, bool escapes) const {
    for (; place < text_.size(); ++place) {
      if (escapes && text_[place] == '\\') {
        ++place;
      } else if (text_[place] == quote) {
        if (at(place + 1) != quote) return place;
        ++place;
      }
    }
    return text_.size();
  }
  [[nodiscard]] std::size_t bare_end(std::size_t place) const {
    while (place < text_.size() && !is_blank(text_[place]) && text_[place] != ',' && text_[place] != ';' &&
           text_[place] != ')')
      ++place;
    return place;
  }

  /// "user:password@host", or "token@host".
  void find_url_password(std::size_t begin) {
    const std::size_t end = std::min(text_.find_first_of("/?# \t\r\n'\"`,;)", begin), text_.size());
    const std::string_view authority = text_.substr(begin, end - begin);
    const std::size_t host = authority.rfind('@');
    if (host == std::string_view::npos) return;
    const std::size_t colon = authority.substr(0, host).find(':');
    const std::size_t from = colon == std::string_view::npos ? 0 : colon + 1;
    if (!is_placeholder(authority.substr(from, host - from))) add(begin + from, begin + host);
  }

  void find_parameter(std::size_t begin) {
    const std::size_t end = word_end(begin);
    if (end == begin || at(end) != '=') return;
    const std::string name = lower(text_.substr(begin, end - begin));
    if (!has_mark(name) && name != "sig" && name != "signature" && name != "key" && name != "auth") return;
    const std::size_t stop = std::min(text_.find_first_of("&# \t\r\n'\"`", end), text_.size());
    if (!is_placeholder(text_.substr(end + 1, stop - end - 1))) add(end + 1, stop);
  }

  std::vector<SourceSpan> merged() {
    std::ranges::sort(found_, {}, [](const SourceSpan& span) { return std::pair(span.begin, span.end); });
    std::vector<SourceSpan> spans;
    for (const SourceSpan& span : found_) {
      if (!spans.empty() && span.begin <= spans.back().end)
        spans.back() = join(spans.back(), span);
      else
        spans.push_back(span);
    }
    return spans;
  }

  const std::string_view text_;
  std::size_t covered_ = 0;  ///< Where the last secret ends.
  std::vector<SourceSpan> found_;
};

}  // namespace

bool names_secret(std::string_view key) {
  const std::string name = lower(key);
  if (std::ranges::find(kPlain, name) != kPlain.end()) return false;
  return name.starts_with("header.") || has_mark(name) || has_misspelt_mark(name);
}

std::vector<SourceSpan> secrets_in(std::string_view text) {
  return Finder(text).find();
}

HiddenText::HiddenText(std::string_view text) : secrets_(secrets_in(text)) {
  std::size_t done = 0;
  for (const SourceSpan& secret : secrets_) {
    values_.emplace_back(text.substr(secret.begin, secret.size()));
    text_.append(text.substr(done, secret.begin - done)).append(kHidden);
    done = secret.end;
  }
  text_.append(text.substr(done));
}

std::uint32_t HiddenText::place_of(std::uint32_t offset) const {
  std::int64_t moved = 0;
  for (const SourceSpan& secret : secrets_) {
    if (offset <= secret.begin) break;
    if (offset < secret.end) return static_cast<std::uint32_t>(secret.begin + moved);
    moved += static_cast<std::int64_t>(kHidden.size()) - secret.size();
  }
  return static_cast<std::uint32_t>(offset + moved);
}

std::string HiddenText::without_secrets(std::string message) const {
  for (const std::string& value : values_) {
    const std::string quoted = "'" + value + "'";
    for (std::size_t at = message.find(quoted); at != std::string::npos; at = message.find(quoted, at + 5))
      message.replace(at, quoted.size(), "'***'");
  }
  return message;
}

}  // namespace leat::sql
