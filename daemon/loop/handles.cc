#include "daemon/loop/handles.h"

#include <uv.h>

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <utility>

namespace leat::loop {
namespace {

// libuv keeps a handle's memory until its close callback. So each handle lives in a core of its own on the
// heap: the RAII object hands it to uv_close and forgets it, and the callback deletes it.
template <class Core>
void let_go(Core* core) {
  assert(core->loop->on_loop_thread());
  core->call = nullptr;
  const auto free_core = [](uv_handle_t* handle) { delete static_cast<Core*>(handle->data); };
  uv_close(reinterpret_cast<uv_handle_t*>(&core->handle), free_core);
}

template <class Core>
Core* make_core(Loop& loop, std::function<void()> call) {
  assert(loop.on_loop_thread());
  auto* core = new Core{{}, &loop, std::move(call)};
  core->handle.data = core;
  return core;
}

// The copy keeps the callable alive when it destroys its own handle.
template <class Core>
void call(Core* core) {
  const std::function<void()> copy = core->call;
  if (copy) copy();
  if (core->loop->stopping()) uv_stop(core->loop->uv());
}

std::uint64_t whole_millis(Micros delay) {
  return static_cast<std::uint64_t>((std::max<std::int64_t>(delay.count(), 0) + 999) / kMicrosPerMilli);
}

}  // namespace

struct Timer::Core {
  uv_timer_t handle;
  Loop* loop;
  std::function<void()> call;

  static void fire(uv_timer_t* handle) {
    auto* core = static_cast<Core*>(handle->data);
    // Due in the round in which the loop was stopped: stays due for another run.
    if (core->loop->stopping())
      uv_timer_start(handle, fire, 1, uv_timer_get_repeat(handle));
    else
      leat::loop::call(core);
  }
};

Timer::Timer(Loop& loop, std::function<void()> fire) : core_(make_core<Core>(loop, std::move(fire))) {
  uv_timer_init(loop.uv(), &core_->handle);
}

Timer::~Timer() {
  let_go(core_);
}

void Timer::start(Micros delay) {
  assert(core_->loop->on_loop_thread());
  uv_update_time(core_->loop->uv());
  uv_timer_start(&core_->handle, Core::fire, whole_millis(delay), 0);
}

void Timer::repeat(Micros interval) {
  assert(core_->loop->on_loop_thread());
  const std::uint64_t millis = std::max<std::uint64_t>(whole_millis(interval), 1);
  uv_update_time(core_->loop->uv());
  uv_timer_start(&core_->handle, Core::fire, millis, millis);
}

void Timer::stop() {
  uv_timer_stop(&core_->handle);
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<uv_handle_t*>(&core_->handle)) != 0;
}

struct Async::Core {
  uv_async_t handle;
  Loop* loop;
  std::function<void()> call;

  static void wake(uv_async_t* handle) {
    auto* core = static_cast<Core*>(handle->data);
    if (core->loop->stopping())
      uv_async_send(handle);
    else
      leat::loop::call(core);
  }
};

Async::Async(Loop& loop, std::function<void()> wake) : core_(make_core<Core>(loop, std::move(wake))) {
  [[maybe_unused]] const int rc = uv_async_init(loop.uv(), &core_->handle, Core::wake);
  assert(rc == 0);  // The loop's own Async has opened the descriptor that all of them share.
}

Async::~Async() {
  let_go(core_);
}

void Async::send() {
  uv_async_send(&core_->handle);
}

struct SignalHandler::Core {
  uv_signal_t handle;
  Loop* loop;
  std::function<void()> call;

  static void raised(uv_signal_t* handle, int) {
    auto* core = static_cast<Core*>(handle->data);
    if (!core->loop->stopping()) leat::loop::call(core);
  }
};

SignalHandler::SignalHandler(Loop& loop, int signal, std::function<void()> raised)
    : core_(make_core<Core>(loop, std::move(raised))) {
  uv_signal_init(loop.uv(), &core_->handle);
  uv_signal_start(&core_->handle, Core::raised, signal);
}

SignalHandler::~SignalHandler() {
  let_go(core_);
}

}  // namespace leat::loop
