#include "daemon/runtime/late_publisher.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "daemon/log/log.h"
#include "sinks/sink.h"

namespace leat::runtime {
namespace {

/// Somebody waits for the answer; a folder that is there needs far less.
constexpr std::chrono::seconds kPatience{5};

bool is_same(const StillOpen& one, const StillOpen& other) {
  return one.pipeline == other.pipeline && one.sink == other.sink;
}

std::optional<sinks::LeftOpen> open_by(const store::OutboxStatus& outbox, const store::Store& store,
                                       const std::string& gateway_id) {
  sinks::SinkContext context{.gateway_id = gateway_id, .store = store.id()};
  context.pipeline = outbox.pipeline;
  context.table = outbox.sink;
  return sinks::find_left_open(outbox.sink_state, context);
}

}  // namespace

void LatePublisher::begin(const std::vector<store::OutboxStatus>& unserved, const PipelineName& given_up) {
  std::vector<Task> tasks;
  for (const store::OutboxStatus& outbox : unserved)
    if (auto open = open_by(outbox, store_, gateway_id_))
      tasks.push_back(
          {.open = {outbox.pipeline, outbox.sink, std::move(open->files), "its folder has not answered yet"},
           .given_up = outbox.pipeline == given_up});
  const std::scoped_lock lock(mutex_);
  if (stopping_) return;
  tasks_ = std::move(tasks);
  if (!tasks_.empty() && !thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void LatePublisher::keep(const PipelineName& pipeline) {
  std::unique_lock lock(mutex_);
  std::erase_if(tasks_, [&](const Task& task) { return task.open.pipeline == pipeline; });
  changed_.wait(lock, [&] { return !under_way_ || under_way_->pipeline != pipeline; });
}

void LatePublisher::await(const PipelineName& pipeline) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kPatience, [&] { return stopping_ || !is_under_way(pipeline); });
}

bool LatePublisher::is_under_way(const PipelineName& pipeline) const {
  return std::ranges::any_of(tasks_,
                             [&](const Task& task) { return task.open.pipeline == pipeline && !task.tried; });
}

std::vector<StillOpen> LatePublisher::still_open() const {
  std::vector<StillOpen> all;
  const std::scoped_lock lock(mutex_);
  for (const Task& task : tasks_) all.push_back(task.open);
  return all;
}

void LatePublisher::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

LatePublisher::Task* LatePublisher::next() {
  const auto found = std::ranges::find(tasks_, false, &Task::tried);
  return found == tasks_.end() ? nullptr : &*found;
}

void LatePublisher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || next() != nullptr; });
    if (stopping_) return;
    try_one(lock, *next());
  }
}

/// `task` may be gone, or be another's, as soon as the lock is.
void LatePublisher::try_one(std::unique_lock<std::mutex>& lock, const Task& task) {
  const Task mine = task;
  under_way_ = mine.open;
  lock.unlock();
  std::optional<StillOpen> left = publish(mine);
  if (left) log::warn("nobody serves what is here", {{"what", sentence_of(*left)}});
  lock.lock();
  under_way_.reset();
  const auto still = std::ranges::find_if(
      tasks_, [&](const Task& one) { return is_same(one.open, mine.open) && one.given_up == mine.given_up; });
  if (still != tasks_.end()) {
    still->tried = true;
    if (left)
      still->open = *std::move(left);
    else
      tasks_.erase(still);
  }
  changed_.notify_all();
}

/// What stays open of it.
std::optional<StillOpen> LatePublisher::publish(const Task& task) {
  const auto all = store_.outbox_status();
  if (!all) return task.open;
  const auto outbox = std::ranges::find_if(*all, [&](const store::OutboxStatus& one) {
    return one.pipeline == task.open.pipeline && one.sink == task.open.sink;
  });
  if (outbox == all->end()) return std::nullopt;
  auto open = open_by(*outbox, store_, gateway_id_);
  if (!open) return std::nullopt;
  StillOpen left{outbox->pipeline, outbox->sink, open->files, open->why_not};
  if (!open->sink) return left;
  std::string state = outbox->sink_state;
  const Status finished = finish(task, *outbox, *open->sink, state);
  if (finished) {
    log::info("what a sink that is gone had open is published",
              {{"pipeline", left.pipeline.value},
               {"table", left.sink.value},
               {"files", fmt::format("{}", fmt::join(left.files, ", "))}});
    return std::nullopt;
  }
  left.why = finished.error().message;
  store::OutboxStatus after = *outbox;
  after.sink_state = std::move(state);
  if (const auto rest = open_by(after, store_, gateway_id_)) left.files = rest->files;
  return left;
}

/// Errors: conflict (a shipment is not settled), those of the sink and of the store.
Status LatePublisher::finish(const Task& task, const store::OutboxStatus& outbox, sinks::Sink& sink,
                             std::string& state) {
  // What is to be sent again goes behind what the state says: the store tells by refusing it.
  if (outbox.records > 0 && !task.given_up) LEAT_TRY(settle(outbox, state));
  Status published = sink.finish(state);
  if (state == outbox.sink_state) return published;
  const Status settled = settle(outbox, state);
  return settled || task.given_up ? published : settled;
}

/// Keeps the state. Errors: conflict (a shipment is not settled), those of the store.
Status LatePublisher::settle(const store::OutboxStatus& outbox, const std::string& sink_state) {
  std::promise<Status> kept;
  store_.keep_sink_state(outbox.pipeline, outbox.sink, sink_state,
                         [&kept](Status answer) { kept.set_value(std::move(answer)); });
  return kept.get_future().get();
}

}  // namespace leat::runtime
