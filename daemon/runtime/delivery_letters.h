// Dead letters of records that a sink refuses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/commit.h"
#include "sinks/block.h"

namespace leat::runtime {

struct LetterOrigin {
  TableName sink;
  ShipmentNumber shipment;
  std::int64_t time = 0;  ///< Gateway clock, microseconds.
};

/// The payload is the record's; the metadata its place, key and headers:
///   {"shipment":7,"record":3,"key":"k","headers":{"topic":"t"}}
/// Bytes above 0x7f are written as \u00xx, so that a key of any bytes survives.
store::DeadLetter rejected_record(const LetterOrigin& origin, std::uint64_t index,
                                  const sinks::Record& record, const std::string& reason);

/// One letter per record, as the counts must add up; the first holds the blocks' bytes.
std::vector<store::DeadLetter> unreadable_records(const LetterOrigin& origin,
                                                  const std::vector<std::string>& blocks, std::uint64_t count,
                                                  const std::string& reason);

}  // namespace leat::runtime
