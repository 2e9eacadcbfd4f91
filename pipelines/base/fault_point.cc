#include "pipelines/base/fault_point.h"

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace leat::faults {
namespace {

enum class Action : std::uint8_t { kKill, kError };

struct Armed {
  std::size_t point = kUnknown;
  std::uint64_t time = 1;
  Action action = Action::kKill;
};

/// A test that arms nothing would pass whatever it tests.
[[noreturn]] void refuse(const std::string& text, const std::string& reason) {
  std::fprintf(stderr, "leat: LEAT_FAULT=%s: %s; the points are those of pipelines/base/fault_point.h\n",
               text.c_str(), reason.c_str());
  std::_Exit(2);
}

Armed parse(const std::string& text) {
  Armed armed;
  std::string_view rest = text;
  const auto next = [&rest] {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
  };
  armed.point = index_of(next());
  if (armed.point == kUnknown) refuse(text, "no such point");
  while (!rest.empty()) {
    const std::string_view word = next();
    const auto number = std::from_chars(word.data(), word.data() + word.size(), armed.time);
    if (number.ec == std::errc() && number.ptr == word.data() + word.size() && armed.time > 0) continue;
    if (word != "kill" && word != "error")
      refuse(text, "'" + std::string(word) + "' is neither a time nor an action");
    armed.action = word == "error" ? Action::kError : Action::kKill;
  }
  return armed;
}

const Armed& armed() {
  static const Armed kArmed = [] {
    const char* text = std::getenv("LEAT_FAULT");
    return text == nullptr || *text == '\0' ? Armed{} : parse(text);
  }();
  return kArmed;
}

/// True at the armed time of the armed point.
bool is_due(std::size_t point) {
  static std::atomic<std::uint64_t> reached{0};
  return point == armed().point && reached.fetch_add(1) + 1 == armed().time;
}

void say(std::size_t point) {
  std::fprintf(stderr, "leat: fault %s:%llu\n", std::string(kPoints[point].name).c_str(),
               static_cast<unsigned long long>(armed().time));
  std::fflush(stderr);
}

[[noreturn]] void die(std::size_t point) {
  say(point);
  // The signal ends all threads at once; there is no way back from it.
  std::raise(SIGKILL);
  std::abort();
}

}  // namespace

void reach(std::size_t point) {
  if (!is_due(point)) return;
  if (armed().action == Action::kError) refuse(std::getenv("LEAT_FAULT"), "this place cannot fail");
  die(point);
}

Status reach_or_fail(std::size_t point) {
  if (!is_due(point)) return {};
  if (armed().action == Action::kKill) die(point);
  say(point);
  return fail(ErrorCode::kIo, "fault point " + std::string(kPoints[point].name));
}

}  // namespace leat::faults
