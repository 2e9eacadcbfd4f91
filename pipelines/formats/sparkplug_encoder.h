// Rows into payloads of Sparkplug B, one metric each: commands to edge nodes and devices. Columns are those
// that are read, and the topic's, which are in no payload. Runs on its pipeline's thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/formats/format.h"
#include "pipelines/formats/sparkplug_payload.h"

namespace leat::formats {

/// The levels of a topic, of which a table that is written may have columns.
bool is_sparkplug_topic_column(std::string_view name);

class SparkplugEncoder final : public Encoder {
 public:
  /// The columns are known, of the right types, and can be written.
  explicit SparkplugEncoder(const Schema& schema);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  static constexpr std::size_t kRoles = static_cast<std::size_t>(sparkplug::Role::kBytesValue) + 1;
  /// Where a row is.
  struct Place {
    const Batch& batch;
    std::size_t row;
  };

  /// Null: there is no such column, or it is NULL.
  [[nodiscard]] const Column* find(Place place, sparkplug::Role role) const;
  [[nodiscard]] bool flag(Place place, sparkplug::Role role) const;
  bool write_payload(Place place);
  bool write_metric(Place place);
  bool choose_datatype(Place place, sparkplug::Datatype& type);
  bool write_value(Place place, sparkplug::Datatype type);
  bool write_real(double value, sparkplug::Datatype type);
  bool write_whole(Place place, sparkplug::Datatype type);
  bool refuse(std::string reason);

  std::vector<std::optional<std::size_t>> column_of_;  // By role.
  std::string metric_;
  std::string buffer_;  // The record being written; reused.
  std::string reason_;
};

}  // namespace leat::formats
