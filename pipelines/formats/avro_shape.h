// Which column is which field of an Avro record: each is the field of its name.
//
//   boolean BOOLEAN · int TINYINT, SMALLINT, INT; read as BIGINT, FLOAT, DOUBLE, too · long BIGINT; read as
//   FLOAT, DOUBLE, too · float FLOAT; read as DOUBLE, too · double DOUBLE, FLOAT · bytes, fixed BINARY,
//   VARBINARY, with decimal DECIMAL of its scale · string, enum CHAR, VARCHAR · date DATE · time-… TIME ·
//   timestamp-…, local-timestamp-… TIMESTAMP, TIMESTAMP_LTZ · array ARRAY · map MAP, MULTISET, with texts as
//   keys · record ROW
//
// A union is null and one other type. What is a number with a meaning can be the number, too: INT, BIGINT.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/column/type.h"
#include "pipelines/formats/avro_schema.h"

namespace leat::formats {

/// How one value of the schema and one cell become each other.
struct AvroShape {
  AvroIndex node = 0;  ///< Of a union, the branch that is not null.
  Type type;
  bool is_union = false;
  std::uint32_t null_branch = 0;  ///< Of a union: which branch that is; kNoBranch: none.
  std::uint32_t value_branch = 0;
  /// ARRAY: the element. MAP: the value. ROW: its fields in the columns' order.
  std::vector<AvroShape> children = {};
  /// ROW: for each field of the record which child it is; kNoColumn: nobody wants it, or has it.
  std::vector<std::uint32_t> columns = {};

  static constexpr std::uint32_t kNoBranch = UINT32_MAX;
  static constexpr std::uint32_t kNoColumn = UINT32_MAX;
};

enum class AvroUse : std::uint8_t {
  kRead,
  kWrite,  ///< Every field that is no union with null must have a column, and of exactly its type.
};

/// The shape of the schema's root as these columns. `errors` gets a sentence for each that does not fit.
AvroShape match_avro(const AvroSchema& schema, const Type::Fields& columns, AvroUse use,
                     std::vector<std::string>& errors);

}  // namespace leat::formats
