#include "tests/contract/sinks/external_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

extern char** environ;

namespace leat::contract {

ExternalProcess::ExternalProcess(const std::vector<std::string>& command) {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int failed = ::posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  input_ = in[1];
  output_ = out[0];
  if (failed != 0) throw std::runtime_error("cannot start " + command.front());
}

ExternalProcess::~ExternalProcess() {
  ::close(input_);
  if (pid_ > 0) {
    signal(SIGTERM);
    exit_code();
  }
  ::close(output_);
}

void ExternalProcess::say(const std::string& line) const {
  const std::string text = line + "\n";
  if (::write(input_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::runtime_error("the program does not listen");
}

std::optional<std::string> ExternalProcess::hear(const std::string& word) {
  while (auto next = line())
    if (next->starts_with(word)) return next->substr(std::min(next->size(), word.size() + 1));
  return std::nullopt;
}

std::optional<std::string> ExternalProcess::line() {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::size_t end = 0;
  while ((end = heard_.find('\n')) == std::string::npos) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{output_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
    std::array<char, 4096> bytes{};
    const ssize_t size = ::read(output_, bytes.data(), bytes.size());
    if (size <= 0) return std::nullopt;
    heard_.append(bytes.data(), static_cast<std::size_t>(size));
  }
  std::string first = heard_.substr(0, end);
  heard_.erase(0, end + 1);
  return first;
}

void ExternalProcess::signal(int number) const {
  ::kill(pid_, number);
}

int ExternalProcess::exit_code() {
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string support_script(const std::string& name) {
  return std::string(LEAT_TESTS_SUPPORT) + "/" + name;
}

}  // namespace leat::contract
