#include <doctest/doctest.h>

#include <fstream>

#include "daemon/testing/test_folder.h"
#include "daemon/testing/test_run.h"
#include "tests/support/temporary_folder.h"

namespace leat::testing::test {
namespace {

namespace fs = std::filesystem;
using leat::test::TemporaryFolder;

constexpr std::string_view kPipeline = R"(
CREATE TABLE readings (device STRING, ts TIMESTAMP(3), topic STRING METADATA, WATERMARK FOR ts AS ts)
WITH ('connector' = 'mqtt', 'url' = 'mqtt://broker', 'topic' = 'a/#', 'format' = 'json');
CREATE TABLE counts (device STRING, n BIGINT) WITH ('connector' = 'http', 'url' = 'http://upstream', 'format' = 'json');
INSERT INTO counts SELECT device, COUNT(*) FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND)
WHERE topic = 'a/1' GROUP BY device, window_start, window_end;
)";
constexpr std::string_view kReadings =
    "{\"device\": \"a\", \"ts\": \"2026-01-01 00:00:01\", \"topic\": \"a/1\"}\n"
    "{\"device\": \"a\", \"ts\": \"2026-01-01 00:00:02\", \"topic\": \"a/2\"}\n"
    "{\"device\": \"a\", \"ts\": \"2026-01-01 00:00:31\", \"topic\": \"a/1\"}\n";

