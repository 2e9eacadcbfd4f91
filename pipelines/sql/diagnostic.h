// What is wrong with a pipeline file, and the one way it is shown. Lexer, parser and binder add to one
// Diagnostics, so that several errors of a file are reported together; the command line, the REST API and the
// log all show what `render` makes of them.
#pragma once

#include <string>
#include <vector>

#include "pipelines/sql/source_span.h"

namespace leat::sql {

enum class Severity : std::uint8_t {
  kError,    ///< The file does not run.
  kWarning,  ///< It runs; the user should know.
};

struct Diagnostic {
  Severity severity = Severity::kError;
  /// The offending text. An empty span puts the caret between two characters or behind the last one.
  SourceSpan span;
  /// One sentence, lower-case start, no full stop, without the place: "expected ')', found 'FROM'".
  std::string message;
  /// What to do about it, shown on a line of its own; may be empty.
  std::string hint;
};

class Diagnostics {
 public:
  /// Beyond this many, further ones are only counted: a file of garbage must not make a megabyte of text.
  static constexpr std::size_t kMaxKept = 100;

  void error(SourceSpan span, std::string message, std::string hint = {});
  void warning(SourceSpan span, std::string message, std::string hint = {});

  /// In order of their place, equal places in order of arrival.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;
  [[nodiscard]] std::size_t error_count() const { return error_count_; }
  [[nodiscard]] std::size_t warning_count() const { return warning_count_; }
  [[nodiscard]] bool has_errors() const { return error_count_ > 0; }

 private:
  void add(Diagnostic diagnostic);

  std::vector<Diagnostic> items_;
  std::size_t error_count_ = 0;
  std::size_t warning_count_ = 0;
};

/// Several lines, each ended by "\n":
///   pipelines/fleet.sql:3:9: error: unknown column 'temprature' (did you mean 'temperature'?)
///     SELECT temprature FROM readings
///            ^~~~~~~~~~
///     hint: …
/// A span of several lines is marked to the end of its first. A long line is cut around the span. Secrets in
/// the line and in the message show as *** (secret_text.h).
std::string render(const Diagnostic& diagnostic, const SourceText& source);

/// All of them in order of their place, and how many more there were.
std::string render(const Diagnostics& diagnostics, const SourceText& source);

}  // namespace leat::sql
