// What the store does when nobody wants anything of it: gives free pages back to the file system, and moves
// the log into the database, in steps so short that a commit which comes meanwhile hardly notices.
#pragma once

#include "daemon/store/sqlite.h"

namespace leat::store {

/// One step; true: there is more to do. A failure (a full disk) ends the round: there is another idle time.
bool keep_house(Connection& connection);

}  // namespace leat::store
