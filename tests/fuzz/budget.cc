// How long libFuzzer works, in seconds of the processor's time: its own limit is one of the clock, and gets a
// fuzzer little that shares the machine. LEAT_FUZZ_SECONDS in the environment; without it there is no end.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*words*/) {
  const char* text = std::getenv("LEAT_FUZZ_SECONDS");
  if (text == nullptr) return 0;
  sigevent when_over{};
  when_over.sigev_notify = SIGEV_SIGNAL;
  when_over.sigev_signo = SIGUSR1;  // libFuzzer ends by it as by a limit of its own.
  timer_t timer{};
  itimerspec limit{};
  limit.it_value.tv_sec = std::strtol(text, nullptr, 10);
  if (::timer_create(CLOCK_PROCESS_CPUTIME_ID, &when_over, &timer) != 0 ||
      ::timer_settime(timer, 0, &limit, nullptr) != 0) {
    std::perror("a timer for LEAT_FUZZ_SECONDS");
    return 1;
  }
  return 0;
}
