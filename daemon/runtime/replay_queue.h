// Dead letters on their way back into a pipeline: what waits for its turn, what is through the dataflow and
// waits for its commit, and who wants to know. A letter goes in the same transaction that keeps what came of
// it: so it is replayed once, whatever happens between. On the loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "daemon/store/store.h"
#include "pipelines/base/result.h"

namespace leat::runtime {

struct ReplayOutcome {
  struct Refused {
    std::int64_t id = 0;
    std::string reason;
  };
  std::uint64_t replayed = 0;
  std::uint64_t dead_again = 0;  ///< Records of them that became dead letters again, with new ids.
  std::vector<Refused> refused;  ///< Stay where they are.
};
using ReplayDone = std::function<void(Result<ReplayOutcome>)>;

class ReplayQueue {
 public:
  /// The letters can be replayed; `outcome` has those that cannot.
  void add(std::vector<store::DeadLetterRow> letters, ReplayOutcome outcome, ReplayDone done);

  [[nodiscard]] bool waiting() const { return !waiting_.empty(); }
  /// The next letters of one origin: at least one, up to about `max_bytes`. Valid until `pushed`.
  [[nodiscard]] std::span<const store::DeadLetterRow> next(std::size_t max_bytes) const;
  /// The first `letters` of them are through the dataflow; `dead_again` records of them died.
  void pushed(std::size_t letters, std::size_t dead_again);

  /// The first `letters` of them cannot be replayed any more.
  void refuse(std::size_t letters, const std::string& reason);

  /// Somebody waits for a commit.
  [[nodiscard]] bool wants_commit() const { return !through_.empty(); }
  /// Ids for the commit that is being made.
  [[nodiscard]] std::vector<std::int64_t> take_done();
  /// The commit that was made last is synced (or there was nothing to commit).
  void committed();
  /// The pipeline ends: everybody is told that what is not committed stays where it was.
  void give_up(const std::string& reason);

 private:
  struct Request {
    std::vector<store::DeadLetterRow> letters;
    std::size_t next = 0;
    ReplayOutcome outcome;
    ReplayDone done;
  };
  void go_on(std::size_t letters);

  std::deque<Request> waiting_;
  std::vector<Request> through_;  // All of it pushed; for the next commit.
  std::vector<Request> in_commit_;
  std::vector<std::int64_t> done_ids_;  // Pushed and in no commit yet.
};

}  // namespace leat::runtime
