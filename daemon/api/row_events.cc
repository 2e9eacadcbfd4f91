#include "daemon/api/row_events.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipelines/formats/format.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;
using runtime::RowChannel;

constexpr std::chrono::milliseconds kWait{500};
constexpr int kQuietWaits = 6;
/// An event is held in memory whole by whoever reads it.
constexpr std::size_t kRowsPerEvent = 500;

std::string event(std::string_view name, const std::string& data) {
  return "event: " + std::string(name) + "\ndata: " + data + "\n\n";
}

std::string event(std::string_view name, const ordered_json& data) {
  return event(name, data.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::string schema_event(const Schema& schema) {
  ordered_json columns = ordered_json::array();
  for (const auto& field : schema.fields)
    columns.push_back({{"name", field.name}, {"type", field.type.to_string()}});
  return event("schema", ordered_json{{"columns", std::move(columns)}});
}

/// The encoded rows of a batch, by row; empty: the format cannot write it.
class Collector final : public formats::EncodedSink {
 public:
  explicit Collector(std::vector<std::string>& rows) : rows_(rows) {}
  void record(std::size_t row, std::string_view bytes) override { rows_[row] = bytes; }

 private:
  std::vector<std::string>& rows_;
};

class Stream {
 public:
  Stream(std::shared_ptr<RowChannel> channel, std::shared_ptr<void> keeps)
      : channel_(std::move(channel)), keeps_(std::move(keeps)) {
    if (auto made = formats::find_format("json")->make_encoder({}, channel_->schema()))
      encoder_ = *std::move(made);
  }
  ~Stream() { channel_->leave(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  std::optional<std::string> next() {
    if (!std::exchange(begun_, true)) return schema_event(channel_->schema());
    if (ended_) return std::nullopt;
    const RowChannel::Seen seen = channel_->wait(kWait);
    std::string text;
    if (seen.skipped > 0) text += event("skipped", ordered_json{{"rows", seen.skipped}});
    for (const auto& rows : seen.rows) append_rows(*rows, text);
    for (const std::string& note : seen.notes) text += event("note", ordered_json{{"text", note}});
    if (seen.ended) text += event("end", ordered_json{{"why", *seen.ended}, {"rows", rows_}});
    ended_ = seen.ended.has_value();
    quiet_ = text.empty() ? quiet_ + 1 : 0;
    if (quiet_ < kQuietWaits) return text;
    quiet_ = 0;
    return ":\n\n";
  }

 private:
  void append_rows(const Batch& batch, std::string& out) {
    std::vector<std::string> rows(batch.size);
    Collector collector(rows);
    std::vector<std::pair<std::uint32_t, std::string>> bad;
    if (encoder_) encoder_->encode(batch, collector, bad);
    for (const auto& [row, reason] : bad) rows[row] = ordered_json{{"cannot be shown", reason}}.dump();
    for (std::size_t begin = 0; begin < batch.size; begin += kRowsPerEvent) {
      std::string list;
      for (std::size_t row = begin; row < std::min(begin + kRowsPerEvent, batch.size); ++row) {
        list += list.empty() ? "[" : ",";
        list += R"({"kind":")" + std::string(to_string(batch.kind(row))) + R"(","row":)" + rows[row] + "}";
      }
      out += event("rows", list + "]");
    }
    rows_ += batch.size;
  }

  const std::shared_ptr<RowChannel> channel_;
  const std::shared_ptr<void> keeps_;
  std::unique_ptr<formats::Encoder> encoder_;
  bool begun_ = false;
  bool ended_ = false;
  int quiet_ = 0;
  std::uint64_t rows_ = 0;
};

}  // namespace

Response row_events(std::shared_ptr<RowChannel> channel, std::shared_ptr<void> keeps) {
  Response response{.status = 200, .body = {}, .content_type = "text/event-stream"};
  response.headers.emplace_back("Cache-Control", "no-cache");
  auto stream = std::make_shared<Stream>(std::move(channel), std::move(keeps));
  response.pieces = [stream] { return stream->next(); };
  return response;
}

}  // namespace leat::api
