#include "pipelines/formats/file_encoder.h"

#include <string>
#include <utility>

namespace leat::formats {
namespace {

class FileEncoder final : public Encoder, private EncodedSink {
 public:
  FileEncoder(std::unique_ptr<Encoder> encoder, FirstRecord first)
      : encoder_(std::move(encoder)), first_(std::move(first)) {}

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override {
    out_ = &out;
    bad_ = &bad;
    encoder_->encode(batch, *this, bad);
  }

 private:
  void record(std::size_t row, std::string_view bytes) override {
    if (bytes.find('\n') == std::string_view::npos || is_read_whole(bytes)) return out_->record(row, bytes);
    bad_->emplace_back(static_cast<std::uint32_t>(row),
                       "a text of more lines, or bytes, than a record of a file may have");
  }
  bool is_read_whole(std::string_view bytes) {
    line_.assign(bytes);
    line_.push_back('\n');
    return first_(line_, Behind::kNothing) == line_.size();
  }

  const std::unique_ptr<Encoder> encoder_;
  const FirstRecord first_;
  // Of the batch being encoded.
  EncodedSink* out_ = nullptr;
  std::vector<std::pair<std::uint32_t, std::string>>* bad_ = nullptr;
  std::string line_;
};

}  // namespace

bool goes_into_files(const OptionMap& table) {
  const auto connector = table.find("connector");
  return connector != table.end() && connector->second == "filesystem";
}

std::unique_ptr<Encoder> make_file_encoder(std::unique_ptr<Encoder> encoder, FirstRecord first) {
  return std::make_unique<FileEncoder>(std::move(encoder), std::move(first));
}

}  // namespace leat::formats
