#include "sources/filesystem/file_bytes.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "sources/filesystem/compressed_bytes.h"

namespace leat::sources {
namespace {

class PlainBytes final : public FileBytes {
 public:
  explicit PlainBytes(std::unique_ptr<RawFile> file) : FileBytes(std::move(file)) {}

  Result<Got> read(std::span<char> out) override {
    LEAT_ASSIGN(const std::size_t bytes, take(out));
    return Got{bytes, bytes < out.size() ? Got::Then::kEnd : Got::Then::kMore};
  }
  Result<std::uint64_t> seek(std::uint64_t offset) override {
    const std::uint64_t reached = std::min(offset, facts().size);
    take_from(reached);
    return reached;
  }
};

std::string_view suffix_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

/// Those of Flink that are not read here: a file of theirs must not pass for text.
bool is_unknown_compression(std::string_view suffix) {
  constexpr std::array<std::string_view, 4> kUnread{"bz2", "xz", "deflate", "lz4"};
  return std::ranges::find(kUnread, suffix) != kUnread.end();
}

}  // namespace

bool is_compressed(const std::string& path, FileCompression compression) {
  if (compression != FileCompression::kByName) return compression != FileCompression::kNone;
  const std::string_view suffix = suffix_of(path);
  return suffix == "gz" || suffix == "gzip" || suffix == "zst" || suffix == "zstd" ||
         is_unknown_compression(suffix);
}

Result<std::unique_ptr<FileBytes>> FileBytes::open(FileTree& tree, const std::string& path,
                                                   FileCompression compression) {
  LEAT_ASSIGN(std::unique_ptr<RawFile> file, tree.open(path));
  if (!is_compressed(path, compression)) return std::make_unique<PlainBytes>(std::move(file));
  const std::string_view suffix = suffix_of(path);
  Expander::Kind kind = compression == FileCompression::kZstd || suffix.starts_with("zst")
                            ? Expander::Kind::kZstd
                            : Expander::Kind::kGzip;
  if (compression == FileCompression::kGzip) kind = Expander::Kind::kGzip;
  if (compression == FileCompression::kByName && is_unknown_compression(suffix))
    kind = Expander::Kind::kUnknown;
  return std::make_unique<CompressedBytes>(std::move(file), kind);
}

Result<std::size_t> FileBytes::take(std::span<char> out) {
  LEAT_ASSIGN(const std::size_t got, file_->read_at(taken_, out));
  taken_ += got;
  return got;
}

}  // namespace leat::sources
