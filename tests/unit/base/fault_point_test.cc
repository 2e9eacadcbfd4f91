#include "pipelines/base/fault_point.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <set>
#include <string>

using leat::Status;

namespace {

constexpr int kSurvived = 42;

/// What became of a process that runs `work` with a fault armed: its wait status.
int in_child(const char* fault, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("LEAT_FAULT", fault, 1);
    work();
    ::_exit(kSurvived);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

void pass_by() {
  LEAT_FAULT_POINT("commit.collected");
}

Status step() {
  LEAT_FAULT_STEP("commit.synced");
  return {};
}

bool died(int status) {
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
bool survived(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == kSurvived;
}
bool refused(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == 2;
}

}  // namespace

TEST_CASE("every fault point has a name of its own and says where it is") {
  std::set<std::string_view> names;
  for (const auto& point : leat::faults::kPoints) {
    CHECK(names.insert(point.name).second);
    CHECK(point.place.ends_with("."));
  }
}

TEST_CASE("the process dies at the armed point, at the armed time") {
  CHECK(died(in_child("commit.collected", pass_by)));
  CHECK(survived(in_child("commit.collected:2", pass_by)));
  CHECK(died(in_child("commit.collected:2", [] { pass_by(), pass_by(); })));
  CHECK(survived(in_child("commit.answered", pass_by)));
}

TEST_CASE("a step fails once in place of dying when that is asked for") {
  const auto fails_second = [] {
    if (!step() || step() || !step()) ::_exit(1);
  };
  CHECK(survived(in_child("commit.synced:2:error", fails_second)));
  CHECK(died(in_child("commit.synced", [] { (void)step(); })));
}

TEST_CASE("what cannot be armed ends the process: a test must not pass for that") {
  CHECK(refused(in_child("commit.colected", pass_by)));
  CHECK(refused(in_child("commit.collected:soon", pass_by)));
  CHECK(refused(in_child("commit.collected:error", pass_by)));
}
