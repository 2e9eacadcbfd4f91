#include "daemon/store/dead_letters.h"

#include <algorithm>
#include <string>
#include <utility>

namespace leat::store {
namespace {

/// What a row costs beside its texts, so that empty letters are not free; kRowSize counts the same.
constexpr std::uint64_t kRowBytes = 64;
const std::string kRowSize =
    "64 + length(CAST(origin AS BLOB)) + length(CAST(reason AS BLOB)) + length(CAST(metadata AS BLOB)) + "
    "length(payload) + length(message_key) + length(attributes)";

/// The parameters are `query_filtered`'s. An origin is a kind and a name ("source readings").
const std::string kFilter =
    "id > ?1 AND id < ?2 AND time >= ?3 AND time < ?4 AND (?5 = '' OR pipeline = ?5) AND "
    "(?6 = '' OR origin = ?6 OR substr(origin, 1 + instr(origin, ' ')) = ?6) AND "
    "(?7 = '[]' OR id IN (SELECT value FROM json_each(?7)))";

const std::string kOldest = "SELECT id, " + kRowSize + " FROM dead_letters ORDER BY id";
const std::string kDeleteOne = "DELETE FROM dead_letters WHERE id = ? AND pipeline = ? RETURNING " + kRowSize;
const std::string kPurge = "DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE " +
                           kFilter + " ORDER BY id LIMIT ?8) RETURNING " + kRowSize;
const std::string kSelect =
    "SELECT id, pipeline, origin, reason, metadata, time, length(payload), substr(payload, 1, ?9), "
    "payload_bytes, message_key, attributes FROM dead_letters WHERE " +
    kFilter;
const std::string kSelectNewest = kSelect + " ORDER BY id DESC LIMIT ?8";
const std::string kSelectOldest = kSelect + " ORDER BY id LIMIT ?8";

std::string json_array(const std::vector<std::int64_t>& ids) {
  std::string text = "[";
  for (const std::int64_t id : ids) text += (text.size() > 1 ? "," : "") + std::to_string(id);
  return text + "]";
}

template <class... More>
Rows query_filtered(Statement& statement, const DeadLetterFilter& filter, const More&... more) {
  return statement.query(filter.above_id, filter.below_id, filter.since, filter.until,
                         std::string_view(filter.pipeline), std::string_view(filter.origin),
                         std::string_view(json_array(filter.ids)), more...);
}

std::uint64_t bytes_of(const DeadLetter& letter, std::string_view payload) {
  return kRowBytes + letter.origin.size() + letter.reason.size() + letter.metadata.size() + payload.size() +
         letter.key.size() + letter.attributes.size();
}

DeadLetterRow read_row(const Rows& rows) {
  DeadLetterRow row{
      .id = rows.integer(0), .pipeline = {rows.text(1)}, .letter = {}, .kept_bytes = rows.count(6)};
  row.letter = {.origin = rows.text(2),
                .reason = rows.text(3),
                .payload = rows.text(7),
                .metadata = rows.text(4),
                .time = rows.integer(5),
                .payload_bytes = rows.count(8),
                .key = rows.text(9),
                .attributes = rows.text(10)};
  return row;
}

}  // namespace

DeadLetters::DeadLetters(Connection& connection, const Bounds& bounds)
    : connection_(connection),
      bounds_(bounds),
      insert_(connection,
              "INSERT INTO dead_letters (pipeline, origin, reason, metadata, time, payload_bytes, payload, "
              "message_key, attributes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      set_totals_(connection,
                  "UPDATE dead_letter_totals SET letters = ?, bytes = ?, written = ?, pushed_out = ?, "
                  "replayed = ?, purged = ?"),
      oldest_(connection, kOldest.c_str()),
      delete_up_to_(connection, "DELETE FROM dead_letters WHERE id <= ?"),
      delete_one_(connection, kDeleteOne.c_str()),
      purge_(connection, kPurge.c_str()) {}

Status DeadLetters::read_totals() {
  LEAT_ASSIGN(status_, read_dead_letter_status(connection_));
  return {};
}

Status DeadLetters::write_totals() {
  return set_totals_.run(status_.letters, status_.bytes, status_.written, status_.pushed_out,
                         status_.replayed, status_.purged);
}

Status DeadLetters::add(const PipelineName& pipeline, const std::vector<DeadLetter>& letters) {
  if (letters.empty()) return {};
  LEAT_TRY(read_totals());
  for (const DeadLetter& letter : letters) LEAT_TRY(insert(pipeline, letter));
  LEAT_TRY(make_room());
  return write_totals();
}

Status DeadLetters::insert(const PipelineName& pipeline, const DeadLetter& letter) {
  const std::string_view payload = std::string_view(letter.payload)
                                       .substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(
                                                      bounds_.payload_bytes, letter.payload.size())));
  const std::uint64_t whole = letter.payload_bytes > 0 ? letter.payload_bytes : letter.payload.size();
  LEAT_TRY(insert_.run(std::string_view(pipeline.value), std::string_view(letter.origin),
                       std::string_view(letter.reason), std::string_view(letter.metadata), letter.time, whole,
                       Blob{payload}, Blob{letter.key}, Blob{letter.attributes}));
  ++status_.letters;
  ++status_.written;
  status_.bytes += bytes_of(letter, payload);
  return {};
}

