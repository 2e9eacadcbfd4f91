// Names as they stand in the text.
#pragma once

#include <string>
#include <vector>

#include "pipelines/sql/source_span.h"

namespace leat::sql {

/// One name: `sensor` or `` `my sensor` ``. Names keep their case and compare by it, as in Flink.
struct Identifier {
  std::string text;  ///< Without the backticks, doubled ones undone.
  SourceSpan span;   ///< With the backticks.
  bool quoted = false;
};

/// A dotted name: `[catalog.][database.]table`. Never empty.
struct Name {
  std::vector<Identifier> parts;
  SourceSpan span;

  [[nodiscard]] const std::string& last() const { return parts.back().text; }
  /// The parts with dots between, unquoted: how messages name it.
  [[nodiscard]] std::string to_string() const;
  /// The same without Flink's default catalog and database, `default_catalog.default_database.` in front of
  /// a table's name: how the tables of a file are found.
  [[nodiscard]] std::string table_key() const;
};

/// A string literal used as a word of a clause: an option's key or value, a comment, a metadata key.
struct StringWord {
  std::string text;  ///< Decoded.
  SourceSpan span;   ///< With the quotes.
};

/// `'key' = 'value'` of WITH, OPTIONS and SET.
struct Option {
  StringWord key;
  StringWord value;
};

/// `/*+ NAME('k' = 'v', …) */` or `/*+ NAME(a, b) */`, behind a table or SELECT.
struct Hint {
  Identifier name;
  std::vector<Option> options;
  std::vector<StringWord> arguments;  ///< Of the second form: names, strings or numbers as text.
  SourceSpan span;
};

}  // namespace leat::sql
