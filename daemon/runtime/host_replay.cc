// Dead letters that go back into their pipelines.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <utility>

#include "daemon/runtime/host_entry.h"

namespace leat::runtime {
namespace {

/// How often who waits for the loop looks whether it has ended.
constexpr std::chrono::milliseconds kLook{100};
constexpr store::DeadLetterPage kPage{.order = store::DeadLetterPage::Order::kOldestFirst, .letters = 1'000};

Result<std::int64_t> below_all_younger(store::Store& store) {
  LEAT_ASSIGN(const auto newest, store.dead_letters({}, {.letters = 1, .payload_bytes = 0}));
  return newest.empty() ? 1 : newest.front().id + 1;
}

void add(ReplayOutcome& sum, ReplayOutcome more) {
  sum.replayed += more.replayed;
  sum.dead_again += more.dead_again;
  for (ReplayOutcome::Refused& refused : more.refused) sum.refused.push_back(std::move(refused));
}

}  // namespace

Result<ReplayReport> Host::replay(store::DeadLetterFilter filter) {
  const std::unique_lock under_way(replay_mutex_, std::try_to_lock);
  if (!under_way)
    return leat::fail(ErrorCode::kConflict, "another replay is under way: try again when it is through");
  LEAT_ASSIGN(const std::int64_t below, below_all_younger(*context_.store));
  filter.below_id = std::min(filter.below_id, below);
  LEAT_ASSIGN(auto letters, context_.store->dead_letters(filter, kPage));
  ReplayReport report{.below = filter.below_id, .more = !letters.empty()};
  if (!letters.empty()) report.last = letters.back().id;
  std::map<PipelineName, std::vector<store::DeadLetterRow>> by_pipeline;
  for (store::DeadLetterRow& row : letters) by_pipeline[row.pipeline].push_back(std::move(row));
  for (auto& [pipeline, rows] : by_pipeline) {
    const auto answer = std::make_shared<std::promise<Result<ReplayOutcome>>>();
    replay_in(pipeline, std::move(rows),
              [answer](Result<ReplayOutcome> outcome) { answer->set_value(std::move(outcome)); });
    std::future<Result<ReplayOutcome>> answered = answer->get_future();
    while (answered.wait_for(kLook) != std::future_status::ready)
      if (ended_) return leat::fail(ErrorCode::kUnavailable, "the daemon is stopping");
    LEAT_ASSIGN(ReplayOutcome outcome, answered.get());
    add(report.outcome, std::move(outcome));
  }
  return report;
}

/// `done` is called in any case: what is posted before `stop` is done before the loop ends, and nothing is
/// posted afterwards.
void Host::replay_in(const PipelineName& pipeline, std::vector<store::DeadLetterRow> letters,
                     ReplayDone done) {
  std::unique_lock lock(mutex_);
  if (stopping_) {
    lock.unlock();
    return done(leat::fail(ErrorCode::kUnavailable, "the daemon is stopping"));
  }
  context_.loop->post([this, pipeline, letters = std::move(letters), done = std::move(done)]() mutable {
    Entry* const entry = find(pipeline);
    if (entry != nullptr && entry->pipeline)
      return entry->pipeline->replay(std::move(letters), std::move(done));
    const std::string reason =
        entry == nullptr ? fmt::format("there is no pipeline '{}' any more", pipeline.value)
                         : fmt::format("pipeline '{}' does not run: {}", pipeline.value, entry->error);
    ReplayOutcome outcome;
    for (const store::DeadLetterRow& row : letters) outcome.refused.push_back({row.id, reason});
    done(std::move(outcome));
  });
}

}  // namespace leat::runtime
