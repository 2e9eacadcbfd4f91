#include <doctest/doctest.h>

#include <set>

#include "sinks/sink.h"
#include "tests/unit/sinks/option_checks.h"

using namespace leat;
using namespace leat::sinks;

TEST_CASE("every sink is found by its name, and no other name finds one") {
  for (const SinkConnector& sink : all_sinks()) CHECK(find_sink(sink.info.name) == &sink);
  CHECK(find_sink("Kafka") == nullptr);
  CHECK(find_sink("") == nullptr);
}

TEST_CASE("every sink documents itself and each of its options in sentences") {
  for (const SinkConnector& sink : all_sinks()) {
    CHECK(sink.info.doc.ends_with("."));
    std::set<std::string> keys;
    for (const OptionDoc& doc : sink.info.sink_options()) {
      CHECK(doc.doc.ends_with("."));
      CHECK(keys.insert(doc.key).second);
    }
  }
}

TEST_CASE("every sink refuses a key that it does not have") {
  for (const SinkConnector& sink : all_sinks())
    CHECK(names(errors_of(sink.info.name, {{"no.such-key", "1"}}), "no.such-key", "no.such-key"));
}

TEST_CASE("a filesystem sink takes a path, or a URL with the scheme file, webhdfs or swebhdfs") {
  CHECK(errors_of("filesystem", {{"path", "/var/out"}}).empty());
  CHECK(errors_of("filesystem", {{"path", "file:///var/out"}}).empty());
  CHECK(names(errors_of("filesystem", {{"path", "hdfs://nn/out"}}), "path", "webhdfs://namenode:9870"));
  CHECK(names(errors_of("filesystem", {{"path", ""}}), "path", "empty"));
}

TEST_CASE("print takes Flink's options") {
  CHECK(errors_of("print", {{"print-identifier", "x"}, {"standard-error", "true"}}).empty());
  CHECK(find_sink("print")->encoding == Encoding::kChangelog);
  CHECK(find_sink("blackhole")->encoding == Encoding::kNothing);
}
