#include "pipelines/sql/parser_core.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "pipelines/base/nearest.h"
#include "pipelines/sql/lexer.h"
#include "pipelines/sql/parser.h"
#include "pipelines/sql/string_literal.h"

namespace leat::sql {
namespace {

/// Parentheses and the like may nest so deep; each level costs a handful of stack frames.
constexpr std::uint32_t kMaxNesting = 150;
/// Of a token, in a message.
constexpr std::size_t kShownBytes = 40;

/// What may follow where an alias stands; a misspelt one is read as an alias first.
constexpr auto kClauseStarts = std::to_array<std::string_view>(
    {"FROM",  "WHERE",  "GROUP", "HAVING", "QUALIFY",   "WINDOW",  "ORDER",
     "LIMIT", "OFFSET", "FETCH", "UNION",  "INTERSECT", "EXCEPT",  "JOIN",
     "INNER", "LEFT",   "RIGHT", "FULL",   "CROSS",     "NATURAL", "MATCH_RECOGNIZE"});

std::string shown(std::string_view text) {
  if (text.size() <= kShownBytes) return std::string(text);
  std::size_t cut = 0;
  while (cut < kShownBytes) cut += character_length(text.substr(cut));
  return fmt::format("{}…", text.substr(0, cut));
}

std::string describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "the end of the text";
    case TokenKind::kString:
      return fmt::format("the string {}", shown(token.text));
    case TokenKind::kBinary:
      return fmt::format("the binary literal {}", shown(token.text));
    case TokenKind::kQuoted:
      return fmt::format("the name {}", shown(token.text));
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kDouble:
      return fmt::format("the number {}", shown(token.text));
    case TokenKind::kWord:
    case TokenKind::kSymbol:
    case TokenKind::kInvalid:
      break;
  }
  return fmt::format("'{}'", shown(token.text));
}

template <class Range>
std::string meant(const Token& token, const Range& keywords) {
  if (token.kind != TokenKind::kWord || token.text.size() > kShownBytes) return {};
  const std::vector<std::string> candidates(keywords.begin(), keywords.end());
  return did_you_mean(token.text, candidates);
}

}  // namespace

Parser::Parser(std::vector<Token> tokens, Diagnostics& diagnostics)
    : tokens_(std::move(tokens)), diagnostics_(diagnostics) {}

Parser::Nesting::Nesting(Parser& parser) : parser_(parser) {
  if (++parser_.nesting_ <= kMaxNesting) return;
  parser_.error(parser_.peek().span, fmt::format("nested more than {} levels deep", kMaxNesting),
                "split it with views or WITH");
}

Parser::Nesting::~Nesting() {
  --parser_.nesting_;
}

