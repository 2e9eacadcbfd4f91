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
  // Steps of one round follow each other: a request that comes meanwhile waits for one of them at most.
  auto patience = idle_after_;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!may_idle) {
      changed_.wait(lock, something);
    } else if (!changed_.wait_for(lock, patience, something)) {
      lock.unlock();
      may_idle = idle_();
      patience = may_idle ? std::chrono::milliseconds(0) : idle_after_;
      lock.lock();
      continue;
    }
    patience = idle_after_;
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
