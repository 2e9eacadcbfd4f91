// Payloads of Sparkplug B into rows, one per metric; one without metrics is one row. A compressed payload, as
// Eclipse Tahu makes it, is read as what it holds. What a row means without what came before it - names that
// stand behind aliases, datatypes that only births tell - is the business of the table function SPARKPLUG.
// Runs on its pipeline's thread.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/compression.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/sparkplug_options.h"
#include "pipelines/formats/sparkplug_payload.h"

namespace leat::formats {

class SparkplugDecoder final : public Decoder {
 public:
  /// The request's columns are known, and of the right types.
  SparkplugDecoder(const SparkplugOptions& options, const DecodeRequest& request);

  /// It is the ts of metrics without any time, as the specification lets an NDEATH be: a row without a
  /// rowtime would be a dead letter, and the death lost.
  void received_at(std::int64_t intake_time) override { received_ = intake_time; }
  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 private:
  struct Slot {
    sparkplug::Role role;
    Type type;
    std::string name;
  };

  bool read(std::string_view payload, std::span<ColumnBuilder* const> columns);
  bool read_body(std::span<ColumnBuilder* const> columns);
  bool append_column(const Slot& slot, ColumnBuilder& out);
  bool append_payload_cell(sparkplug::Role role, ColumnBuilder& out) const;
  bool append_cell(const Slot& slot, std::size_t index, ColumnBuilder& out);
  bool append_ts(const SparkplugMetric& metric, ColumnBuilder& out) const;
  static bool append_time(std::uint64_t millis, ColumnBuilder& out);
  bool append_json(const SparkplugMetric& metric, sparkplug::Role role, ColumnBuilder& out);
  bool append_datatype(const SparkplugMetric& metric, ColumnBuilder& out) const;
  bool append_value(const SparkplugMetric& metric, sparkplug::Role role, ColumnBuilder& out);

  const SparkplugOptions options_;
  std::vector<Slot> slots_;  // One per wanted column.
  SparkplugPayload payload_;
  SparkplugPayload inner_;                // Of a compressed payload, while it is read.
  PayloadHeap heap_;                      // Where inner payloads lie.
  std::string scratch_;                   // The last of them, as it comes out.
  std::optional<std::int64_t> bd_seq_;    // Of the payload: each of its rows has it.
  std::optional<std::int64_t> received_;  // None: nobody has said.
  std::string json_;                      // Of the cell at hand.
  std::string reason_;                    // Why the payload is bad.
};

}  // namespace leat::formats
