#include "pipelines/functions/text_case.h"

#include <algorithm>
#include <array>

#include "pipelines/column/utf8.h"

namespace leat::functions {
namespace {

// How the letters of a stretch of code points pair up.
enum class Pairing : std::uint8_t {
  kOffset,    // upper = lower - distance
  kNeighbour  // upper and lower alternate; `first` is an upper one
};

struct Stretch {
  char32_t first;  // Of the lower letters (kOffset), of both (kNeighbour).
  char32_t last;
  Pairing pairing;
  char32_t distance;
};

// From the Unicode character database: Basic Latin to Cyrillic, letters with simple one-to-one pairs.
constexpr std::array<Stretch, 18> kStretches = {{
    {U'a', U'z', Pairing::kOffset, 32},
    {0x00E0, 0x00F6, Pairing::kOffset, 32},
    {0x00F8, 0x00FE, Pairing::kOffset, 32},
    {0x0100, 0x012F, Pairing::kNeighbour, 1},
    {0x0132, 0x0137, Pairing::kNeighbour, 1},
    {0x0139, 0x0148, Pairing::kNeighbour, 1},
    {0x014A, 0x0177, Pairing::kNeighbour, 1},
    {0x0179, 0x017E, Pairing::kNeighbour, 1},
    {0x03AC, 0x03AC, Pairing::kOffset, 38},
    {0x03AD, 0x03AF, Pairing::kOffset, 37},
    {0x03B1, 0x03C1, Pairing::kOffset, 32},
    {0x03C3, 0x03CB, Pairing::kOffset, 32},
    {0x03CC, 0x03CC, Pairing::kOffset, 64},
    {0x03CD, 0x03CE, Pairing::kOffset, 63},
    {0x0430, 0x044F, Pairing::kOffset, 32},
    {0x0450, 0x045F, Pairing::kOffset, 80},
    {0x0460, 0x0481, Pairing::kNeighbour, 1},
    {0x048A, 0x04BF, Pairing::kNeighbour, 1},
}};

struct Special {
  char32_t code;
  std::string_view text;
};

// Letters whose upper case is several letters, or one far away.
constexpr std::array<Special, 15> kSpecialUppers = {{
    {0x00B5, "\u039C"},
    {0x00DF, "SS"},
    {0x0131, "I"},
    {0x0149, "\u02BCN"},
    {0x017F, "S"},
    {0x01F0, "J\u030C"},
    {0x0390, "\u0399\u0308\u0301"},
    {0x03B0, "\u03A5\u0308\u0301"},
    {0xFB00, "FF"},
    {0xFB01, "FI"},
    {0xFB02, "FL"},
    {0xFB03, "FFI"},
    {0xFB04, "FFL"},
    {0xFB05, "ST"},
    {0xFB06, "ST"},
}};
constexpr std::array<Special, 5> kSpecialLowers = {{
    {0x0130, "i\u0307"},
    {0x1E9E, "\u00DF"},
    {0x2126, "\u03C9"},
    {0x212A, "k"},
    {0x212B, "\u00E5"},
}};
constexpr char32_t kSigma = 0x03A3;
constexpr char32_t kSmallSigma = 0x03C3;
constexpr char32_t kFinalSigma = 0x03C2;

bool contains(const Stretch& stretch, char32_t code) {
  return code >= stretch.first && code <= stretch.last;
}

/// Calls `f(code, rest, out)` for each character; `rest` is the text behind it.
template <class F>
std::string map_characters(std::string_view text, F f) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at)) {
    const bool stray = utf8_width(text, at) == 1 && static_cast<unsigned char>(text[at]) >= 0x80;
    if (stray)
      out += text[at];
    else
      f(utf8_decode(text, at), text.substr(at + utf8_width(text, at)), out);
  }
  return out;
}

template <std::size_t n>
bool append_special(const std::array<Special, n>& specials, char32_t code, std::string& out) {
  if (code < 0x80) return false;
  const auto found = std::ranges::find(specials, code, &Special::code);
  if (found == specials.end()) return false;
  out += found->text;
  return true;
}

bool has_case(char32_t code) {
  return to_upper(code) != code || to_lower(code) != code;
}
bool begins_with_case(std::string_view text) {
  return !text.empty() && has_case(utf8_decode(text, 0));
}

}  // namespace

char32_t to_upper(char32_t code) {
  if (code == 0x00FF) return 0x0178;
  if (code == kFinalSigma) return kSigma;
  for (const Stretch& stretch : kStretches) {
    if (!contains(stretch, code)) continue;
    if (stretch.pairing == Pairing::kOffset) return code - stretch.distance;
    return (code - stretch.first) % 2 == 1 ? code - 1 : code;
  }
  return code;
}

char32_t to_lower(char32_t code) {
  if (code == 0x0178) return 0x00FF;
  for (const Stretch& stretch : kStretches) {
    if (stretch.pairing == Pairing::kOffset) {
      if (contains(stretch, code + stretch.distance)) return code + stretch.distance;
    } else if (contains(stretch, code)) {
      return (code - stretch.first) % 2 == 0 ? code + 1 : code;
    }
  }
  return code;
}

std::string upper_text(std::string_view text) {
  return map_characters(text, [](char32_t code, std::string_view, std::string& out) {
    if (!append_special(kSpecialUppers, code, out)) utf8_append(to_upper(code), out);
  });
}

std::string lower_text(std::string_view text) {
  char32_t before = 0;
  return map_characters(text, [&](char32_t code, std::string_view rest, std::string& out) {
    if (code == kSigma)
      utf8_append(has_case(before) && !begins_with_case(rest) ? kFinalSigma : kSmallSigma, out);
    else if (!append_special(kSpecialLowers, code, out))
      utf8_append(to_lower(code), out);
    before = code;
  });
}

std::string initcap_text(std::string_view text) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  bool inside = false;
  std::string out(text);
  for (char& c : out) {
    if (inside ? is_upper(c) : is_lower(c)) c = static_cast<char>(c ^ 0x20);
    inside = is_upper(c) || is_lower(c) || (c >= '0' && c <= '9');
  }
  return out;
}

}  // namespace leat::functions
