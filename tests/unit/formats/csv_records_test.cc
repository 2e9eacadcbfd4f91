#include "pipelines/formats/csv_records.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace leat::formats {
namespace {

using Texts = std::vector<std::string>;

/// What the records of a file are when it is read in chunks of `chunk` bytes, as the source does.
Texts records(const std::string& file, std::size_t chunk, const CsvOptions& options = {}) {
  const CsvRecords split(options);
  Texts found;
  std::string_view rest = file;
  for (std::size_t size = chunk; !rest.empty();) {
    const bool all = size >= rest.size();
    std::size_t whole = split.whole(rest.substr(0, size), Behind::kMore);
    if (whole == 0 && all) whole = rest.size();
    if (whole == 0) {
      size *= 2;
      continue;
    }
    for (std::string_view payload = rest.substr(0, whole); !payload.empty();) {
      const std::size_t record = split.first(payload, Behind::kNothing);
      found.emplace_back(payload.substr(0, record));
      payload.remove_prefix(record);
    }
    rest.remove_prefix(whole);
    size = chunk;
  }
  return found;
}

void check(const Texts& want, const CsvOptions& options = {}) {
  std::string file;
  for (const std::string& record : want) file += record;
  for (std::size_t chunk = 1; chunk < file.size() + 2; ++chunk) CHECK(records(file, chunk, options) == want);
}

TEST_CASE("without quotes a record is a line") {
  check({"a,b\n", "\n", "c,d\r\n", "e"});
}

TEST_CASE("a line's end within quotes belongs to the record") {
  check({"1,\"a\nb\",2\n", "3,c,4\n", "\"x\n\ny\"\n", "5\n"});
}

TEST_CASE("a doubled quote closes nothing") {
  check({"\"a\"\"\nb\",\"\"\n", "c\n"});
}

TEST_CASE("the last record may lack its line's end") {
  check({"1,2\n", "\"a\nb\",c"});
}

TEST_CASE("a quote within a field that is not quoted means nothing") {
  check({"5\" pipe,1\n", "6\" pipe,2\n"});
}

TEST_CASE("text behind a closing quote does not run on") {
  check({"\"a\"b\n", "c\n"});
}

TEST_CASE("a quote that is never closed costs its line only") {
  check({"\"a,1\n", "b,2\n", "c,3\n"});
}

TEST_CASE("a quote that is not closed within the bound costs its line only") {
  const std::string line = std::string(1000, 'x') + "\n";
  std::string file = "\"open\n";
  while (file.size() < kMaxQuotedRecord + 5000) file += line;
  file += "\"closed\"\n";
  const Texts found = records(file, 4096);
  REQUIRE(found.size() > 1000);
  CHECK(found[0] == "\"open\n");
  CHECK(found[1] == line);
  CHECK(found.back() == "\"closed\"\n");
}

TEST_CASE("a quoted field runs over so many lines, and no more") {
  const auto lines = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += "x\n";
    return text;
  };
  const std::string most = "\"" + lines(kMaxQuotedLines - 1) + "\"\n";
  CHECK(records(most + "y\n", 4096) == Texts{most, "y\n"});
  CHECK(records("\"" + lines(kMaxQuotedLines) + "\"\n", 4096).size() == kMaxQuotedLines + 1);
}

TEST_CASE("while more may come an open quote is waited for") {
  const CsvRecords split{CsvOptions{}};
  CHECK(split.whole("1\n\"a\nb", Behind::kMore) == 2);
  CHECK(split.whole("1\n\"a\nb", Behind::kNothing) == 6);
  CHECK(split.first("\"a\nb", Behind::kMore) == 0);
}

TEST_CASE("the options that change what a quote is count here, too") {
  CsvOptions none;
  none.disable_quote_character = true;
  check({"\"a\n", "b\"\n"}, none);
  CsvOptions single;
  single.quote_character = "'";
  check({"'a\nb'\n", "\"c\n"}, single);
  CsvOptions escaping;
  escaping.escape_character = "\\";
  check({"\"a\\\"\nb\"\n", "c\\,\"d\n", "e\n"}, escaping);
  CsvOptions trimming;
  trimming.trim_spaces = true;
  check({"1, \"a\nb\"\n", "2\n"}, trimming);
  CsvOptions comments;
  comments.allow_comments = true;
  check({"#\"a\n", "b\n"}, comments);
}

TEST_CASE("a byte order mark does not hide a quote") {
  check({"\xEF\xBB\xBF\"a\nb\"\n", "c\n"});
}

}  // namespace
}  // namespace leat::formats
