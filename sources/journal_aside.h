// What a journal sets aside: files beside it, never deleted by Leat.
//   PATH.damaged-records-N  the bytes of unreadable places of the ring, one after the other as they were; N
//   is
//                           the number of the first message that is missing
//   PATH.damaged-N          a whole file that holds no journal; N counts
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"
#include "sources/journal_file.h"
#include "sources/journal_scan.h"

namespace leat::sources {

/// Offsets in the ring.
struct RingRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Copies the ranges into PATH.damaged-records-`first`, which is written anew: the same damage found twice
/// has one file. Gives a clause that says what has become of them.
std::string keep_bytes(const JournalFile& file, const RingGeometry& ring,
                       const std::vector<RingRange>& ranges, const std::string& path, MessageNumber first);

/// Renames the file to the first PATH.damaged-N that is free: its new name. Errors: io.
Result<std::string> set_file_aside(const std::string& path);

/// Files of both kinds that are there.
std::uint64_t count_set_aside(const std::string& path);

}  // namespace leat::sources
