#include "pipelines/sql/lexer.h"

#include <array>
#include <string>

#include <fmt/format.h>

namespace leat::sql {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
/// Names may hold letters of any script: all bytes of valid UTF-8 characters beyond ASCII count as letters.
constexpr bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_word_part(char c) {
  return is_word_start(c) || is_digit(c) || c == '$';
}

/// Characters that look like a space and get into files by copy and paste; invisible in an editor.
constexpr auto kFalseSpaces =
    std::to_array<std::string_view>({"\u00A0", "\u200B", "\u2003", "\u2009", "\uFEFF"});

constexpr auto kLongSymbols = std::to_array<std::string_view>({"<=", ">=", "<>", "!=", "||", "=>", "::"});
constexpr std::string_view kShortSymbols = "()[]{},;.+-*/%<>=|?^$:&";

class Lexer {
 public:
  Lexer(const SourceText& source, Diagnostics& diagnostics)
      : text_(source.text()), diagnostics_(diagnostics) {
    tokens_.reserve(text_.size() / 5 + 1);
  }

  std::vector<Token> run() {
    if (rest().starts_with("\uFEFF")) at_ += 3;
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) next();
    begin_ = at_;
    emit(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] SourceSpan span(std::size_t begin, std::size_t end) const {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  void emit(TokenKind kind) {
    const std::string_view text = text_.substr(begin_, at_ - begin_);
    const WordUse use = kind == TokenKind::kWord ? word_use(text) : WordUse::kFree;
    tokens_.push_back({kind, use, span(begin_, at_), text});
  }

  void invalid(std::string message, std::string hint = {}) {
    diagnostics_.error(span(begin_, at_), std::move(message), std::move(hint));
    emit(TokenKind::kInvalid);
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (is_space(text_[at_])) {
        ++at_;
      } else if (rest().starts_with("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (rest().starts_with("/*") && peek(2) != '+') {
        skip_block_comment();
      } else {
        return;
      }
    }
  }

  void skip_block_comment() {
    const std::size_t close = text_.find("*/", at_ + 2);
    if (close != std::string_view::npos) {
      at_ = close + 2;
      return;
    }
    diagnostics_.error(span(at_, at_ + 2), "this comment is never closed", "end it with */");
    begin_ = at_;
    at_ = text_.size();
    emit(TokenKind::kInvalid);
  }

  void next() {
    begin_ = at_;
    const char c = text_[at_];
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '\'') return string(Escapes::kNone, TokenKind::kString);
    if (c == '`') return quoted_name();
    if (prefixed_string()) return;
    if (is_word_start(c)) return word();
    symbol();
  }

  enum class Escapes { kNone, kBackslash };

  /// `E'…'`, `U&'…'`, `N'…'`, `x'…'`: the letter belongs to the string only when the quote follows at once.
  bool prefixed_string() {
    const char c = static_cast<char>(text_[at_] | 0x20);
    const bool unicode = c == 'u' && peek(1) == '&' && peek(2) == '\'';
    if (!unicode && ((c != 'e' && c != 'x' && c != 'n') || peek(1) != '\'')) return false;
    at_ += unicode ? 2 : 1;
    string(c == 'e' ? Escapes::kBackslash : Escapes::kNone,
           c == 'x' ? TokenKind::kBinary : TokenKind::kString);
    return true;
  }

  /// Stands at the opening quote.
  void string(Escapes escapes, TokenKind kind) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (escapes == Escapes::kBackslash && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '\'') {
        if (peek(1) != '\'') {
          ++at_;
          return emit(kind);
        }
        ++at_;
      }
    }
    unterminated("this string is never closed: the second ' is missing");
  }

  void quoted_name() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] != '`') continue;
      ++at_;
      if (peek() == '`') continue;
      if (at_ - begin_ == 2) return invalid("a name in backticks must not be empty");
      return emit(TokenKind::kQuoted);
    }
    unterminated("this name is never closed: the second ` is missing");
  }

  /// Marks the first line only; the rest of the file is inside the quotes.
  void unterminated(std::string message) {
    at_ = text_.size();
    const std::size_t line_end = std::min(text_.find('\n', begin_), text_.size());
    diagnostics_.error(span(begin_, line_end), std::move(message));
    emit(TokenKind::kInvalid);
  }

  void number() {
    TokenKind kind = TokenKind::kInteger;
    digits();
    if (peek() == '.' && !is_word_start(peek(1)) && peek(1) != '.') {
      kind = TokenKind::kDecimal;
      ++at_;
      digits();
    }
    if (exponent()) kind = TokenKind::kDouble;
    if (!is_word_part(peek())) return emit(kind);
    while (is_word_part(peek())) ++at_;
    invalid(fmt::format("'{}' is neither a number nor a name", text_.substr(begin_, at_ - begin_)),
            "a name that begins with a digit needs backticks");
  }

  void digits() {
    while (is_digit(peek())) ++at_;
  }

  bool exponent() {
    if (peek() != 'e' && peek() != 'E') return false;
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (!is_digit(peek(1 + sign))) return false;
    at_ += 1 + sign;
    digits();
    return true;
  }

  void word() {
    if (false_space()) return;
    while (is_word_part(peek())) {
      for (const auto space : kFalseSpaces) {
        if (rest().starts_with(space)) return emit(TokenKind::kWord);
      }
      ++at_;
    }
    emit(TokenKind::kWord);
  }

  bool false_space() {
    for (const auto space : kFalseSpaces) {
      if (!rest().starts_with(space)) continue;
      at_ += space.size();
      invalid("this looks like a space, but is another character", "replace it by a plain space");
      return true;
    }
    return false;
  }

  void symbol() {
    if (rest().starts_with("/*+")) return hint_begin();
    if (in_hint_ && rest().starts_with("*/")) return hint_end();
    for (const auto symbol : kLongSymbols) {
      if (!rest().starts_with(symbol)) continue;
      at_ += symbol.size();
      return emit(TokenKind::kSymbol);
    }
    ++at_;
    if (text_[begin_] == ';') in_hint_ = false;
    if (kShortSymbols.find(text_[begin_]) != std::string_view::npos) return emit(TokenKind::kSymbol);
    stray();
  }

  void hint_begin() {
    in_hint_ = true;
    at_ += 3;
    emit(TokenKind::kSymbol);
  }

  void hint_end() {
    in_hint_ = false;
    at_ += 2;
    emit(TokenKind::kSymbol);
  }

  /// One report for a run of equal bytes, so that a file of zeros is one error.
  void stray() {
    const char c = text_[begin_];
    if (c == '"') return double_quoted();
    while (peek() == c && at_ < text_.size()) ++at_;
    if (c > ' ' && c < '\x7f') return invalid(fmt::format("'{}' means nothing here", c));
    invalid(
        fmt::format("the byte 0x{:02X} is no text", static_cast<unsigned>(static_cast<unsigned char>(c))));
  }

  void double_quoted() {
    const std::size_t close = text_.find_first_of("\"\n", at_);
    if (close != std::string_view::npos && text_[close] == '"') at_ = close + 1;
    invalid("double quotes quote nothing in this dialect", "strings take '…', names take `…`");
  }

  std::string_view text_;
  Diagnostics& diagnostics_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;     ///< The next byte to read.
  std::size_t begin_ = 0;  ///< Where the current token began.
  bool in_hint_ = false;   ///< Between `/*+` and `*/`.
};

}  // namespace

std::vector<Token> tokenize(const SourceText& source, Diagnostics& diagnostics) {
  return Lexer(source, diagnostics).run();
}

}  // namespace leat::sql
