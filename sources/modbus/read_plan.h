// Which requests read the values of a table: as few as the protocol allows, each value whole in one of them.
// Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sources/modbus/register_mapping.h"

namespace leat::sources {

/// Most that one request may ask for (MODBUS Application Protocol 1.1b3, sections 6.1 to 6.4).
inline constexpr std::uint32_t kMostRegisters = 125;
inline constexpr std::uint32_t kMostBits = 2000;

/// A column and where its value is.
struct MappedColumn {
  std::string name;
  RegisterMapping mapping;
};

struct ReadRequest {
  RegisterTable table = RegisterTable::kHolding;
  std::uint16_t address = 0;
  std::uint16_t count = 0;
  std::vector<std::size_t> columns;  ///< Whose values are in it: indexes into the mapped columns.
};

struct ReadLimits {
  std::uint32_t registers = kMostRegisters;  ///< Of one request; at least those of each value.
  std::uint32_t gap = 0;  ///< Registers or bits that nobody wants and are read along between two values.
};

/// By table and address. Values may lie over each other.
std::vector<ReadRequest> plan_reads(std::span<const MappedColumn> columns, const ReadLimits& limits);

/// "holding 100 to 103 (temperature, state)": for messages.
std::string name_of_request(const ReadRequest& request, std::span<const MappedColumn> columns);

}  // namespace leat::sources
