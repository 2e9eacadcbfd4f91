#include "daemon/runtime/replay_queue.h"

#include <utility>

namespace leat::runtime {

void ReplayQueue::add(std::vector<store::DeadLetterRow> letters, ReplayOutcome outcome, ReplayDone done) {
  if (letters.empty()) return done(std::move(outcome));
  waiting_.push_back({std::move(letters), 0, std::move(outcome), std::move(done)});
}

std::span<const store::DeadLetterRow> ReplayQueue::next(std::size_t max_bytes) const {
  const Request& request = waiting_.front();
  const std::string& origin = request.letters[request.next].letter.origin;
  std::size_t count = 0;
  for (std::size_t bytes = 0; request.next + count < request.letters.size(); ++count) {
    const store::DeadLetter& letter = request.letters[request.next + count].letter;
    bytes += letter.payload.size();
    if (letter.origin != origin || (count > 0 && bytes > max_bytes)) break;
  }
  return std::span(request.letters).subspan(request.next, count);
}

void ReplayQueue::pushed(std::size_t letters, std::size_t dead_again) {
  Request& request = waiting_.front();
  for (std::size_t i = 0; i < letters; ++i) done_ids_.push_back(request.letters[request.next + i].id);
  request.outcome.replayed += letters;
  request.outcome.dead_again += dead_again;
  go_on(letters);
}

void ReplayQueue::refuse(std::size_t letters, const std::string& reason) {
  Request& request = waiting_.front();
  for (std::size_t i = 0; i < letters; ++i)
    request.outcome.refused.push_back({request.letters[request.next + i].id, reason});
  go_on(letters);
}

void ReplayQueue::go_on(std::size_t letters) {
  Request& request = waiting_.front();
  request.next += letters;
  if (request.next < request.letters.size()) return;
  request.letters.clear();
  through_.push_back(std::move(request));
  waiting_.pop_front();
}

std::vector<std::int64_t> ReplayQueue::take_done() {
  // Commits are made one after the other: nobody of an earlier one waits any more.
  in_commit_ = std::exchange(through_, {});
  return std::exchange(done_ids_, {});
}

void ReplayQueue::committed() {
  for (Request& request : std::exchange(in_commit_, {})) request.done(std::move(request.outcome));
}

void ReplayQueue::give_up(const std::string& reason) {
  auto requests = std::exchange(in_commit_, {});
  for (Request& request : std::exchange(through_, {})) requests.push_back(std::move(request));
  for (Request& request : std::exchange(waiting_, {})) requests.push_back(std::move(request));
  for (const Request& request : requests)
    request.done(fail(ErrorCode::kUnavailable,
                      reason + " meanwhile: the letters that are still there have not been replayed"));
}

}  // namespace leat::runtime
