#include "sources/clients/socket_watch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace leat::clients {

namespace {
/// A socket that is not yet connecting cannot be shut down: the watch asks again until the call has ended.
constexpr std::chrono::milliseconds kInsist{20};
}  // namespace

SocketWatch::~SocketWatch() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (socket_ >= 0) ::close(socket_);
}

bool SocketWatch::begin(std::chrono::microseconds limit) {
  const std::lock_guard lock(mutex_);
  if (interrupted_) return false;
  deadline_ = Clock::now() + limit;
  cut_ = false;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
  return true;
}

void SocketWatch::watch(int socket) {
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) ::close(socket_);
  socket_ = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

SocketWatch::Verdict SocketWatch::end() {
  const std::lock_guard lock(mutex_);
  deadline_.reset();
  if (!cut_) return Verdict::kNone;
  return interrupted_ ? Verdict::kInterrupted : Verdict::kTimedOut;
}

void SocketWatch::interrupt() {
  {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
  }
  changed_.notify_all();
}

bool SocketWatch::must_cut() const {
  return deadline_ && (interrupted_ || Clock::now() >= *deadline_);
}

void SocketWatch::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (must_cut()) {
      cut_ = true;
      if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
      changed_.wait_for(lock, kInsist);
    } else if (deadline_) {
      const Clock::time_point until = *deadline_;
      changed_.wait_until(lock, until);
    } else {
      changed_.wait(lock);
    }
  }
}

}  // namespace leat::clients
