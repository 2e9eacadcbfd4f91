// The dead letters: what could not be used, kept for people, bounded in bytes and number; the oldest make
// room for new ones and are counted. Storage thread, inside the caller's transaction.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/commit.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store.h"

namespace leat::store {

class DeadLetters {
 public:
  struct Bounds {
    std::uint64_t bytes = 0;  ///< Of all letters.
    std::uint64_t letters = 0;
    std::uint64_t payload_bytes = 0;  ///< Of one letter.
  };
  DeadLetters(Connection& connection, const Bounds& bounds);

  Status add(const PipelineName& pipeline, const std::vector<DeadLetter>& letters);
  /// These letters of the pipeline were replayed: they go, and are counted. Those that are gone already
  /// (pushed out, purged meanwhile) are not.
  Status take_replayed(const PipelineName& pipeline, const std::vector<std::int64_t>& ids);
  /// A transaction of its own; the oldest `limit` that the filter means. The answer is how many.
  Result<std::uint64_t> purge(const DeadLetterFilter& filter, std::size_t limit);

 private:
  Status insert(const PipelineName& pipeline, const DeadLetter& letter);
  Status make_room();
  /// Runs what deletes letters and gives back the bytes of each; the answer is how many.
  Result<std::uint64_t> count_deleted(Rows deleted);
  Status read_totals();
  Status write_totals();

  Connection& connection_;
  const Bounds bounds_;
  Statement insert_;
  Statement set_totals_;
  Statement oldest_;
  Statement delete_up_to_;
  Statement delete_one_;
  Statement purge_;
  DeadLetterStatus status_;  // Within a call.
};

Result<std::vector<DeadLetterRow>> read_dead_letters(Connection& connection, const DeadLetterFilter& filter,
                                                     const DeadLetterPage& page);
Result<DeadLetterStatus> read_dead_letter_status(Connection& connection);

}  // namespace leat::store
