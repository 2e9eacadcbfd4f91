// Debezium's change events in JSON into rows with kinds: {"before": {…}, "after": {…}, "op": "u"}. A create
// (c) and a read of a snapshot (r) are +I of `after`, an update (u) is -U of `before` and +U of `after`, a
// delete (d) is -D of `before`. Records and their framing are JsonDecoder's. Runs on its pipeline's thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/formats/debezium_options.h"
#include "pipelines/formats/json_decoder.h"

namespace leat::formats {

class DebeziumDecoder final : public JsonDecoder {
 public:
  DebeziumDecoder(const DebeziumOptions& options, const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;
  [[nodiscard]] std::span<const RowKind> kinds() const override { return kinds_; }

 private:
  /// Where the parts of an event begin; null: not there.
  struct Event {
    JsonCursor::Mark before = nullptr;
    JsonCursor::Mark after = nullptr;
    JsonCursor::Mark op = nullptr;
  };
  /// A member and the place for its mark.
  struct Part {
    std::string_view name;
    JsonCursor::Mark* mark;
  };

  Outcome read_rows(JsonCursor& in, Pass& pass, std::size_t most, std::size_t& rows) override;
  [[nodiscard]] std::string mismatch_reason(const JsonCursor& in) const override;

  Outcome find_parts(JsonCursor& in, std::span<const Part> parts);
  Outcome read_event(JsonCursor& in, Pass& pass, std::size_t& rows);
  Outcome read_images(JsonCursor& in, const Event& event, Pass& pass, std::size_t& rows);
  Outcome read_image(JsonCursor& in, JsonCursor::Mark image, std::string_view name, RowKind kind, Pass& pass,
                     std::size_t& rows);
  Outcome refuse(std::string reason);

  const bool schema_include_;
  std::vector<RowKind> kinds_;  // Of the rows of the current decode.
  std::string scratch_;         // A member's name without its escapes.
  std::string reason_;          // Why the last event is bad, where it is not for a value of a row.
  std::string_view image_;      // Where that value is: "before", "after".
};

}  // namespace leat::formats
