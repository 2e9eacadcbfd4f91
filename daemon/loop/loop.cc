#include "daemon/loop/loop.h"

#include <uv.h>

#include <cassert>
#include <iterator>
#include <string>
#include <utility>

namespace leat::loop {

void Loop::DeleteUv::operator()(uv_loop_s* loop) const {
  delete loop;
}
void Loop::DeleteUv::operator()(uv_async_s* async) const {
  delete async;
}

Loop::Loop() : uv_(new uv_loop_t{}), wake_(new uv_async_t{}), thread_(std::this_thread::get_id()) {}

Result<std::unique_ptr<Loop>> Loop::create() {
  std::unique_ptr<Loop> loop(new Loop());
  if (const int rc = uv_loop_init(loop->uv_.get()); rc != 0)
    return fail(ErrorCode::kIo, std::string("cannot create an event loop: ") + uv_strerror(rc));
  const auto on_wake = [](uv_async_t* handle) { static_cast<Loop*>(handle->data)->run_posted(); };
  loop->wake_->data = loop.get();
  if (const int rc = uv_async_init(loop->uv_.get(), loop->wake_.get(), on_wake); rc != 0) {
    uv_loop_close(loop->uv_.get());
    return fail(ErrorCode::kIo, std::string("cannot create an event loop: ") + uv_strerror(rc));
  }
  loop->open_ = true;
  return loop;
}

Loop::~Loop() {
  [[maybe_unused]] const Status closed = close();
  assert(closed && "a handle outlives its loop");
}

void Loop::run() {
  thread_ = std::this_thread::get_id();
  if (!stopping_) uv_run(uv_.get(), UV_RUN_DEFAULT);
  stopping_ = false;
}

void Loop::stop() {
  stopping_ = true;
  // uv_stop belongs to the loop's thread; an empty round of run_posted calls it there.
  const std::lock_guard lock(mutex_);
  if (open_) uv_async_send(wake_.get());
}

void Loop::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  posted_.push_back(std::move(work));
  uv_async_send(wake_.get());
}

void Loop::run_posted() {
  std::vector<std::function<void()>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(posted_);
  }
  std::size_t done = 0;
  while (done < batch.size() && !stopping_) batch[done++]();
  if (!stopping_) return;
  uv_stop(uv_.get());
  // What is left keeps its place before whatever was posted meanwhile, for another `run`.
  const std::lock_guard lock(mutex_);
  const auto rest = batch.begin() + static_cast<std::ptrdiff_t>(done);
  posted_.insert(posted_.begin(), std::make_move_iterator(rest), std::make_move_iterator(batch.end()));
  if (!posted_.empty()) uv_async_send(wake_.get());
}

Status Loop::close() {
  std::vector<std::function<void()>> dropped;  // Destroyed outside of the lock: it may own anything.
  {
    const std::lock_guard lock(mutex_);
    if (open_) uv_close(reinterpret_cast<uv_handle_t*>(wake_.get()), nullptr);
    open_ = false;
    dropped.swap(posted_);
  }
  if (!uv_) return {};
  // Close callbacks are due at once; handles that were never closed must not keep us waiting.
  uv_run(uv_.get(), UV_RUN_NOWAIT);
  if (const int rc = uv_loop_close(uv_.get()); rc != 0)
    return fail(ErrorCode::kInternal,
                std::string("the event loop still has open handles: ") + uv_strerror(rc));
  uv_.reset();
  return {};
}

}  // namespace leat::loop
