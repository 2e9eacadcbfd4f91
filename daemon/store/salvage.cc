#include "daemon/store/salvage.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>

#include "daemon/store/schema.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store_file.h"
#include "daemon/store/table_shape.h"

namespace leat::store {
namespace {

namespace fs = std::filesystem;

/// Ranges that a table is cut into at most: a table of damaged pages only would be searched for ever.
constexpr std::uint64_t kMaxPlaces = 20'000;
constexpr const char* kUnfinished = ".repairing";
constexpr const char* kRepaired = ".repaired";

/// Copies one table from the damaged to the new database.
class TableSalvage {
 public:
  TableSalvage(sqlite3* from, sqlite3* to, SalvagedTable& result) : from_(from), to_(to), result_(result) {}

  Status run() {
    const bool has_rowid = prepares("SELECT rowid FROM " + quoted() + " LIMIT 0");
    return has_rowid ? copy_rowids(std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max())
                     : copy_from_both_ends();
  }

 private:
  enum class End : std::uint8_t { kWhole, kDamaged };

  [[nodiscard]] std::string quoted() const { return sql_name(result_.name); }

  bool prepares(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    const bool ok = sqlite3_prepare_v2(from_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK;
    sqlite3_finalize(statement);
    return ok;
  }

  /// The table's rowids from `low` to `high`: upwards, then downwards, then the halves of what is between.
  Status copy_rowids(std::int64_t low, std::int64_t high) {
    const std::string range = " WHERE rowid BETWEEN " + std::to_string(low) + " AND " + std::to_string(high);
    std::int64_t first = low;
    LEAT_ASSIGN(const End up, copy(range + " ORDER BY rowid", &first));
    if (up == End::kWhole) return {};
    std::int64_t last = high;
    LEAT_ASSIGN(const End down, copy(range + " ORDER BY rowid DESC", &last));
    if (down == End::kWhole) return {};
    if (first >= last || result_.damaged_places > kMaxPlaces) return {};
    const std::int64_t middle = first / 2 + last / 2;
    if (middle <= first || middle >= last) return {};
    LEAT_TRY(copy_rowids(first, middle));
    return copy_rowids(middle, last);
  }

  Status copy_from_both_ends() {
    LEAT_ASSIGN(const End up, copy(" ORDER BY 1, 2", nullptr));
    if (up == End::kWhole) return {};
    LEAT_ASSIGN(const End down, copy(" ORDER BY 1 DESC, 2 DESC", nullptr));
    if (down == End::kWhole || result_.name != "state") return {};
    // State is the large one: by operator and first byte of the key.
    for (const std::int64_t id : operator_ids())
      for (int byte = 0; byte < 256; ++byte) LEAT_TRY(copy_state(id, byte));
    return {};
  }

  Status copy_state(std::int64_t id, int byte) {
    char range[128];
    std::snprintf(range, sizeof range, " WHERE operator = %lld AND key >= x'%02x' AND key < x'%02x%s'",
                  static_cast<long long>(id), static_cast<unsigned>(byte), static_cast<unsigned>(byte),
                  "ffffffffffffffff");
    LEAT_ASSIGN(const End up, copy(std::string(range) + " ORDER BY 1, 2", nullptr));
    if (up == End::kWhole) return {};
    LEAT_ASSIGN([[maybe_unused]] const End down,
                copy(std::string(range) + " ORDER BY 1 DESC, 2 DESC", nullptr));
    return {};
  }

  std::vector<std::int64_t> operator_ids() const {
    std::vector<std::int64_t> ids;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(to_, "SELECT id FROM operators", -1, &statement, nullptr);
    while (sqlite3_step(statement) == SQLITE_ROW) ids.push_back(sqlite3_column_int64(statement, 0));
    sqlite3_finalize(statement);
    return ids;
  }

  /// Copies until the end or the first damage; `rowid` is the last one that was read. Errors: of the new
  /// database only.
  Result<End> copy(const std::string& which, std::int64_t* rowid) {
    const std::string sql =
        std::string("SELECT ") + (rowid != nullptr ? "rowid, " : "0, ") + "* FROM " + quoted() + which;
    sqlite3_stmt* read = nullptr;
    if (sqlite3_prepare_v2(from_, sql.c_str(), -1, &read, nullptr) != SQLITE_OK) return damaged(read);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> owned(read, sqlite3_finalize);
    LEAT_TRY(prepare_insert(sqlite3_column_count(read) - 1));
    int rc = sqlite3_step(read);
    for (; rc == SQLITE_ROW; rc = sqlite3_step(read)) {
      if (rowid != nullptr) *rowid = sqlite3_column_int64(read, 0);
      LEAT_TRY(insert(read));
    }
    return rc == SQLITE_DONE ? Result<End>(End::kWhole) : damaged(nullptr);
  }

  Result<End> damaged(sqlite3_stmt* statement) {
    sqlite3_finalize(statement);
    ++result_.damaged_places;
    return End::kDamaged;
  }

  Status prepare_insert(int columns) {
    std::string places = "?";
    for (int i = 1; i < columns; ++i) places += ", ?";
    sqlite3_stmt* made = nullptr;
    // What a step has put into the table gives way. A row that a damaged page made up may break a constraint.
    const std::string sql = "INSERT OR REPLACE INTO " + quoted() + " VALUES (" + places + ")";
    if (sqlite3_prepare_v2(to_, sql.c_str(), -1, &made, nullptr) != SQLITE_OK)
      return fail(ErrorCode::kConflict, "table " + result_.name + ": " + sqlite3_errmsg(to_));
    insert_.reset(made);
    return {};
  }

  Status insert(sqlite3_stmt* row) {
    for (int i = 1; i < sqlite3_column_count(row); ++i)
      sqlite3_bind_value(insert_.get(), i, sqlite3_column_value(row, i));
    const int rc = sqlite3_step(insert_.get());
    sqlite3_reset(insert_.get());
    const int primary = rc & 0xff;
    if (rc == SQLITE_DONE || primary == SQLITE_CONSTRAINT || primary == SQLITE_MISMATCH) return {};
    return fail(primary == SQLITE_FULL ? ErrorCode::kExhausted : ErrorCode::kIo,
                "writing the repaired store: " + std::string(sqlite3_errmsg(to_)));
  }

  sqlite3* const from_;
  sqlite3* const to_;
  SalvagedTable& result_;
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> insert_{nullptr, sqlite3_finalize};
};

Result<bool> has_table(Connection& connection, const std::string& name) {
  Statement select(connection, "SELECT 1 FROM sqlite_schema WHERE name = ?");
  Rows rows = select.query(std::string_view(name));
  return rows.next();
}

struct Named {
  std::string name;
  std::string sql;
};

Result<std::vector<Named>> schema_of(Connection& connection, const char* type) {
  std::vector<Named> found;
  Statement select(
      connection,
      "SELECT name, sql FROM sqlite_schema WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%'");
  Rows rows = select.query(std::string_view(type));
  for (;;) {
    LEAT_ASSIGN(const bool more, rows.next());
    if (!more) return found;
    found.push_back({rows.text(0), rows.text(1)});
  }
}

// What hangs together must agree again: counts with what is there, shipments with their blocks. Records whose
// block is gone were never delivered: they count as dropped. A shipment that was settled in part and has lost
// a block is sent anew, and its records count as emitted once more. Letters that are gone count as pushed
// out. Rows of a stream whose block is gone count as dropped, and new blocks have numbers behind those that
// readers have passed.
constexpr const char* kReconcile = R"sql(
DELETE FROM store;
DELETE FROM blocks WHERE outbox NOT IN (SELECT id FROM outboxes);
UPDATE outboxes SET unsettled_blocks = NULL, unsettled_records = 0, settled_records = 0, part_records = 0
  WHERE waiting_blocks <> (SELECT count(*) FROM blocks WHERE outbox = outboxes.id);
UPDATE outboxes SET waiting_blocks = found.blocks, waiting_bytes = found.bytes, waiting = found.records,
    dropped = dropped + max(0, waiting - found.records), emitted = emitted + max(0, found.records - waiting)
  FROM (SELECT o.id AS id, count(b.number) AS blocks, coalesce(sum(b.bytes), 0) AS bytes,
               coalesce(sum(b.records), 0) AS records
        FROM outboxes o LEFT JOIN blocks b ON b.outbox = o.id GROUP BY o.id) AS found
  WHERE found.id = outboxes.id AND waiting_blocks <> found.blocks;
DELETE FROM leat_stream_users WHERE stream NOT IN (SELECT id FROM leat_streams);
DELETE FROM leat_stream_blocks WHERE stream NOT IN (SELECT id FROM leat_streams);
UPDATE leat_streams SET waiting = found.rows, waiting_bytes = found.bytes,
    dropped = dropped + max(0, waiting - found.rows), written = written + max(0, found.rows - waiting)
  FROM (SELECT s.id AS id, coalesce(sum(b.rows), 0) AS rows, coalesce(sum(b.bytes), 0) AS bytes
        FROM leat_streams s LEFT JOIN leat_stream_blocks b ON b.stream = s.id GROUP BY s.id) AS found
  WHERE found.id = leat_streams.id;
DELETE FROM sqlite_sequence WHERE name = 'leat_stream_blocks';
INSERT INTO sqlite_sequence (name, seq) SELECT 'leat_stream_blocks',
  max((SELECT coalesce(max(number), 0) FROM leat_stream_blocks),
      (SELECT coalesce(max(passed), 0) FROM leat_stream_users));
INSERT OR IGNORE INTO dead_letter_totals VALUES (1, 0, 0, 0, 0, 0, 0);
UPDATE dead_letter_totals SET letters = found.letters, bytes = found.bytes,
    pushed_out = pushed_out + max(0, dead_letter_totals.letters - found.letters),
    written = written + max(0, found.letters - dead_letter_totals.letters)
  FROM (SELECT count(*) AS letters,
               coalesce(sum(64 + length(CAST(origin AS BLOB)) + length(CAST(reason AS BLOB)) +
                            length(CAST(metadata AS BLOB)) + length(payload) + length(message_key) +
                            length(attributes)), 0) AS bytes
        FROM dead_letters) AS found;
)sql";

constexpr const char* kDropped = "SELECT coalesce(sum(dropped), 0) FROM outboxes";

/// In the schema's version of the old store: later steps run over what was salvaged.
Status copy_tables(Connection& from, Connection& to, SalvageReport& report) {
  LEAT_ASSIGN(const std::vector<Named> tables, schema_of(from, "table"));
  Transaction transaction(to);
  LEAT_TRY(transaction.begin());
  for (const Named& table : tables) {
    // Tables of pipelines are not in the schema's steps.
    LEAT_ASSIGN(const bool known, has_table(to, table.name));
    if (!known) LEAT_TRY(to.exec(table.sql.c_str()));
    report.tables.push_back({table.name});
    LEAT_TRY(TableSalvage(from.raw(), to.raw(), report.tables.back()).run());
    LEAT_ASSIGN(const std::string rows, to.value(("SELECT count(*) FROM " + sql_name(table.name)).c_str()));
    report.tables.back().rows = std::stoull(rows);
  }
  LEAT_TRY(transaction.commit());
  LEAT_ASSIGN(const std::vector<Named> indexes, schema_of(from, "index"));
  for (const Named& index : indexes) (void)to.exec(index.sql.c_str());  // The schema's own are there.
  return {};
}

Status reconcile(Connection& to, SalvageReport& report) {
  LEAT_ASSIGN(const std::string before, to.value(kDropped));
  Transaction transaction(to);
  LEAT_TRY(transaction.begin());
  LEAT_TRY(to.exec(kReconcile));
  LEAT_TRY(transaction.commit());
  LEAT_ASSIGN(const std::string after, to.value(kDropped));
  report.lost_records = std::stoull(after) - std::stoull(before);
  return {};
}

Status copy_all(Connection& from, Connection& to, SalvageReport& report) {
  Result<int> found = schema_version(from);
  // A number that makes no sense says nothing of the tables: most likely they are today's.
  if (!found && found.error().code == ErrorCode::kCorrupt) found = static_cast<int>(schema_steps().size());
  LEAT_ASSIGN(const int version, std::move(found));
  LEAT_TRY(migrate(to, 0, schema_steps().first(static_cast<std::size_t>(version))));
  LEAT_TRY(copy_tables(from, to, report));
  LEAT_TRY(migrate(to, version));
  return reconcile(to, report);
}

/// A repair by root leaves files that the daemon's user can write. Failing is no further error: who may not
/// change the owner is the owner.
void give_to_owner_of(const std::string& path, const std::string& made) {
  struct stat old {};
  if (::stat(path.c_str(), &old) != 0) return;
  if (::chown(made.c_str(), old.st_uid, old.st_gid) == 0) [[maybe_unused]]
    const int changed = ::chmod(made.c_str(), old.st_mode & 07777);
}

Status salvage_into(const std::string& path, const std::string& made, SalvageReport& report) {
  LEAT_ASSIGN(std::unique_ptr<Connection> from, Connection::open(path, OpenMode::kReadOnly));
  LEAT_ASSIGN(std::unique_ptr<Connection> to, Connection::open(made, OpenMode::kReadWrite));
  LEAT_TRY(to->set_pragma("auto_vacuum", "INCREMENTAL", "2"));
  LEAT_TRY(copy_all(*from, *to, report));
  LEAT_ASSIGN(const std::string verdict, to->value("PRAGMA quick_check(1)"));
  if (verdict == "ok") return {};
  return fail(ErrorCode::kInternal, "the repaired store is not sound: " + verdict);
}

}  // namespace

Result<SalvageReport> repair_store(const std::string& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) return fail(ErrorCode::kNotFound, "there is no store at " + path);
  LEAT_ASSIGN(const std::unique_ptr<StoreLock> lock, StoreLock::take(path));
  give_to_owner_of(path, path + ".lock");
  return repair_locked_store(path);
}

