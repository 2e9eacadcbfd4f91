#include "pipelines/sql/diagnostic.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pipelines/sql/secret_text.h"

namespace leat::sql {
namespace {

constexpr std::size_t kShownCharacters = 160;  ///< Of a line; longer ones are cut around the span.
constexpr std::size_t kShownBefore = 60;       ///< Of these at most so many stand before the span.
constexpr std::string_view kIndent = "  ";

/// The part of a line that is shown, and which of it is marked; all in bytes of `text`.
struct Excerpt {
  std::string_view text;
  std::size_t mark_begin = 0;
  std::size_t mark_end = 0;
  bool cut_front = false;
  bool cut_back = false;
};

std::size_t skip_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (count-- > 0 && at < text.size()) at += character_length(text.substr(at));
  return at;
}

Excerpt excerpt_of(const Diagnostic& diagnostic, const SourceText& source) {
  const std::size_t number = source.position(diagnostic.span.begin).line;
  const std::string_view line = source.line(number);
  const std::size_t origin = source.line_begin(number);
  const std::size_t begin = std::min<std::size_t>(diagnostic.span.begin - origin, line.size());
  const std::size_t end = std::clamp<std::size_t>(diagnostic.span.end - origin, begin, line.size());
  Excerpt excerpt{line, begin, end};
  const std::size_t before = count_characters(line.substr(0, begin));
  if (before > kShownBefore && count_characters(line) > kShownCharacters) {
    const std::size_t cut = skip_characters(line, before - kShownBefore);
    excerpt = {line.substr(cut), begin - cut, end - cut, true};
  }
  const std::size_t shown = skip_characters(excerpt.text, kShownCharacters);
  excerpt.cut_back = shown < excerpt.text.size();
  excerpt.text = excerpt.text.substr(0, shown);
  excerpt.mark_end = std::min(excerpt.mark_end, shown);
  return excerpt;
}

/// Shows control characters (but tabs) and bytes that are no UTF-8 as one '?', so that a terminal survives.
void append_printable(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const auto first = static_cast<unsigned char>(text.front());
    const bool bad = length == 1 && (first >= 0x7F || (first < 0x20 && first != '\t'));
    out += bad ? std::string_view("?") : text.substr(0, length);
    text.remove_prefix(length);
  }
}

/// The blanks under the text before the mark: tabs stay tabs, so that the caret stands right at any tab
/// width.
void append_blanks(std::string& out, std::string_view text) {
  while (!text.empty()) {
    out += text.front() == '\t' ? '\t' : ' ';
    text.remove_prefix(character_length(text));
  }
}

void append_excerpt(std::string& out, const Excerpt& excerpt) {
  const std::string_view ellipsis = excerpt.cut_front ? "…" : "";
  out.append(kIndent).append(ellipsis);
  append_printable(out, excerpt.text);
  out.append(excerpt.cut_back ? "…\n" : "\n").append(kIndent);
  append_blanks(out, ellipsis);
  append_blanks(out, excerpt.text.substr(0, excerpt.mark_begin));
  out += '^';
  const std::string_view marked =
      excerpt.text.substr(excerpt.mark_begin, excerpt.mark_end - excerpt.mark_begin);
  const std::size_t width = count_characters(marked);
  if (width > 1) out.append(width - 1, '~');
  out += '\n';
}

}  // namespace

void Diagnostics::error(SourceSpan span, std::string message, std::string hint) {
  add({Severity::kError, span, std::move(message), std::move(hint)});
}

void Diagnostics::warning(SourceSpan span, std::string message, std::string hint) {
  add({Severity::kWarning, span, std::move(message), std::move(hint)});
}

/// The same at the same place is said once: a table is bound again for each query that gives it other
/// options.
void Diagnostics::add(Diagnostic diagnostic) {
  const auto same = [&](const Diagnostic& known) {
    return known.span == diagnostic.span && known.severity == diagnostic.severity &&
           known.message == diagnostic.message;
  };
  if (std::ranges::any_of(items_, same)) return;
  ++(diagnostic.severity == Severity::kError ? error_count_ : warning_count_);
  if (items_.size() < kMaxKept) items_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<Diagnostic> result = items_;
  std::ranges::stable_sort(result, {}, [](const Diagnostic& item) { return item.span.begin; });
  return result;
}

std::string HiddenText::render(const Diagnostic& diagnostic, const SourceText& source) const {
  const SourcePosition place = source.position(diagnostic.span.begin);
  const std::string_view severity = diagnostic.severity == Severity::kError ? "error" : "warning";
  std::string out = fmt::format("{}:{}:{}: {}: ", source.file(), place.line, place.column, severity);
  // The line that is shown may hold a password, and so may the message quote one.
  append_printable(out, without_secrets(diagnostic.message));
  out += '\n';
  const SourceText shown(source.file(), text());
  Diagnostic moved = diagnostic;
  moved.span = {place_of(diagnostic.span.begin), place_of(diagnostic.span.end)};
  append_excerpt(out, excerpt_of(moved, shown));
  if (!diagnostic.hint.empty()) {
    out.append(kIndent).append("hint: ");
    append_printable(out, without_secrets(diagnostic.hint));
    out += '\n';
  }
  return out;
}

std::string render(const Diagnostic& diagnostic, const SourceText& source) {
  return HiddenText(source.text()).render(diagnostic, source);
}

std::string render(const Diagnostics& diagnostics, const SourceText& source) {
  std::string out;
  const HiddenText hidden(source.text());
  const auto items = diagnostics.sorted();
  for (const auto& item : items) out += hidden.render(item, source);
  const std::size_t total = diagnostics.error_count() + diagnostics.warning_count();
  if (total > items.size()) out += fmt::format("… and {} more\n", total - items.size());
  return out;
}

}  // namespace leat::sql