/// A folder with a pipeline and its input.
class Folder {
 public:
  Folder() {
    write("counts.sql", kPipeline);
    write("input/readings.jsonl", kReadings);
  }
  void write(const std::string& file, std::string_view text) {
    fs::create_directories((path() / file).parent_path());
    std::ofstream(path() / file) << text;
  }
  [[nodiscard]] std::string read(const std::string& file) const {
    std::ifstream stream(path() / file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  [[nodiscard]] fs::path path() const { return folder_.path(); }
  [[nodiscard]] std::string refused() const {
    const auto test = read_test(path());
    return test ? "" : test.error().message;
  }

 private:
  TemporaryFolder folder_;
};

bool says(const std::string& text, std::string_view part) {
  const bool found = text.find(part) != std::string::npos;
  CHECK_MESSAGE(found, text);
  return found;
}

TEST_CASE("a test passes when the tables give what is expected, metadata columns read from the file") {
  Folder folder;
  folder.write("expected/counts.txt", "+I[a, 1]\n+I[a, 1]\n");
  const auto verdict = run_test(folder.path(), Expectations::kCompare);
  REQUIRE(verdict);
  CHECK_MESSAGE(verdict->passed, verdict->detail);
}

TEST_CASE("a difference is shown as one") {
  Folder folder;
  folder.write("expected/counts.jsonl", "{\"device\":\"a\",\"n\":2}\n{\"device\":\"a\",\"n\":1}\n");
  const auto verdict = run_test(folder.path(), Expectations::kCompare);
  REQUIRE(verdict);
  CHECK_FALSE(verdict->passed);
  CHECK(says(verdict->detail, "- {\"device\":\"a\",\"n\":2}"));
  CHECK(says(verdict->detail, "+ {\"device\":\"a\",\"n\":1}"));
}

TEST_CASE("a test that expects nothing does not pass") {
  const Folder folder;
  CHECK_FALSE(run_test(folder.path(), Expectations::kCompare)->passed);
}

TEST_CASE("what comes out can be written as what is expected") {
  const Folder folder;
  REQUIRE(run_test(folder.path(), Expectations::kWrite)->passed);
  CHECK(folder.read("expected/counts.txt") == "+I[a, 1]\n+I[a, 1]\n");
  CHECK(run_test(folder.path(), Expectations::kCompare)->passed);
}

TEST_CASE("a dead letter that is not expected fails the test, an expected one does not") {
  Folder folder;
  folder.write("input/readings.jsonl", std::string(kReadings) + "{\"device\": \"b\", \"ts\": \"never\"}\n");
  folder.write("expected/counts.txt", "+I[a, 1]\n+I[a, 1]\n");
  const auto verdict = run_test(folder.path(), Expectations::kCompare);
  CHECK_FALSE(verdict->passed);
  CHECK(says(verdict->detail, "+ source readings: "));
  REQUIRE(run_test(folder.path(), Expectations::kWrite)->passed);
  CHECK(run_test(folder.path(), Expectations::kCompare)->passed);
}

TEST_CASE("left open, a test gives out what is due and no more; time may go on behind the last row") {
  Folder folder;
  folder.write("test.toml", "end = \"open\"\n");
  folder.write("expected/counts.txt", "+I[a, 1]\n");
  CHECK(run_test(folder.path(), Expectations::kCompare)->passed);
  folder.write(
      "test.toml",
      "end = \"open\"\nuntil = 2026-01-01T00:01:00Z\n[set]\n\"table.exec.source.idle-timeout\" = \"1 s\"");
  folder.write("expected/counts.txt", "+I[a, 1]\n+I[a, 1]\n");
  CHECK(run_test(folder.path(), Expectations::kCompare)->passed);
}

// A late row goes to the table with columns that the window itself does not need, and without those that no
// row has.
TEST_CASE("late rows go to the table that takes them, between the windows") {
  Folder folder;
  folder.write("counts.sql", R"(
SET 'leat.late-rows' = 'too_late';
CREATE TABLE readings (device STRING, ts TIMESTAMP(3), temperature INT, note STRING, WATERMARK FOR ts AS ts)
WITH ('connector' = 'mqtt', 'url' = 'mqtt://broker', 'topic' = 'a/#', 'format' = 'json');
CREATE TABLE counts (kind STRING, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE too_late (note STRING, device STRING, ts TIMESTAMP(3), temperature DOUBLE) WITH ('connector' = 'print');
INSERT INTO counts SELECT UPPER(device), COUNT(*)
FROM TUMBLE(TABLE readings, DESCRIPTOR(ts), INTERVAL '10' SECOND) GROUP BY UPPER(device), window_start, window_end;
)");
  folder.write(
      "input/readings.jsonl",
      "{\"device\": \"a\", \"ts\": \"2026-01-01 00:00:01\", \"temperature\": 20}\n"
      "{\"device\": \"a\", \"ts\": \"2026-01-01 00:00:12\", \"temperature\": 21}\n"
      "{\"device\": \"b\", \"ts\": \"2026-01-01 00:00:02\", \"temperature\": 99, \"note\": \"slow\"}\n"
      "{\"device\": \"b\", \"ts\": \"2026-01-01 00:00:13\", \"temperature\": 22}\n");
  folder.write("expected/counts.txt", "+I[A, 1]\n+I[A, 1]\n+I[B, 1]\n");
  folder.write("expected/too_late.txt", "+I[slow, b, 2026-01-01T00:00:02, 99.0]\n");
  const auto verdict = run_test(folder.path(), Expectations::kCompare);
  REQUIRE_MESSAGE(verdict, verdict.error().message);
  CHECK_MESSAGE(verdict->passed, verdict->detail);
}

TEST_CASE("late rows of OVER go there, too, with the columns that it passes on") {
  Folder folder;
  folder.write("counts.sql", R"(
SET 'leat.late-rows' = 'too_late';
CREATE TABLE readings (device STRING, ts TIMESTAMP(3), note STRING, WATERMARK FOR ts AS ts)
WITH ('connector' = 'mqtt', 'url' = 'mqtt://broker', 'topic' = 'a/#', 'format' = 'json');
CREATE TABLE counts (device STRING, n BIGINT) WITH ('connector' = 'print');
CREATE TABLE too_late (note STRING, ts TIMESTAMP(3)) WITH ('connector' = 'print');
INSERT INTO counts SELECT device, COUNT(*) OVER (PARTITION BY device ORDER BY ts) FROM readings;
)");
  folder.write("input/readings.jsonl",
               "{\"device\": \"a\", \"ts\": \"2026-01-01 00:00:09\", \"note\": \"first\"}\n"
               "{\"device\": \"a\", \"ts\": \"2026-01-01 00:00:01\", \"note\": \"late\"}\n");
  folder.write("expected/counts.txt", "+I[a, 1]\n");
  folder.write("expected/too_late.txt", "+I[late, 2026-01-01T00:00:01]\n");
  const auto verdict = run_test(folder.path(), Expectations::kCompare);
  REQUIRE_MESSAGE(verdict, verdict.error().message);
  CHECK_MESSAGE(verdict->passed, verdict->detail);
}

TEST_CASE("windows over processing time are those of the rows' own clock") {
  Folder folder;
  folder.write("counts.sql", R"(
SET 'table.local-time-zone' = 'UTC';
CREATE TABLE readings (device STRING, ts TIMESTAMP(3), seen AS PROCTIME(), WATERMARK FOR ts AS ts)
WITH ('connector' = 'mqtt', 'url' = 'mqtt://broker', 'topic' = 'a/#', 'format' = 'json');
CREATE TABLE counts (started TIMESTAMP(3), n BIGINT) WITH ('connector' = 'print');
INSERT INTO counts SELECT window_start, COUNT(*) FROM TUMBLE(TABLE readings, DESCRIPTOR(seen), INTERVAL '10' SECOND)
GROUP BY window_start, window_end;
)");
  folder.write("expected/counts.txt", "+I[2026-01-01T00:00, 2]\n+I[2026-01-01T00:00:30, 1]\n");
  const auto verdict = run_test(folder.path(), Expectations::kCompare);
  REQUIRE_MESSAGE(verdict, verdict.error().message);
  CHECK_MESSAGE(verdict->passed, verdict->detail);
}

TEST_CASE("what is wrong with a folder is said with its place") {
  Folder folder;
  folder.write("test.toml", "untill = 1\n");
  CHECK(says(folder.refused(), "test.toml: unknown key 'untill' (did you mean 'until'?)"));
  folder.write("test.toml", "end = \"never\"\n");
  CHECK(says(folder.refused(), "end: expected \"flush\" or \"open\", found \"never\""));
  folder.write("test.toml", "pipeline = \"other.sql\"\n");
  CHECK(says(folder.refused(), "there is no file"));
  folder.write("test.toml", "= 1\n");
  CHECK(says(folder.refused(), "test.toml: line 1:"));
  folder.write("test.toml", "");
  folder.write("second.sql", "");
  CHECK(says(folder.refused(), "there are several *.sql files"));
}

TEST_CASE("files for tables that the pipeline has not are refused, with the nearest name") {
  Folder folder;
  folder.write("expected/count.txt", "");
  CHECK(says(run_test(folder.path(), Expectations::kCompare).error().message,
             "the pipeline writes no table 'count' (did you mean 'counts'?)"));
  fs::remove(folder.path() / "expected/count.txt");
  fs::rename(folder.path() / "input/readings.jsonl", folder.path() / "input/reading.jsonl");
  CHECK(says(run_test(folder.path(), Expectations::kCompare).error().message,
             "there is no input for 'readings'"));
}

TEST_CASE("tests are found below a folder, in the order of their paths") {
  const TemporaryFolder folder;
  const fs::path root = folder.path();
  fs::create_directories(root / "b" / "input");
  fs::create_directories(root / "a" / "deep" / "expected");
  const auto found = find_tests(root);
  REQUIRE(found);
  CHECK(*found == std::vector<fs::path>{root / "a/deep", root / "b"});
  CHECK_FALSE(find_tests(root / "none"));
}

}  // namespace
}  // namespace leat::testing::test
