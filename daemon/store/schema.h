// The tables of the store, as SCHEMA.md describes them to people, and the settings under which they are
// written. Used when the store is opened (or opened anew after an I/O error).
//
// The schema is a list of steps: step 1 makes the tables of version 1 in an empty file, each further one
// turns a file of the version before into the next. PRAGMA user_version is the number of steps that a file
// has taken.
#pragma once

#include <span>

#include "daemon/store/sqlite.h"

namespace leat::store {

/// In PRAGMA application_id: "LEAT". Keeps a mistyped path from writing into somebody else's database.
inline constexpr int kApplicationId = 0x4C454154;

/// SQL text of each step, oldest first (schema_steps.cc).
std::span<const char* const> schema_steps();

/// Looks without writing: the steps that the file has taken; 0: it is empty. Errors: conflict (a newer
/// version; not a store of Leat), io, corrupt.
Result<int> schema_version(Connection& connection);

/// Sets how the file is written and reads each setting back. Before the first step. Errors: io, corrupt,
/// internal (SQLite holds another value than was set).
Status apply_settings(Connection& connection);

/// Takes the steps behind `from`, each in a transaction of its own that also raises the version: a kill
/// between two leaves a file of a version in between, which the next opening leads on. Errors: io, exhausted,
/// corrupt.
Status migrate(Connection& connection, int from, std::span<const char* const> steps = schema_steps());

}  // namespace leat::store
