// Where a column's value is in a device and what it is made of: the text of 'registers.<column>'. Pure.
//
// Grammar (words are separated by blanks):
//   mapping := place type? ('null' integer)? ('scale' decimal)? ('offset' decimal)? order?   in any order
//   place   := table address | number
//   table   := 'coil' | 'discrete' | 'input' | 'holding'
//   address := 0 … 65535, decimal or 0x…: as it is in the protocol, from 0
//   number  := five or six digits as data sheets have them, from 1: 00001 coil, 10001 discrete, 30001 input,
//              40001 holding; so '40101' is 'holding 100'
//   type    := 'bool' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'float32' | 'float64'
//              | 'string(' length ')' | 'bit' 0 … 15
//   order   := 'abcd' | 'cdab' | 'badc' | 'dcba'
//
// Coils and discrete inputs are 'bool', which may be left out; registers need one of the other types. A value
// is raw × scale + offset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipelines/base/result.h"
#include "pipelines/column/value.h"

namespace leat::sources {

/// The four tables of a device, each with addresses of its own.
enum class RegisterTable : std::uint8_t { kCoil, kDiscrete, kInput, kHolding };
std::string_view to_string(RegisterTable table);
/// Coils and discrete inputs are single bits, the others registers of 16.
constexpr bool holds_bits(RegisterTable table) {
  return table == RegisterTable::kCoil || table == RegisterTable::kDiscrete;
}

enum class RegisterType : std::uint8_t {
  kBool,  ///< A coil or a discrete input.
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat32,
  kFloat64,
  kString,  ///< Two characters per register.
  kBit,     ///< One of a register's; 0 is the least significant.
};
std::string_view to_string(RegisterType type);
constexpr bool is_float(RegisterType type) {
  return type == RegisterType::kFloat32 || type == RegisterType::kFloat64;
}
constexpr bool is_integer(RegisterType type) {
  return type >= RegisterType::kInt16 && type <= RegisterType::kUint64;
}

/// The least and the largest number that an integer type holds.
std::pair<Int128, Int128> raw_range(RegisterType type);

/// Which byte of a value comes where; named by how the bytes A B C D of a 32-bit number follow each other.
enum class ByteOrder : std::uint8_t {
  kAbcd,  ///< The specification's: big endian.
  kCdab,  ///< Registers in reverse.
  kBadc,  ///< The two bytes of each register exchanged.
  kDcba,  ///< Both.
};
std::string_view to_string(ByteOrder order);

/// raw × factor + shift, both as integers of 10^-digits, so that integers stay exact.
struct Scaling {
  Int128 factor = 1;
  Int128 shift = 0;
  std::int32_t digits = 0;
};

struct RegisterMapping {
  RegisterTable table = RegisterTable::kHolding;
  std::uint16_t address = 0;
  std::uint16_t count = 1;  ///< Registers or bits; address + count <= 65536.
  RegisterType type = RegisterType::kBool;
  std::uint16_t length = 0;  ///< Of a string, in bytes.
  std::uint8_t bit = 0;
  std::optional<ByteOrder> order;  ///< None: the table's.
  std::optional<Int128> null;      ///< The raw number that stands for no value.
  Scaling scaling;
};

/// Errors: invalid.
Result<RegisterMapping> parse_register_mapping(std::string_view text);

/// "holding 100", "input 40 to 43": for messages.
std::string name_of_registers(RegisterTable table, std::uint32_t address, std::uint32_t count);

}  // namespace leat::sources
