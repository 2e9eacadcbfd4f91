// Messages of a running pipeline's source for a trial (trial.h): what the source's reader takes from its
// intake is copied into an intake of the trial's. The broker sees one client as before, and the reader never
// waits: what the trial's intake does not take is counted as skipped.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "sources/intake.h"

namespace leat::runtime {

/// Shared by both sides; any thread.
class MessageTap {
 public:
  using Ended = std::function<void(const std::string& why)>;

  /// The trial's side: from now on messages go into `intake`, until `disconnect`, which the intake outlives.
  /// `ended` is called once, when the tapped pipeline ends; it must not wait, nor call the tap.
  void connect(sources::Intake& intake, Ended ended);
  void disconnect();

  /// The reader's side, on the loop of the tapped pipeline.
  void offer(const std::vector<sources::Message>& messages);
  void end(const std::string& why);
  /// The trial is over.
  [[nodiscard]] bool left() const;
  [[nodiscard]] std::uint64_t skipped() const;

 private:
  mutable std::mutex mutex_;  // Guards what follows.
  sources::Intake* intake_ = nullptr;
  Ended ended_;
  bool left_ = false;
  std::uint64_t skipped_ = 0;
};

}  // namespace leat::runtime
