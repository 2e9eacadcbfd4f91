// The tables of the store, as SCHEMA.md describes them to people, and the settings under which they are
// written. Used once, when the store is opened (or opened anew after an I/O error).
#pragma once

#include "daemon/store/sqlite.h"

namespace leat::store {

/// In PRAGMA user_version. A file with a higher one is refused, never touched.
inline constexpr int kSchemaVersion = 1;
/// In PRAGMA application_id: "LEAT". Keeps a mistyped path from writing into somebody else's database.
inline constexpr int kApplicationId = 0x4C454154;

enum class FileContent : std::uint8_t {
  kEmpty,  ///< Nothing yet: `create_schema`.
  kStore,  ///< A store in our version.
};
/// Looks without writing. Errors: conflict (another version of the schema; not a store of Leat), io, corrupt.
Result<FileContent> inspect_schema(Connection& connection);

/// Sets how the file is written and reads each setting back. Before `create_schema`. Errors: io, corrupt,
/// internal (SQLite holds another value than was set).
Status apply_settings(Connection& connection);

/// Creates the tables. Errors: io, exhausted.
Status create_schema(Connection& connection);

}  // namespace leat::store
