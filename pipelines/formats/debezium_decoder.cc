#include "pipelines/formats/debezium_decoder.h"

#include <array>

namespace leat::formats {
namespace {

constexpr std::string_view kNull = "null";

std::string_view token_at(JsonCursor& in, JsonCursor::Mark mark) {
  in.rewind(mark);
  return in.token();
}

}  // namespace

DebeziumDecoder::DebeziumDecoder(const DebeziumOptions& options, const DecodeRequest& request)
    : JsonDecoder(options, request), schema_include_(options.schema_include) {}

DecodeCount DebeziumDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                    std::vector<BadRecord>& bad) {
  kinds_.clear();
  const DecodeCount count = JsonDecoder::decode(payload, columns, bad);
  kinds_.resize(static_cast<std::size_t>(count.rows));  // Without those of a last event that was bad.
  return count;
}

Outcome DebeziumDecoder::read_rows(JsonCursor& in, Pass& pass, std::size_t /*most*/, std::size_t& rows) {
  kinds_.resize(static_cast<std::size_t>(pass.count.rows));
  reason_.clear();
  image_ = {};
  if (schema_include_) {
    JsonCursor::Mark payload = nullptr;
    const std::array<Part, 1> parts = {{{"payload", &payload}}};
    if (const Outcome found = find_parts(in, parts); found != Outcome::kOk) return found;
    if (payload == nullptr) return refuse("no 'payload', which 'debezium-json.schema-include' says there is");
    const JsonCursor::Mark behind = in.mark();
    in.rewind(payload);
    const Outcome read = read_event(in, pass, rows);
    if (read == Outcome::kOk) in.rewind(behind);
    return read;
  }
  return read_event(in, pass, rows);
}

Outcome DebeziumDecoder::read_event(JsonCursor& in, Pass& pass, std::size_t& rows) {
  Event event;
  const std::array<Part, 3> parts = {{{"before", &event.before}, {"after", &event.after}, {"op", &event.op}}};
  if (const Outcome found = find_parts(in, parts); found != Outcome::kOk) return found;
  const JsonCursor::Mark behind = in.mark();
  const Outcome read = read_images(in, event, pass, rows);
  if (read == Outcome::kOk) in.rewind(behind);
  return read;
}

/// Walks over the object that `in` stands at and marks the values of the parts; the last of equal names
/// counts.
Outcome DebeziumDecoder::find_parts(JsonCursor& in, std::span<const Part> parts) {
  if (in.peek() != '{') return refuse("expected an object, the event of a change");
  in.advance();
  char mark = in.peek() == '}' ? '}' : ',';
  if (mark == '}') in.advance();
  while (mark == ',') {
    std::string_view name = in.peek() == '"' ? in.token() : std::string_view();
    if (name.size() < 2 || name.back() != '"') return Outcome::kMalformed;
    name = name.substr(1, name.size() - 2);
    if (has_escape(name)) {
      if (!unescape(name, scratch_)) return Outcome::kMalformed;
      name = scratch_;
    }
    in.advance();
    if (in.peek() != ':') return Outcome::kMalformed;
    in.advance();
    for (const Part& part : parts)
      if (part.name == name) *part.mark = in.mark();
    if (const Outcome skipped = skip_value(in, 1); skipped != Outcome::kOk) return skipped;
    mark = in.peek();
    if (mark != ',' && mark != '}') return Outcome::kMalformed;
    in.advance();
  }
  return Outcome::kOk;
}

Outcome DebeziumDecoder::read_images(JsonCursor& in, const Event& event, Pass& pass, std::size_t& rows) {
  if (event.op == nullptr) return refuse("no 'op', which says what the event does");
  const std::string op(token_at(in, event.op));
  if (op == "\"c\"" || op == "\"r\"")
    return read_image(in, event.after, "after", RowKind::kInsert, pass, rows);
  if (op == "\"d\"") return read_image(in, event.before, "before", RowKind::kDelete, pass, rows);
  if (op != "\"u\"") return refuse("'op' is " + op + ", which is neither \"c\", \"r\", \"u\" nor \"d\"");
  const Outcome before = read_image(in, event.before, "before", RowKind::kUpdateBefore, pass, rows);
  if (before != Outcome::kOk) return before;
  return read_image(in, event.after, "after", RowKind::kUpdateAfter, pass, rows);
}

Outcome DebeziumDecoder::read_image(JsonCursor& in, JsonCursor::Mark image, std::string_view name,
                                    RowKind kind, Pass& pass, std::size_t& rows) {
  if (image == nullptr || token_at(in, image) == kNull)
    return refuse("'" + std::string(name) + "' is null" +
                  (name == "before" ? ": the database must send whole rows as they were (in PostgreSQL, "
                                      "REPLICA IDENTITY FULL)"
                                    : ""));
  in.rewind(image);
  image_ = name;
  const Outcome read = values_.read_row(in, columns_, pass.columns, pass.rows + rows);
  if (read != Outcome::kOk) return read;
  ++rows;
  kinds_.push_back(kind);
  return Outcome::kOk;
}

Outcome DebeziumDecoder::refuse(std::string reason) {
  reason_ = std::move(reason);
  return Outcome::kMismatch;
}

std::string DebeziumDecoder::mismatch_reason(const JsonCursor& in) const {
  if (!reason_.empty()) return reason_;
  return std::string(image_) + ": " + values_.reason(in);
}

}  // namespace leat::formats
