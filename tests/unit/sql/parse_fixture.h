// Verbs for the tests of the front end: parse a text, look at one thing of it.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "pipelines/sql/parser.h"

namespace leat::sql {

/// A parsed text that stays alive with its tree.
struct Parsed {
  explicit Parsed(std::string_view sql);

  /// The only statement, which must be a Node.
  template <class Node>
  const Node& only() const {
    INFO(render(diagnostics, source));
    REQUIRE(script.statements.size() == 1);
    const Node* node = as<Node>(*script.statements.front());
    REQUIRE(node != nullptr);
    return *node;
  }
  /// The only statement, a query, and its SELECT.
  const Query& query() const;
  const Select& select() const;
  /// The first item of the SELECT.
  const Expression& item() const;

  std::string text;
  SourceText source;
  Diagnostics diagnostics;
  Script script;
};

/// Parses `SELECT expression` and prints the tree: operators fully parenthesised, all else as
/// NAME(arguments).
std::string tree(std::string_view expression);
std::string tree(const Expression& expression);
std::string tree(const TypeName& type);
std::string tree(const RowPattern& pattern);

/// What a user sees of a text named x.sql; "" if nothing is wrong.
std::string errors(std::string_view sql);
/// The message of the first error; "" if nothing is wrong.
std::string first_error(std::string_view sql);
bool parses(std::string_view sql);

}  // namespace leat::sql
