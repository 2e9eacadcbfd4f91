#include "daemon/runtime/leftovers.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::runtime;

namespace {

store::OutboxStatus waiting(const char* pipeline, const char* sink, std::uint64_t records) {
  store::OutboxStatus outbox;
  outbox.pipeline = {pipeline};
  outbox.sink = {sink};
  outbox.records = records;
  return outbox;
}

}  // namespace

TEST_CASE("what is served, or has nothing, is no leftover") {
  const std::vector<Served> served{
      {.pipeline = {"mill"}, .sinks = {{"upstream"}}, .journals = {"mill.readings.journal"}}};
  CHECK(find_leftovers(served, {waiting("mill", "upstream", 5), waiting("mill", "old", 0)},
                       {"mill.readings.journal"})
            .empty());
}

TEST_CASE("a sink, a pipeline and a journal that nobody serves are told with their numbers") {
  const std::vector<Served> served{{.pipeline = {"mill"}, .sinks = {{"upstream"}}, .journals = {}}};
  const auto found = find_leftovers(served, {waiting("mill", "old", 5), waiting("gone", "upstream", 7)},
                                    {"mill.old.journal"});
  REQUIRE(found.size() == 3);
  CHECK(found[0].find("5 records wait for sink 'old' of pipeline 'mill', which no pipeline has any more") ==
        0);
  CHECK(found[1].find("7 records wait for sink 'upstream' of pipeline 'gone'") == 0);
  CHECK(found[2].find("the journal 'mill.old.journal' belongs to no source") == 0);
}

TEST_CASE("a journal that has its name from an earlier one of its pipeline is told under the present one") {
  const std::vector<Served> served{{.pipeline = {"mill"}, .identity = {"old"}, .sinks = {}, .journals = {}}};
  const auto found = find_leftovers(served, {}, {"old.a.journal", "older.b.journal", "x.c.journal"}, {},
                                    {{{"old"}, {"mill"}}, {{"older"}, {"gone"}}});
  REQUIRE(found.size() == 3);
  CHECK(found[0].find("the journal 'old.a.journal' of pipeline 'mill' belongs to no source of it") == 0);
  CHECK(found[0].ends_with("give the table its former name back, or delete it"));
  CHECK(found[1].ends_with("'leat pipelines remove gone --purge journal'"));
  CHECK(found[2].find("the journal 'x.c.journal' belongs to no source of a pipeline") == 0);
}

TEST_CASE("what carries the name of a pipeline whose file is wrong may be its own") {
  const std::vector<Served> served{{.pipeline = {"mill 3"}, .planned = false}};
  CHECK(find_leftovers(served, {waiting("mill 3", "any", 5)}, {"mill%203.any.journal"}).empty());
  CHECK(journal_file_name({"mill 3"}, {"a.b"}) == "mill%203.a%2Eb.journal");
}

TEST_CASE("what serves nobody's sinks leaves their outboxes") {
  const std::vector<Served> served{{.pipeline = {"mill"}, .sinks = {{"upstream"}}, .journals = {}},
                                   {.pipeline = {"broken"}, .planned = false}};
  const auto left = unserved(served, {waiting("mill", "upstream", 0), waiting("mill", "old", 0),
                                      waiting("broken", "any", 0), waiting("gone", "upstream", 0)});
  REQUIRE(left.size() == 2);
  CHECK(left[0].sink.value == "old");
  CHECK(left[1].pipeline.value == "gone");
}

TEST_CASE("rows that are not published are told with the first of their files") {
  const std::string told =
      sentence_of({{"mill"}, {"out"}, {"/out/.a", "/out/.b", "/out/.c", "/out/.d"}, "the disk is dead"});
  CHECK(told.find("rows that sink 'out' of pipeline 'mill', which no pipeline has any more, has delivered") ==
        0);
  CHECK(told.find("'/out/.a', '/out/.b', '/out/.c' and 1 others, as the disk is dead; ") !=
        std::string::npos);
}
