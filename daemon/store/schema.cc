#include "daemon/store/schema.h"

#include <string>

namespace leat::store {
namespace {

Result<int> number(Connection& connection, const char* pragma) {
  LEAT_ASSIGN(const std::string text, connection.value(pragma));
  return std::stoi(text);  // SQLite prints an integer here.
}

}  // namespace

Status apply_settings(Connection& connection) {
  const bool in_memory = connection.path() == ":memory:";
  // Must come before the journal mode: afterwards the file has its first page and it is too late.
  // Setting it writes, even what it is already; on a full disk a store must open without.
  LEAT_ASSIGN(const std::string auto_vacuum, connection.value("PRAGMA auto_vacuum"));
  if (auto_vacuum != "2") LEAT_TRY(connection.set_pragma("auto_vacuum", "INCREMENTAL", "2"));
  if (!in_memory) LEAT_TRY(connection.set_pragma("journal_mode", "WAL", "wal"));
  LEAT_TRY(connection.set_pragma("synchronous", "FULL", "2"));
  LEAT_TRY(connection.set_pragma("secure_delete", "OFF", "0"));
  LEAT_TRY(connection.set_pragma("journal_size_limit", "16777216", "16777216"));
  LEAT_TRY(connection.set_pragma("cache_size", "-2000", "-2000"));
  LEAT_TRY(connection.set_pragma("temp_store", "MEMORY", "2"));
  LEAT_TRY(connection.set_pragma("trusted_schema", "OFF", "0"));
  if (!in_memory) LEAT_TRY(connection.set_pragma("wal_autocheckpoint", "4000", "4000"));
  return {};
}

Result<int> schema_version(Connection& connection) {
  LEAT_ASSIGN(const int tables, number(connection, "SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) return 0;
  LEAT_ASSIGN(const int application, number(connection, "PRAGMA application_id"));
  if (application != kApplicationId)
    return fail(ErrorCode::kConflict,
                connection.path() + " is a database, but not a store of Leat: choose another data folder");
  LEAT_ASSIGN(const int version, number(connection, "PRAGMA user_version"));
  if (version < 1)
    return fail(ErrorCode::kCorrupt,
                connection.path() + ": a store's schema cannot have version " + std::to_string(version));
  const auto known = static_cast<int>(schema_steps().size());
  if (version <= known) return version;
  return fail(ErrorCode::kConflict, connection.path() + " was written by a newer version of Leat (schema " +
                                        std::to_string(version) + ", this one knows " +
                                        std::to_string(known) +
                                        "): install that version again, or choose another data folder");
}

Status migrate(Connection& connection, int from, std::span<const char* const> steps) {
  for (auto version = static_cast<std::size_t>(from); version < steps.size(); ++version) {
    Transaction transaction(connection);
    LEAT_TRY(transaction.begin());
    LEAT_TRY(connection.exec(steps[version]));
    LEAT_TRY(connection.exec(("PRAGMA application_id = " + std::to_string(kApplicationId)).c_str()));
    LEAT_TRY(connection.exec(("PRAGMA user_version = " + std::to_string(version + 1)).c_str()));
    LEAT_TRY(transaction.commit());
  }
  return {};
}

}  // namespace leat::store
