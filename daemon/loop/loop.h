// The event loop: libuv, owned. A pipeline and all its state belong to the one thread that runs its loop;
// other threads reach it through `post` alone.
//
// Life cycle: create, set up handles (handles.h), `run` until somebody calls `stop`, destroy the handles,
// then `close` (or the destructor). After `stop` nothing is called any more, not even what is due already or
// posted before; `run` may be called again and takes that up. Handles must be gone before the loop is.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pipelines/base/result.h"

struct uv_loop_s;
struct uv_async_s;

namespace leat::loop {

class Loop {
 public:
  /// Errors: io (no file descriptors left).
  static Result<std::unique_ptr<Loop>> create();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs callbacks until `stop`. The calling thread becomes the loop's thread. Never from a callback.
  void run();
  /// Makes `run` return when the present callback has returned. From any thread, also before `run`, which
  /// then returns at once.
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }

  /// Has `work` called on the loop, in the order of the calls. From any thread. Work that is still waiting
  /// when the loop is closed is destroyed uncalled. The queue has no bound of its own: who posts keeps a
  /// bounded number in flight (one commit a pipeline, one wake-up an intake).
  void post(std::function<void()> work);

  /// The calling thread becomes the loop's thread, and may make handles before it runs the loop. Only while
  /// no other thread does anything with it.
  void adopt() { thread_ = std::this_thread::get_id(); }
  /// True on the thread that runs the loop (before the first `run`: that created or adopted it). Whatever
  /// touches the engine's state may assert it.
  [[nodiscard]] bool on_loop_thread() const { return std::this_thread::get_id() == thread_; }

  /// Gives everything back to the system. Idempotent; on the loop's thread, with `run` not running.
  /// Errors: internal (a handle is still alive: the caller's defect).
  Status close();

  /// For the handle classes of this folder and for libraries that bring own libuv handles.
  [[nodiscard]] uv_loop_s* uv() { return uv_.get(); }

 private:
  Loop();
  void run_posted();

  struct DeleteUv {
    void operator()(uv_loop_s* loop) const;
    void operator()(uv_async_s* async) const;
  };

  std::unique_ptr<uv_loop_s, DeleteUv> uv_;
  std::unique_ptr<uv_async_s, DeleteUv> wake_;  // Open from `create` to `close`.
  std::atomic<std::thread::id> thread_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;  // Guards posted_, open_, and wake_ against a `post` in `close`.
  std::vector<std::function<void()>> posted_;  // Waiting, oldest first.
  bool open_ = false;
};

}  // namespace leat::loop