Result<SalvageReport> repair_locked_store(const std::string& path) {
  std::error_code failed;
  const std::string made = path + kUnfinished;
  const auto remove_made = [&] {
    for (const char* suffix : {"", "-journal"}) fs::remove(made + suffix, failed);
  };
  remove_made();
  SalvageReport report;
  if (Status salvaged = salvage_into(path, made, report); !salvaged) {
    remove_made();
    return tl::unexpected<Error>(salvaged.error());
  }
  give_to_owner_of(path, made);
  fs::rename(made, path + kRepaired, failed);
  if (failed) return fail(ErrorCode::kIo, "cannot rename " + made + ": " + failed.message());
  LEAT_TRY(sync_folder_of(path));  // The name, before the old one's goes.
  LEAT_ASSIGN(report.aside, set_store_aside(path));
  LEAT_ASSIGN([[maybe_unused]] const bool ended, end_repair(path));
  return report;
}

Result<bool> end_repair(const std::string& path) {
  std::error_code failed;
  const std::string made = path + kRepaired;
  if (fs::exists(path, failed) || !fs::exists(made, failed)) return false;
  fs::rename(made, path, failed);
  if (failed) return fail(ErrorCode::kIo, "cannot rename " + made + " to " + path + ": " + failed.message());
  LEAT_TRY(sync_folder_of(path));
  fs::remove(path + ".suspect", failed);
  return true;
}

std::string describe(const SalvageReport& report) {
  std::uint64_t rows = 0;
  std::uint64_t places = 0;
  for (const SalvagedTable& table : report.tables) {
    rows += table.rows;
    places += table.damaged_places;
  }
  return std::to_string(rows) + " rows of " + std::to_string(report.tables.size()) +
         " tables could be read, " + std::to_string(places) + " places could not, " +
         std::to_string(report.lost_records) + " results on their way are lost and counted as dropped";
}

}  // namespace leat::store
