// The words of the language: what the lexer hands to the parser.
#pragma once

#include <cstdint>
#include <string_view>

#include "pipelines/sql/source_span.h"

namespace leat::sql {

enum class TokenKind : std::uint8_t {
  kEnd,      ///< behind the last token; its span is empty
  kWord,     ///< a name or a keyword; which one, only the grammar can tell
  kQuoted,   ///< `` `name` ``
  kInteger,  ///< `12`
  kDecimal,  ///< `1.5`, `.5`, `1.`
  kDouble,   ///< `1e0`
  kString,   ///< `'…'`, `E'…'`, `U&'…'`
  kBinary,   ///< `x'…'`
  kSymbol,   ///< punctuation and operators; `/*+` and `*/` around hints
  kInvalid,  ///< what the lexer has already reported; the statement around it fails
};

/// What a word may be used for besides being a keyword.
enum class WordUse : std::uint8_t {
  kFree,      ///< no keyword, or one that is also a name: `key`, `name`, `first`
  kReserved,  ///< a name only in backticks: `timestamp`, `value`
  kCallable,  ///< reserved, but a function's name before "(": YEAR(ts), LEFT(s, 2)
  kClause,    ///< reserved, and so much part of the grammar that nobody means a name: FROM, AND
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  WordUse use = WordUse::kFree;  ///< Of kWord.
  SourceSpan span;
  std::string_view text;  ///< As written, borrowed from the source.
};

/// How the dialect treats a word, in any case of letters.
WordUse word_use(std::string_view word);

/// Equal but for the case of ASCII letters; keywords are compared so.
bool same_word(std::string_view a, std::string_view b);

}  // namespace leat::sql
