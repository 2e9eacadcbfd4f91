#include "pipelines/sql/source_span.h"

#include <doctest/doctest.h>

namespace leat::sql {

TEST_CASE("positions count lines and characters from one") {
  const SourceText source("x.sql", "ab\nüx\r\n\ty");
  CHECK(source.position(0) == SourcePosition{1, 1});
  CHECK(source.position(2) == SourcePosition{1, 3});
  CHECK(source.position(3) == SourcePosition{2, 1});
  CHECK(source.position(5) == SourcePosition{2, 2});
  CHECK(source.position(9) == SourcePosition{3, 2});
  CHECK(source.position(1000) == SourcePosition{3, 3});
}

TEST_CASE("lines come without their breaks") {
  const SourceText source("x.sql", "ab\nüx\r\n\ty");
  CHECK(source.line(1) == "ab");
  CHECK(source.line(2) == "üx");
  CHECK(source.line(3) == "\ty");
  CHECK(source.line(4).empty());
}

TEST_CASE("spans beyond the text are cut") {
  const SourceText source("x.sql", "abc");
  CHECK(source.at({1, 99}) == "bc");
  CHECK(source.at({50, 99}).empty());
}

TEST_CASE("only valid UTF-8 makes characters of several bytes") {
  CHECK(count_characters("aé☺😀") == 4);
  CHECK(count_characters("\xC3(") == 2);
  CHECK(count_characters("\xE0\x80\x80") == 3);
  CHECK(valid_prefix("é\xFF") == 2);
  CHECK(valid_prefix("é☺") == 5);
  CHECK(valid_prefix("\xED\xA0\x80") == 0);
}

}  // namespace leat::sql
