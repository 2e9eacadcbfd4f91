#include "daemon/cli/pipeline_text.h"

#include <doctest/doctest.h>

#include "daemon/cli/result_writer.h"
#include "tests/support/temporary_folder.h"

using namespace leat;
using namespace leat::cli;

TEST_CASE("a setting is split at its first equals sign") {
  const auto settings = parse_settings({"a.b=1", "filter=x=y", "empty="});
  REQUIRE(settings);
  CHECK(*settings == OptionMap{{"a.b", "1"}, {"empty", ""}, {"filter", "x=y"}});
}

TEST_CASE("a later setting wins over an earlier one of the same key") {
  CHECK(parse_settings({"a=1", "a=2"})->at("a") == "2");
}

TEST_CASE("a setting without key or value is refused and shown") {
  for (const std::string wrong : {"novalue", "=1", ""}) {
    const auto settings = parse_settings({wrong});
    REQUIRE_FALSE(settings);
    CHECK(settings.error().message == "--set: expected KEY=VALUE, found '" + wrong + "'");
  }
}

TEST_CASE("a pipeline comes from the command line, or whole from its file") {
  CHECK(read_pipeline("", "SELECT 1")->name == "<command line>");
  const test::TemporaryFolder folder;
  folder.write("p.sql", std::string("SELECT '\0'\r\n", 13));
  const auto text = read_pipeline(folder.file("p.sql"), "");
  REQUIRE(text);
  CHECK(text->name == folder.file("p.sql"));
  CHECK(text->text == std::string("SELECT '\0'\r\n", 13));
}

TEST_CASE("a pipeline that is a folder, or not there, is named") {
  const test::TemporaryFolder folder;
  CHECK(read_pipeline(folder.path(), "").error().message ==
        folder.path() + ": is a folder, expected a pipeline file");
  CHECK(read_pipeline(folder.file("none.sql"), "").error().message.find("none.sql") != std::string::npos);
}

TEST_CASE("the forms of the output have their names, and a wrong one is refused") {
  CHECK(*parse_output_form("table") == OutputForm::kTable);
  CHECK(*parse_output_form("jsonl") == OutputForm::kJsonLines);
  CHECK(*parse_output_form("csv") == OutputForm::kCsv);
  CHECK(*parse_output_form("changelog") == OutputForm::kChangelog);
  CHECK(parse_output_form("xml").error().message.find("xml") != std::string::npos);
}
