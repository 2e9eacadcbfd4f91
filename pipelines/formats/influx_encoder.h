// Rows into lines of line protocol: tags and fields in the order of the columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/formats/format.h"
#include "pipelines/formats/influx_options.h"

namespace leat::formats {

class InfluxEncoder final : public Encoder {
 public:
  InfluxEncoder(const InfluxOptions& options, const Schema& schema);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  // Each writes to buffer_; false: the row cannot be written, as reason_ says.
  bool write_line(const Batch& batch, std::size_t row);
  bool write_measurement(const Batch& batch, std::size_t row);
  bool write_tag(std::size_t index, const Column& column, std::size_t row);
  bool write_fields(const Batch& batch, std::size_t row);
  bool write_field(std::size_t index, const Column& column, std::size_t row);
  bool write_timestamp(const Column& column, std::size_t row);
  bool append_escaped(std::string_view text, std::string_view special, const std::string& what);
  bool fail(std::string reason);

  const InfluxOptions options_;
  const std::vector<InfluxRole> roles_;
  std::vector<std::string> names_;  // Of the columns.
  std::vector<std::string> keys_;   // As they are written, with '='.
  std::string buffer_;              // The line being written; reused.
  std::string text_;
  std::string reason_;
};

}  // namespace leat::formats
