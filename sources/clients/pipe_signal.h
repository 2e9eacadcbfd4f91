// Keeps SIGPIPE from a thread while it writes to sockets through a library that cannot ask the kernel not to
// raise it (TLS does not, cpp-httplib does not): a connection that the other side has closed must be an
// error, not the end of the process. The process's own disposition stays as it is, as `leat run … | head`
// needs it.
#pragma once

#include <csignal>
#include <ctime>

namespace leat::clients {

class PipeSignalBlock {
 public:
  PipeSignalBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalBlock() {
    if (sigismember(&before_, SIGPIPE) == 1) return;
    const timespec at_once{};
    while (sigtimedwait(&pipe_, nullptr, &at_once) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace leat::clients
