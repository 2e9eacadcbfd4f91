#include "pipelines/sql/diagnostic.h"

#include <doctest/doctest.h>

#include <string>

namespace leat::sql {
namespace {

std::string shown(std::string_view text, SourceSpan span, std::string hint = {}) {
  const SourceText source("x.sql", text);
  return render({Severity::kError, span, "wrong", std::move(hint)}, source);
}

}  // namespace

TEST_CASE("a caret and tildes stand under the text") {
  CHECK(shown("a bcd e", {2, 5}, "do better") ==
        "x.sql:1:3: error: wrong\n  a bcd e\n    ^~~\n  hint: do better\n");
}

TEST_CASE("tabs before the caret stay tabs, characters of several bytes are one column") {
  CHECK(shown("\tü b", {4, 5}) == "x.sql:1:4: error: wrong\n  \tü b\n  \t  ^\n");
  CHECK(shown("温度x", {0, 6}) == "x.sql:1:1: error: wrong\n  温度x\n  ^~\n");
}

TEST_CASE("a span of several lines is marked to the end of its first") {
  CHECK(shown("ab\ncd", {1, 5}) == "x.sql:1:2: error: wrong\n  ab\n   ^\n");
}

TEST_CASE("an empty span puts the caret behind the last character") {
  CHECK(shown("ab", {2, 2}) == "x.sql:1:3: error: wrong\n  ab\n    ^\n");
}

TEST_CASE("a long line is cut around the span") {
  const std::string text = std::string(1000, 'a') + "XYZ" + std::string(1000, 'b');
  const std::string out = shown(text, {1000, 1003});
  CHECK(out.size() < 600);
  CHECK(out.find("x.sql:1:1001:") == 0);
  CHECK(out.find("aXYZb") != std::string::npos);
  CHECK(out.find("\n" + std::string(2 + 1 + 60, ' ') + "^~~\n") != std::string::npos);
}

TEST_CASE("control characters never reach the terminal") {
  CHECK(shown("a\x1b[31m", {0, 1}) == "x.sql:1:1: error: wrong\n  a?[31m\n  ^\n");
}

TEST_CASE("diagnostics come in the order of the text, and not without end") {
  Diagnostics diagnostics;
  diagnostics.error({5, 6}, "second");
  diagnostics.warning({0, 1}, "first");
  CHECK(diagnostics.sorted().front().message == "first");
  CHECK(diagnostics.error_count() == 1);
  for (int i = 0; i < 1000; ++i) diagnostics.error({1, 2}, "again " + std::to_string(i));
  CHECK(diagnostics.sorted().size() == Diagnostics::kMaxKept);
  const SourceText source("x.sql", "abcdefg");
  CHECK(render(diagnostics, source).ends_with("… and 902 more\n"));
}

TEST_CASE("the same error at the same place is told once") {
  Diagnostics diagnostics;
  for (int i = 0; i < 3; ++i) diagnostics.error({1, 2}, "wrong");
  diagnostics.error({2, 3}, "wrong");
  diagnostics.warning({1, 2}, "wrong");
  CHECK(diagnostics.error_count() == 2);
  CHECK(diagnostics.sorted().size() == 3);
}

}  // namespace leat::sql