Status DeadLetters::make_room() {
  if (status_.bytes <= bounds_.bytes && status_.letters <= bounds_.letters) return {};
  std::int64_t last = 0;
  {
    Rows oldest = oldest_.query();
    while (status_.bytes > bounds_.bytes || status_.letters > bounds_.letters) {
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

Result<std::uint64_t> DeadLetters::count_deleted(Rows deleted) {
  for (std::uint64_t count = 0;; ++count) {
    LEAT_ASSIGN(const bool found, deleted.next());
    if (!found) return count;
    status_.bytes -= deleted.count(0);
    --status_.letters;
  }
}

Status DeadLetters::take_replayed(const PipelineName& pipeline, const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return {};
  LEAT_TRY(read_totals());
  for (const std::int64_t id : ids) {
    LEAT_ASSIGN(const std::uint64_t deleted,
                count_deleted(delete_one_.query(id, std::string_view(pipeline.value))));
    status_.replayed += deleted;
  }
  return write_totals();
}

Result<std::uint64_t> DeadLetters::purge(const DeadLetterFilter& filter, std::size_t limit) {
  Transaction transaction(connection_);
  LEAT_TRY(transaction.begin());
  LEAT_TRY(read_totals());
  LEAT_ASSIGN(const std::uint64_t deleted,
              count_deleted(query_filtered(purge_, filter, static_cast<std::int64_t>(limit))));
  status_.purged += deleted;
  LEAT_TRY(write_totals());
  LEAT_TRY(transaction.commit());
  return deleted;
}

Result<std::vector<DeadLetterRow>> read_dead_letters(Connection& connection, const DeadLetterFilter& filter,
                                                     const DeadLetterPage& page) {
  const bool newest_first = page.order == DeadLetterPage::Order::kNewestFirst;
  Statement select(connection, (newest_first ? kSelectNewest : kSelectOldest).c_str());
  Rows rows = query_filtered(select, filter, static_cast<std::int64_t>(page.letters), page.payload_bytes);
  std::vector<DeadLetterRow> letters;
  for (std::uint64_t bytes = 0;;) {
    LEAT_ASSIGN(const bool found, rows.next());
    if (!found) return letters;
    DeadLetterRow row = read_row(rows);
    bytes += row.letter.payload.size();
    if (!letters.empty() && bytes > page.total_bytes) return letters;
    letters.push_back(std::move(row));
  }
}

Result<DeadLetterStatus> read_dead_letter_status(Connection& connection) {
  Statement select(connection,
                   "SELECT letters, bytes, written, pushed_out, replayed, purged FROM dead_letter_totals");
  Rows rows = select.query();
  LEAT_ASSIGN(const bool found, rows.next());
  if (!found)
    return fail(ErrorCode::kCorrupt, connection.path() + ": the totals of the dead letters are missing");
  return DeadLetterStatus{rows.count(0), rows.count(1), rows.count(2),
                          rows.count(3), rows.count(4), rows.count(5)};
}

}  // namespace leat::store
