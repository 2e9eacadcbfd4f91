#include "pipelines/sql/string_literal.h"

#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace leat::sql {
namespace {

std::optional<std::uint32_t> digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
  return std::nullopt;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

constexpr bool is_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code < 0xE000;
}

/// Reads the body of a literal from left to right; the outer quotes are gone, doubled quotes are not.
class Decoder {
 public:
  explicit Decoder(std::string_view body) : body_(body) {}

  std::string plain() {
    while (at_ < body_.size()) copy_one();
    return std::move(out_);
  }

  Result<std::string> unicode(char escape) {
    while (at_ < body_.size()) {
      if (body_[at_] == escape) {
        LEAT_TRY(unicode_escape(escape));
      } else {
        copy_one();
      }
    }
    LEAT_TRY(no_open_surrogate());
    return std::move(out_);
  }

  Result<std::string> c_style() {
    while (at_ < body_.size()) {
      if (body_[at_] == '\\') {
        ++at_;
        LEAT_TRY(c_escape());
      } else {
        copy_one();
      }
    }
    LEAT_TRY(no_open_surrogate());
    return std::move(out_);
  }

 private:
  void copy_one() {
    out_ += body_[at_];
    at_ += body_[at_] == '\'' ? 2 : 1;
  }

  Status unicode_escape(char escape) {
    ++at_;
    if (at_ < body_.size() && body_[at_] == escape) {
      out_ += escape;
      ++at_;
      return {};
    }
    const bool six = at_ < body_.size() && body_[at_] == '+';
    if (six) ++at_;
    return code_point(six ? 6 : 4);
  }

  Status c_escape() {
    const char c = at_ < body_.size() ? body_[at_++] : '\0';
    switch (c) {
      case 'b':
        out_ += '\b';
        return {};
      case 'f':
        out_ += '\f';
        return {};
      case 'n':
        out_ += '\n';
        return {};
      case 'r':
        out_ += '\r';
        return {};
      case 't':
        out_ += '\t';
        return {};
      case 'u':
        return code_point(4);
      case 'U':
        return code_point(8);
      case 'x':
        return code_number(16, 2);
      case '\\':
      case '\'':
      case '"':
        out_ += c;
        return {};
      default:
        break;
    }
    if (c >= '0' && c <= '7') {
      --at_;
      return code_number(8, 3);
    }
    return fail(ErrorCode::kInvalid, fmt::format("'\\{}' is no escape of an E'…' string", c));
  }

  /// Exactly `digits` hexadecimal digits; two surrogates give one character.
  Status code_point(std::size_t digits) {
    std::uint32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const auto value = at_ < body_.size() ? digit_value(body_[at_]) : std::nullopt;
      if (!value)
        return fail(ErrorCode::kInvalid, fmt::format("a Unicode escape needs {} hexadecimal digits", digits));
      code = code << 4U | *value;
    }
    return append_code(code);
  }

  Status append_code(std::uint32_t code) {
    if (high_ != 0 && out_.size() == high_end_ && code >= 0xDC00 && code < 0xE000) {
      append_utf8(out_, 0x10000 + ((high_ - 0xD800) << 10U) + (code - 0xDC00));
      high_ = 0;
      return {};
    }
    LEAT_TRY(no_open_surrogate());
    if (code >= 0xD800 && code < 0xDC00) {
      high_ = code;
      high_end_ = out_.size();
      return {};
    }
    if (code > 0x10FFFF || is_surrogate(code)) {
      return fail(ErrorCode::kInvalid, fmt::format("U+{:04X} is no character", code));
    }
    append_utf8(out_, code);
    return {};
  }

  Status no_open_surrogate() const {
    if (high_ == 0) return {};
    return fail(ErrorCode::kInvalid,
                fmt::format("U+{:04X} is half a character: the other half must follow", high_));
  }

  /// One to `most` digits of the base: `\x41`, `\101`.
  Status code_number(std::uint32_t base, std::size_t most) {
    std::uint32_t code = 0;
    std::size_t count = 0;
    for (; count < most && at_ < body_.size(); ++count, ++at_) {
      const auto value = digit_value(body_[at_]);
      if (!value || *value >= base) break;
      code = code * base + *value;
    }
    if (count == 0) return fail(ErrorCode::kInvalid, "\\x needs hexadecimal digits");
    return append_code(code);
  }

  std::string_view body_;
  std::size_t at_ = 0;
  std::string out_;
  std::uint32_t high_ = 0;  ///< A high surrogate that waits for its low one; 0: none.
  std::size_t high_end_ = 0;
};

std::string_view body_of(std::string_view token) {
  const std::size_t open = token.find('\'');
  return token.substr(open + 1, token.size() - open - 2);
}

}  // namespace

Result<std::string> decode_string(std::string_view token, char escape) {
  Decoder decoder(body_of(token));
  switch (token.front()) {
    case 'e':
    case 'E':
      return decoder.c_style();
    case 'u':
    case 'U':
      return decoder.unicode(escape);
    default:
      return decoder.plain();
  }
}

Result<std::string> decode_binary(std::string_view token) {
  const std::string_view body = body_of(token);
  if (body.size() % 2 != 0)
    return fail(ErrorCode::kInvalid, "a binary literal needs an even number of digits");
  std::string bytes;
  for (std::size_t i = 0; i < body.size(); i += 2) {
    const auto high = digit_value(body[i]);
    const auto low = digit_value(body[i + 1]);
    if (!high || !low) {
      return fail(ErrorCode::kInvalid, fmt::format("'{}' are no hexadecimal digits", body.substr(i, 2)));
    }
    bytes += static_cast<char>(*high << 4U | *low);
  }
  return bytes;
}

std::string decode_quoted_name(std::string_view token) {
  std::string name;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    name += token[i];
    if (token[i] == '`') ++i;
  }
  return name;
}

}  // namespace leat::sql
