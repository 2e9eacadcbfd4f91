#include "daemon/loop/stall_watch.h"

#include <uv.h>

#include <algorithm>

namespace leat::loop {

struct StallWatch::Core {
  uv_prepare_t handle;
  StallWatch* watch;  // Null once it is gone.

  static void prepare(uv_prepare_t* handle) {
    auto* core = static_cast<Core*>(handle->data);
    if (core->watch != nullptr) core->watch->round();
  }
};

StallWatch::StallWatch(Loop& loop) : loop_(loop), core_(new Core{{}, this}) {
  // Has libuv measure what it waits; without it every wait would count as busy.
  uv_loop_configure(loop.uv(), UV_METRICS_IDLE_TIME);
  core_->handle.data = core_;
  uv_prepare_init(loop.uv(), &core_->handle);
  uv_prepare_start(&core_->handle, Core::prepare);
}

StallWatch::~StallWatch() {
  core_->watch = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&core_->handle),
           [](uv_handle_t* handle) { delete static_cast<Core*>(handle->data); });
}

/// Called once a round, before the loop waits.
void StallWatch::round() {
  constexpr std::uint64_t kNanosPerMicro = 1'000;
  const std::uint64_t now = uv_hrtime();
  const std::uint64_t idle = uv_metrics_idle_time(loop_.uv());
  if (last_time_ != 0) {
    const std::uint64_t whole = now - last_time_;
    const std::uint64_t waited = std::min(whole, idle - last_idle_);
    add(Micros(static_cast<std::int64_t>((whole - waited) / kNanosPerMicro)));
  }
  last_time_ = now;
  last_idle_ = idle;
}

void StallWatch::add(Micros busy) {
  const auto& bounds = Stalls::kBounds;
  const auto fits = [busy](int bound) { return busy.count() <= bound * kMicrosPerMilli; };
  const auto bucket =
      static_cast<std::size_t>(std::find_if(bounds.begin(), bounds.end(), fits) - bounds.begin());
  rounds_[bucket].fetch_add(1, std::memory_order_relaxed);
  busy_.fetch_add(busy.count(), std::memory_order_relaxed);
  if (busy.count() > longest_.load(std::memory_order_relaxed)) longest_ = busy.count();
}

Stalls StallWatch::stalls() const {
  Stalls stalls;
  for (std::size_t i = 0; i < rounds_.size(); ++i)
    stalls.rounds[i] = rounds_[i].load(std::memory_order_relaxed);
  stalls.busy = Micros(busy_.load(std::memory_order_relaxed));
  stalls.longest = Micros(longest_.load(std::memory_order_relaxed));
  return stalls;
}

}  // namespace leat::loop