const Token& Parser::peek(std::size_t ahead) const {
  return failed_ ? tokens_.back() : tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

void Parser::advance() {
  if (!failed_ && at_ + 1 < tokens_.size()) ++at_;
}

const Token& Parser::previous() const {
  return tokens_[at_ == 0 ? 0 : at_ - 1];
}

bool Parser::at(std::string_view symbol, std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool Parser::at_word(std::string_view word, std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kWord && same_word(token.text, word);
}

bool Parser::at_any_word(Words words, std::size_t ahead) const {
  return std::ranges::any_of(words, [&](std::string_view word) { return at_word(word, ahead); });
}

bool Parser::at_words(Words words) const {
  std::size_t ahead = 0;
  return std::ranges::all_of(words, [&](std::string_view word) { return at_word(word, ahead++); });
}

bool Parser::at_name(std::size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::kQuoted || (token.kind == TokenKind::kWord && token.use == WordUse::kFree);
}

bool Parser::at_query() const {
  return at_any_word({"SELECT", "WITH", "VALUES"}) || (at_word("TABLE") && !at("(", 1));
}

bool Parser::accept(std::string_view symbol) {
  if (!at(symbol)) return false;
  advance();
  return true;
}

bool Parser::accept_word(std::string_view word) {
  if (!at_word(word)) return false;
  advance();
  return true;
}

bool Parser::accept_words(Words words) {
  if (!at_words(words)) return false;
  for (std::size_t i = 0; i < words.size(); ++i) advance();
  return true;
}

void Parser::expect(std::string_view symbol, std::string_view after) {
  if (accept(symbol)) return;
  error_expected(after.empty() ? fmt::format("'{}'", symbol) : fmt::format("'{}' {}", symbol, after));
}

void Parser::expect_word(std::string_view word) {
  if (!accept_word(word)) error_expected(word, {word});
}

void Parser::expect_words(Words words) {
  for (const auto word : words) expect_word(word);
}

SourceSpan Parser::since(const Token& first) const {
  return since(first.span);
}

SourceSpan Parser::since(SourceSpan first) const {
  return {first.begin, std::max(first.end, previous().span.end)};
}

void Parser::error(SourceSpan span, std::string message, std::string hint) {
  if (failed_) return;
  diagnostics_.error(span, std::move(message), std::move(hint));
  failed_ = true;
}

void Parser::error_expected(std::string_view what, Words keywords) {
  if (failed_ || blame_alias(what)) return;
  const Token& token = peek();
  if (token.kind == TokenKind::kInvalid) {
    failed_ = true;  // The lexer has said it already.
    return;
  }
  // The end of a text is often lines away: point behind the last word instead.
  const std::uint32_t end = previous().span.end;
  const SourceSpan span = token.kind == TokenKind::kEnd ? SourceSpan{end, end} : token.span;
  error(span, fmt::format("expected {}, found {}{}", what, describe(token), meant(token, keywords)));
}

void Parser::error_expected_name(std::string_view what, Words keywords) {
  const Token& token = peek();
  const bool reserved =
      token.kind == TokenKind::kWord && (token.use == WordUse::kReserved || token.use == WordUse::kCallable);
  if (!reserved) return error_expected(what, keywords);
  error(token.span, fmt::format("expected {}, found '{}', which is a reserved word", what, token.text),
        fmt::format("to use it as a name, write it in backticks: `{}`", token.text));
}

/// `SELECT a FORM t`: FORM was read as an alias, and the error shows at t. Points at FORM instead.
bool Parser::blame_alias(std::string_view what) {
  if (implicit_alias_ == 0 || implicit_alias_ != at_) return false;
  const Token& alias = previous();
  const std::string advice = alias.text.size() < 3 ? "" : meant(alias, kClauseStarts);
  if (advice.empty()) return false;
  error(alias.span, fmt::format("expected {}, found {}{}", what, describe(alias), advice));
  return true;
}

/// Goes behind the `;` that ends the statement, or to the end of the text.
void Parser::recover() {
  failed_ = false;
  while (peek().kind != TokenKind::kEnd && !at(";")) advance();
}

Identifier Parser::identifier(std::string_view what) {
  const Token& token = peek();
  if (!at_name()) {
    error_expected_name(what);
    return {{}, token.span};
  }
  advance();
  if (token.kind == TokenKind::kQuoted) return {decode_quoted_name(token.text), token.span, true};
  return {std::string(token.text), token.span, false};
}

std::vector<Identifier> Parser::identifier_list(std::string_view what) {
  expect("(");
  std::vector<Identifier> result;
  do {
    result.push_back(identifier(what));
  } while (accept(","));
  expect(")");
  return result;
}

Name Parser::name(std::string_view what) {
  Name result;
  do {
    result.parts.push_back(identifier(what));
  } while (accept("."));
  result.span = join(result.parts.front().span, result.parts.back().span);
  return result;
}

std::string Parser::decoded_string(const Token& token) {
  char escape = '\\';
  SourceSpan span = token.span;
  if ((token.text.front() | 0x20) == 'u' && accept_word("UESCAPE")) {
    const Token& written = peek();
    span = written.span;
    if (written.kind != TokenKind::kString || written.text.size() != 3)
      error_expected("one character in quotes");
    advance();
    if (!failed_) escape = written.text[1];
  }
  auto text = decode_string(token.text, escape);
  if (text) return *std::move(text);
  error(token.span, std::move(text.error().message));
  return {};
}

StringWord Parser::string_word(std::string_view what) {
  const Token& token = peek();
  if (token.kind != TokenKind::kString) {
    error_expected(what);
    return {{}, token.span};
  }
  advance();
  std::string text = decoded_string(token);
  return {std::move(text), since(token)};
}

std::int64_t Parser::integer(std::string_view what) {
  const Token& token = peek();
  std::int64_t value = 0;
  if (token.kind != TokenKind::kInteger) {
    error_expected(what);
    return value;
  }
  const auto [end, problem] =
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
  if (problem != std::errc{}) error(token.span, fmt::format("{} is too large", shown(token.text)));
  advance();
  return value;
}

// option := 'key' '=' 'value'
Option Parser::option(std::string_view what) {
  Option result;
  result.key = string_word(what);
  expect("=", "after the key");
  result.value = string_word("a value in quotes");
  return result;
}

// options := '(' [ option { ',' option } ] ')'
std::vector<Option> Parser::options(std::string_view what) {
  std::vector<Option> result;
  expect("(");
  if (accept(")")) return result;
  do {
    result.push_back(option(what));
  } while (accept(","));
  if (!accept(")")) error_expected("',' or ')' after the option");
  return result;
}

// hints := '/*+' hint { ',' hint } '*/'
std::vector<Hint> Parser::hints() {
  std::vector<Hint> result;
  if (!accept("/*+")) return result;
  do {
    result.push_back(hint());
  } while (accept(","));
  expect("*/", "after the hint");
  return result;
}

// hint := name [ '(' ( option { ',' option } | argument { ',' argument } ) ')' ]
Hint Parser::hint() {
  const Token& first = peek();
  Hint result;
  result.name = identifier("a hint's name");
  if (at("(") && peek(1).kind == TokenKind::kString && at("=", 2)) {
    result.options = options("a key in quotes");
  } else if (accept("(")) {
    do {
      const Token& argument = peek();
      if (argument.kind == TokenKind::kString) {
        result.arguments.push_back(string_word("an argument"));
      } else if (argument.kind == TokenKind::kInteger) {
        advance();
        result.arguments.push_back({std::string(argument.text), argument.span});
      } else {
        Name named = name("an argument");
        result.arguments.push_back({named.to_string(), named.span});
      }
    } while (accept(","));
    expect(")");
  }
  result.span = since(first);
  return result;
}

Script parse_script(const SourceText& source, Diagnostics& diagnostics) {
  const std::string_view text = source.text();
  if (text.size() > kMaxScriptBytes) {
    diagnostics.error({}, fmt::format("the text is longer than {} bytes", kMaxScriptBytes));
    return {};
  }
  if (const std::size_t valid = valid_prefix(text); valid < text.size()) {
    const auto at = static_cast<std::uint32_t>(valid);
    const auto byte = static_cast<unsigned char>(text[valid]);
    diagnostics.error({at, at + 1},
                      fmt::format("the byte 0x{:02X} is not valid UTF-8", static_cast<unsigned>(byte)),
                      "save the file as UTF-8");
  }
  return Parser(tokenize(source, diagnostics), diagnostics).script();
}

}  // namespace leat::sql
