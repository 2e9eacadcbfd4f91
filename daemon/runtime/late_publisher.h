// Publishes what sinks have left open whose pipeline or table is gone: its text went while the daemon was
// stopped, or it could not be published when the sink was taken away. All that is known of such a sink is the
// state in its outbox, and of some it is not enough: what stays open is told.
//
// A thread of ours does it, one outbox after the other, so that a folder that hangs holds up nobody else. Who
// changes pipelines says which outboxes nobody serves (`begin`) and which pipelines are served again
// (`keep`), and lets nobody else change any meanwhile.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/runtime/leftovers.h"
#include "daemon/store/store.h"
#include "pipelines/base/ids.h"
#include "sinks/sink.h"

namespace leat::runtime {

class LatePublisher {
 public:
  /// The store outlives the object.
  LatePublisher(store::Store& store, std::string gateway_id)
      : store_(store), gateway_id_(std::move(gateway_id)) {}
  ~LatePublisher() { stop(); }

  /// These are all outboxes that nobody serves: what they have open is published soon, each tried once. Of
  /// the pipeline `given_up` also where a shipment is not settled, as its outboxes are thrown away behind
  /// that.
  void begin(const std::vector<store::OutboxStatus>& unserved, const PipelineName& given_up = {});
  /// Nothing of this pipeline is touched any more when this returns. Blocks while its folder hangs.
  void keep(const PipelineName& pipeline);
  /// Waits until all of the pipeline is tried, for seconds at most.
  void await(const PipelineName& pipeline);
  /// What is not published, or not yet.
  [[nodiscard]] std::vector<StillOpen> still_open() const;
  /// Idempotent.
  void stop();

 private:
  struct Task {
    StillOpen open;         // What was known of it when it was given to us.
    bool given_up = false;  // As in `begin`.
    bool tried = false;
  };
  void run();
  [[nodiscard]] Task* next();
  void try_one(std::unique_lock<std::mutex>& lock, const Task& task);
  [[nodiscard]] std::optional<StillOpen> publish(const Task& task);
  Status finish(const Task& task, const store::OutboxStatus& outbox, sinks::Sink& sink, std::string& state);
  Status settle(const store::OutboxStatus& outbox, const std::string& sink_state);
  [[nodiscard]] bool is_under_way(const PipelineName& pipeline) const;

  store::Store& store_;
  const std::string gateway_id_;
  mutable std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::vector<Task> tasks_;  // One for each outbox that has something open, in the order they came.
  std::optional<StillOpen> under_way_;
  bool stopping_ = false;
  std::thread thread_;  // Begun by `begin` when there is something for it.
};

}  // namespace leat::runtime
