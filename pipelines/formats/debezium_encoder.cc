#include "pipelines/formats/debezium_encoder.h"

namespace leat::formats {
namespace {

/// Puts each row's object into its event.
class Events final : public EncodedSink {
 public:
  Events(const Batch& batch, std::string_view no_before, std::string_view no_after, EncodedSink& out)
      : batch_(batch), no_before_(no_before), no_after_(no_after), out_(out) {}

  void record(std::size_t row, std::string_view bytes) override {
    const RowKind kind = batch_.kind(row);
    const bool goes = kind == RowKind::kUpdateBefore || kind == RowKind::kDelete;
    buffer_.assign(1, '{');
    if (goes)
      buffer_.append(R"("before":)").append(bytes).append(no_after_).append(R"(,"op":"d"})");
    else
      buffer_.append(no_before_).append(R"("after":)").append(bytes).append(R"(,"op":"c"})");
    out_.record(row, buffer_);
  }

 private:
  const Batch& batch_;
  const std::string_view no_before_;
  const std::string_view no_after_;
  EncodedSink& out_;
  std::string buffer_;
};

}  // namespace

DebeziumEncoder::DebeziumEncoder(const DebeziumOptions& options, const Schema& schema)
    : rows_(options, schema),
      no_before_(options.ignore_null_fields ? "" : R"("before":null,)"),
      no_after_(options.ignore_null_fields ? "" : R"(,"after":null)") {}

void DebeziumEncoder::encode(const Batch& batch, EncodedSink& out,
                             std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  Events events(batch, no_before_, no_after_, out);
  rows_.encode(batch, events, bad);
}

}  // namespace leat::formats
