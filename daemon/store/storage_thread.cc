#include "daemon/store/storage_thread.h"

#include <utility>

namespace leat::store {

StorageThread::StorageThread(std::chrono::milliseconds idle_after, std::function<bool()> idle)
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

void StorageThread::run() {
  const auto something = [this] { return finishing_ || !requests_.empty(); };
  bool may_idle = false;  // A request was done since housekeeping last had nothing to do.
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!may_idle) {
      changed_.wait(lock, something);
    } else if (!changed_.wait_for(lock, idle_after_, something)) {
      lock.unlock();
      may_idle = idle_();
      lock.lock();
      continue;
    }
    if (requests_.empty()) return;  // Finishing, and everything is done.
    const std::function<void()> request = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    request();
    may_idle = true;
    lock.lock();
  }
}

}  // namespace leat::store
