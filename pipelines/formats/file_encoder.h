// In a file, a record ends where its format's reader finds the end. A text with very many lines, or a very
// long one, is cut there (csv_records.h, influx_line.h): such a row is not written, as it would be read as
// others.
#pragma once

#include <functional>
#include <memory>

#include "pipelines/formats/format.h"

namespace leat::formats {

/// The length of the record that `bytes` begin with, with the end of its line; 0: more is needed to tell.
using FirstRecord = std::function<std::size_t(std::string_view bytes, Behind behind)>;

/// Whether the records of a table with these options go into files.
bool goes_into_files(const OptionMap& table);

/// An encoder that refuses the rows whose records `first` would cut.
std::unique_ptr<Encoder> make_file_encoder(std::unique_ptr<Encoder> encoder, FirstRecord first);

}  // namespace leat::formats
