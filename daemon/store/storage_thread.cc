#include "daemon/store/storage_thread.h"

#include <utility>

namespace leat::store {

StorageThread::StorageThread(std::chrono::milliseconds idle_after, Idle idle)
    : idle_after_(idle_after), idle_(std::move(idle)), thread_([this] { run(); }) {}

bool StorageThread::post(std::function<void()> request) {
  {
    const std::lock_guard lock(mutex_);
    if (finishing_) return false;
    requests_.push_back(std::move(request));
  }
  changed_.notify_one();
  return true;
}

void StorageThread::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  changed_.notify_one();
  const std::lock_guard joining(joining_);
  if (thread_.joinable()) thread_.join();
}

void StorageThread::keep_house(Clock::time_point now) {
  const bool quiet = !quiet_at_ || now >= *quiet_at_;
  if (quiet) quiet_at_.reset();
  const auto wait = idle_(quiet);
  due_ = quiet_at_;
  if (wait && (!due_ || now + *wait < *due_)) due_ = now + *wait;
}

void StorageThread::run() {
  const auto something = [this] { return finishing_ || !requests_.empty(); };
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!due_) {
      changed_.wait(lock, something);
    } else if (!changed_.wait_until(lock, *due_, something)) {
      lock.unlock();
      keep_house(Clock::now());
      lock.lock();
      continue;
    }
    if (requests_.empty()) return;  // Finishing, and everything is done.
    const std::function<void()> request = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    request();
    quiet_at_ = Clock::now() + idle_after_;
    if (!due_ || *due_ > *quiet_at_) due_ = quiet_at_;
    lock.lock();
  }
}

}  // namespace leat::store
