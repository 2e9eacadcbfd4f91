// Line protocol into columns: a row per line, of which a payload may have several; a bad one costs no other.
// Runs on its pipeline's thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipelines/formats/format.h"
#include "pipelines/formats/influx_line.h"
#include "pipelines/formats/influx_options.h"
#include "pipelines/formats/key_order.h"

namespace leat::formats {

class InfluxDecoder final : public Decoder {
 public:
  InfluxDecoder(const InfluxOptions& options, const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 private:
  /// A wanted column and what the line has for it.
  struct Slot {
    std::string name;
    Type type;
    InfluxRole role = InfluxRole::kField;
    InfluxValue value = {};
  };
  enum class Line : std::uint8_t { kRow, kOtherMeasurement, kBad };
  /// What one call of decode works on.
  struct Pass {
    std::span<ColumnBuilder* const> columns;
    std::vector<BadRecord>& bad;
    DecodeCount count = {};
    bool valid_utf8 = true;
  };

  void read_line(std::string_view line, Pass& pass);
  Line read_row(std::string_view line, Pass& pass);
  Line collect(std::string_view line);
  Line collect_fields(InfluxLine& in);
  bool collect_timestamp(InfluxLine& in);
  Slot* find(KeyOrder& order, std::size_t& position, const InfluxText& key);
  std::string_view plain(const InfluxText& text, std::string_view escapable);
  std::string_view plain_value(const InfluxValue& value);

  bool store(const Slot& slot, ColumnBuilder& out);
  bool store_value(const InfluxValue& value, const Type& type, ColumnBuilder& out);
  bool store_text(const InfluxValue& value, const Type& type, ColumnBuilder& out);
  bool store_timestamp(std::string_view digits, const Type& type, ColumnBuilder& out) const;
  bool fail(std::string reason);

  const InfluxOptions options_;
  const Framing framing_;
  std::vector<Slot> slots_;                                      // One per wanted column.
  std::unordered_map<std::string_view, std::uint32_t> by_name_;  // Tags and fields; views of slots' names.
  KeyOrder tags_;
  KeyOrder fields_;
  std::string scratch_;  // A text without its escapes.
  std::string reason_;   // Why the last line is bad.
};

}  // namespace leat::formats
