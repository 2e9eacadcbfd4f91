// How long libFuzzer works, in seconds of the processor's time: its own limit is one of the clock, and gets a
// fuzzer little that shares the machine. LEAT_FUZZ_SECONDS in the environment; without it there is no end.
// When they are over, the file of -stop_file=FILE is written, and libFuzzer leaves its loop (and looks for
// leaks).
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

namespace {

const char* stop_file = nullptr;

void write_stop_file(int /*signal*/) {
  const int before = errno;
  const int file = ::open(stop_file, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
  (void)!::write(file, "over", 4);
  ::close(file);
  errno = before;
}

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "LEAT_FUZZ_SECONDS: %s\n", what);
  std::exit(1);
}

bool start_timer(long seconds) {
  struct sigaction action {};
  action.sa_handler = write_stop_file;
  action.sa_flags = SA_RESTART;
  sigevent when_over{};
  when_over.sigev_notify = SIGEV_SIGNAL;
  when_over.sigev_signo = SIGRTMIN;
  timer_t timer{};
  itimerspec limit{};
  limit.it_value.tv_sec = seconds;
  return ::sigaction(SIGRTMIN, &action, nullptr) == 0 &&
         ::timer_create(CLOCK_PROCESS_CPUTIME_ID, &when_over, &timer) == 0 &&
         ::timer_settime(timer, 0, &limit, nullptr) == 0;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  const char* seconds = std::getenv("LEAT_FUZZ_SECONDS");
  if (seconds == nullptr) return 0;
  const std::string_view option = "-stop_file=";
  for (int i = 1; i < *count; ++i)
    if (std::string_view((*words)[i]).starts_with(option)) stop_file = (*words)[i] + option.size();
  const long limit = std::strtol(seconds, nullptr, 10);
  if (limit <= 0 || stop_file == nullptr) give_up("needs a number above 0, and the option -stop_file=FILE");
  ::unlink(stop_file);
  if (!start_timer(limit)) give_up(std::strerror(errno));
  return 0;
}
