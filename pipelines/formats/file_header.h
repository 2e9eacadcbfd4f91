// The first record of a file that names the columns: an option of whoever reads and writes files, for the
// formats that have one.
#pragma once

#include <cstdint>
#include <vector>

#include "pipelines/base/options.h"

namespace leat::formats {

enum class FileHeader : std::uint8_t {
  kNone,
  kSkip,   ///< It is passed over; columns are found by position.
  kNames,  ///< Columns are found by the names in it.
};

/// The row of a connector's table, for options that have `field`.
template <class Options>
Option<Options> header_row(FileHeader Options::*field) {
  return choice(
      "file.header", field,
      {{"none", FileHeader::kNone}, {"skip", FileHeader::kSkip}, {"names", FileHeader::kNames}},
      Necessity::kOptional,
      "Whether each file begins with a record that names the columns, of the format csv. When it is read, "
      "'skip' passes over it, and 'names' finds the columns by it: in any order, those that the table does "
      "not have are left out, those that the file does not have are NULL. Both have it written.");
}

/// Whether the table's format has headers, if one is asked for.
void check_header(FileHeader header, const OptionMap& table, std::vector<OptionError>& errors);

}  // namespace leat::formats
