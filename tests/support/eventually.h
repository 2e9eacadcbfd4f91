// Waiting for what other threads do, without guessing how long it takes: the condition is asked until it
// holds or a generous deadline has passed. For tests of things that have threads of their own only.
#pragma once

#include <chrono>
#include <thread>

namespace leat::test {

template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds deadline = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace leat::test
