#include "daemon/runtime/reload.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::runtime;

namespace {

FolderFile file(const std::string& path, const std::string& pipeline) {
  return {.path = path, .sql = "text", .pipeline = {pipeline}, .outcome = {}};
}

FolderFile wrong(const std::string& path, const std::string& pipeline) {
  FolderFile one = file(path, pipeline);
  one.outcome.messages.push_back({.text = "wrong", .rendered = "wrong"});
  return one;
}

ServedFile served(const std::string& path, const std::string& pipeline) {
  return {.path = path, .pipeline = {pipeline}, .can_run = true, .sql = "text"};
}

/// "a: file 0, b: file 2"
std::string owners(const FolderPlan& plan) {
  std::string text;
  for (const auto& [name, index] : plan.owners)
    text += (text.empty() ? "" : ", ") + name.value + ": file " + std::to_string(index);
  return text;
}

}  // namespace

TEST_CASE("each file has the pipeline that it names, the first one where two do") {
  const FolderPlan plan =
      assign_names({file("a.sql", "one"), file("b.sql", "two"), file("c.sql", "one")}, {});
  CHECK(owners(plan) == "one: file 0, two: file 1");
  CHECK(plan.conflicts.size() == 1);
  CHECK(plan.conflicts.at(2) == "c.sql: the pipeline of the file 'a.sql' is named 'one', too");
}

TEST_CASE("a name stays with the file that has it, whatever comes before in the folder") {
  const FolderPlan plan =
      assign_names({file("a.sql", "one"), file("b.sql", "one")}, {served("b.sql", "one")});
  CHECK(owners(plan) == "one: file 1");
  CHECK(plan.conflicts.contains(0));
}

TEST_CASE("a text that is wrong keeps the pipeline that its file had, and no other") {
  CHECK(owners(assign_names({wrong("a.sql", "a")}, {served("a.sql", "one")})) == "one: file 0");
  CHECK(owners(assign_names({wrong("a.sql", "a")}, {})).empty());
}

TEST_CASE("a file that gives its pipeline another name frees the one it had") {
  CHECK(owners(assign_names({file("a.sql", "new")}, {served("a.sql", "old")})) == "new: file 0");
  // Two files may even exchange theirs.
  const FolderPlan plan = assign_names({file("a.sql", "two"), file("b.sql", "one")},
                                       {served("a.sql", "one"), served("b.sql", "two")});
  CHECK(owners(plan) == "one: file 1, two: file 0");
}

TEST_CASE("a file that cannot have its new name keeps the old one") {
  const std::vector<ServedFile> now{served("a.sql", "one"),
                                    {.path = "", .pipeline = {"deployed"}, .can_run = true}};
  const FolderPlan plan = assign_names({file("a.sql", "deployed"), file("b.sql", "two")}, now);
  CHECK(owners(plan) == "one: file 0, two: file 1");
  CHECK(plan.conflicts.at(0).find("is deployed and goes on") != std::string::npos);
}

TEST_CASE("a pipeline goes on under the path that its file has now") {
  const FolderPlan plan = assign_names({file("moved.sql", "one")}, {served("a.sql", "one")});
  CHECK(owners(plan) == "one: file 0");
  CHECK(plan.conflicts.empty());
}
