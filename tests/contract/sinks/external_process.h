// A program outside of the test, spoken to by lines; killed and waited for with its object.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace leat::contract {

/// No single step of a test takes longer; only a failure ever waits that long.
inline constexpr std::chrono::seconds kPatience{150};

class ExternalProcess {
 public:
  explicit ExternalProcess(const std::vector<std::string>& command);
  ~ExternalProcess();
  ExternalProcess(const ExternalProcess&) = delete;
  ExternalProcess& operator=(const ExternalProcess&) = delete;

  void say(const std::string& line) const;
  /// The next line of its output that begins with `word`, without it; nullopt: the program has ended, or
  /// patience has.
  std::optional<std::string> hear(const std::string& word);
  void signal(int number) const;
  /// Waits; its exit code, or -1 for a signal.
  int exit_code();

 private:
  std::optional<std::string> line();

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string heard_;
};

/// A script of tests/support.
std::string support_script(const std::string& name);

}  // namespace leat::contract
