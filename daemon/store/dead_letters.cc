#include "daemon/store/dead_letters.h"

#include <algorithm>
#include <utility>

namespace leat::store {
namespace {

/// What a row costs beside its texts, so that empty letters are not free; `oldest_` counts the same.
constexpr std::uint64_t kRowBytes = 64;

std::uint64_t bytes_of(const DeadLetter& letter, std::string_view payload) {
  return kRowBytes + letter.origin.size() + letter.reason.size() + letter.metadata.size() + payload.size();
}

}  // namespace

DeadLetters::DeadLetters(Connection& connection, std::uint64_t max_bytes, std::uint64_t max_payload_bytes)
    : connection_(connection),
      max_bytes_(max_bytes),
      max_payload_bytes_(max_payload_bytes),
      insert_(connection,
              "INSERT INTO dead_letters (pipeline, origin, reason, metadata, time, payload_bytes, payload) "
              "VALUES (?, ?, ?, ?, ?, ?, ?)"),
      set_totals_(connection, "UPDATE dead_letter_totals SET letters = ?, bytes = ?, pushed_out = ?"),
      oldest_(connection,
              "SELECT id, 64 + length(CAST(origin AS BLOB)) + length(CAST(reason AS BLOB)) + "
              "length(CAST(metadata AS BLOB)) + length(payload) FROM dead_letters ORDER BY id"),
      delete_up_to_(connection, "DELETE FROM dead_letters WHERE id <= ?") {}

Status DeadLetters::add(const PipelineName& pipeline, const std::vector<DeadLetter>& letters) {
  if (letters.empty()) return {};
  LEAT_ASSIGN(status_, read_dead_letter_status(connection_));
  for (const DeadLetter& letter : letters) LEAT_TRY(insert(pipeline, letter));
  if (status_.bytes > max_bytes_) LEAT_TRY(make_room());
  return set_totals_.run(status_.letters, status_.bytes, status_.pushed_out);
}

Status DeadLetters::insert(const PipelineName& pipeline, const DeadLetter& letter) {
  const std::string_view payload = std::string_view(letter.payload)
                                       .substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(
                                                      max_payload_bytes_, letter.payload.size())));
  LEAT_TRY(insert_.run(std::string_view(pipeline.value), std::string_view(letter.origin),
                       std::string_view(letter.reason), std::string_view(letter.metadata), letter.time,
                       std::uint64_t{letter.payload.size()}, Blob{payload}));
  ++status_.letters;
  status_.bytes += bytes_of(letter, payload);
  return {};
}

Status DeadLetters::make_room() {
  std::int64_t last = 0;
  {
    Rows oldest = oldest_.query();
    while (status_.bytes > max_bytes_) {
      LEAT_ASSIGN(const bool found, oldest.next());
      if (!found) break;
      last = oldest.integer(0);
      status_.bytes -= oldest.count(1);
      --status_.letters;
      ++status_.pushed_out;
    }
  }
  return delete_up_to_.run(last);
}

Result<std::vector<DeadLetterRow>> read_dead_letters(Connection& connection, std::size_t limit,
                                                     std::int64_t before_id) {
  Statement select(connection,
                   "SELECT id, pipeline, origin, reason, metadata, time, payload_bytes, payload "
                   "FROM dead_letters WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2");
  Rows rows = select.query(before_id, static_cast<std::int64_t>(limit));
  std::vector<DeadLetterRow> letters;
  for (;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return letters;
    DeadLetter letter{rows.text(2), rows.text(3), rows.text(7), rows.text(4), rows.integer(5)};
    letters.push_back({rows.integer(0), {rows.text(1)}, std::move(letter), rows.count(6)});
  }
}

Result<DeadLetterStatus> read_dead_letter_status(Connection& connection) {
  Statement select(connection, "SELECT letters, bytes, pushed_out FROM dead_letter_totals");
  Rows rows = select.query();
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found)
    return fail(ErrorCode::kCorrupt, connection.path() + ": the totals of the dead letters are missing");
  return DeadLetterStatus{rows.count(0), rows.count(1), rows.count(2)};
}

}  // namespace leat::store
