// The dead letters: what could not be used, kept for people, bounded in bytes; the oldest make room for new
// ones and are counted. Storage thread, inside the caller's transaction.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/commit.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store.h"

namespace leat::store {

class DeadLetters {
 public:
  /// All the letters' bytes, and one payload's bytes, are bounded.
  DeadLetters(Connection& connection, std::uint64_t max_bytes, std::uint64_t max_payload_bytes);

  Status add(const PipelineName& pipeline, const std::vector<DeadLetter>& letters);

 private:
  Status insert(const PipelineName& pipeline, const DeadLetter& letter);
  Status make_room();

  Connection& connection_;
  std::uint64_t max_bytes_;
  std::uint64_t max_payload_bytes_;
  Statement insert_;
  Statement set_totals_;
  Statement oldest_;
  Statement delete_up_to_;
  DeadLetterStatus status_;  // Within `add`.
};

/// Newest first, ids below `before_id` (0: from the newest on).
Result<std::vector<DeadLetterRow>> read_dead_letters(Connection& connection, std::size_t limit,
                                                     std::int64_t before_id);
Result<DeadLetterStatus> read_dead_letter_status(Connection& connection);

}  // namespace leat::store
