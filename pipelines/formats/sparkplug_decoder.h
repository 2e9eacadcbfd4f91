// Payloads of Sparkplug B into rows, one per metric; one without metrics is one row. What a row means without
// what came before it - names that stand behind aliases, datatypes that only births tell - is the business of
// the table function SPARKPLUG. Runs on its pipeline's thread.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/format.h"
#include "pipelines/formats/sparkplug_options.h"
#include "pipelines/formats/sparkplug_payload.h"

namespace leat::formats {

class SparkplugDecoder final : public Decoder {
 public:
  /// The request's columns are known, and of the right types.
  SparkplugDecoder(const SparkplugOptions& options, const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 private:
  struct Slot {
    sparkplug::Role role;
    Type type;
    std::string name;
  };

  bool append_column(const Slot& slot, ColumnBuilder& out);
  bool append_payload_cell(sparkplug::Role role, ColumnBuilder& out) const;
  bool append_cell(const Slot& slot, std::size_t index, ColumnBuilder& out);
  void append_time(std::uint64_t millis, ColumnBuilder& out) const;
  bool append_json(const SparkplugMetric& metric, sparkplug::Role role, ColumnBuilder& out);
  bool append_datatype(const SparkplugMetric& metric, ColumnBuilder& out) const;
  bool append_value(const SparkplugMetric& metric, sparkplug::Role role, ColumnBuilder& out);
  bool append_bd_seq(ColumnBuilder& out) const;

  const SparkplugOptions options_;
  std::vector<Slot> slots_;  // One per wanted column.
  SparkplugPayload payload_;
  std::string json_;    // Of the cell at hand.
  std::string reason_;  // Why the payload is bad.
};

}  // namespace leat::formats
