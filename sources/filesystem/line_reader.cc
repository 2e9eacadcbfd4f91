#include "sources/filesystem/line_reader.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace leat::sources {
namespace {

constexpr std::size_t kTailBytes = 64;

using Then = FileBytes::Got::Then;

void keep_last(std::string& before, std::string_view bytes) {
  if (bytes.size() >= kTailBytes)
    before.assign(bytes.substr(bytes.size() - kTailBytes));
  else
    before.append(bytes);
  if (before.size() > kTailBytes) before.erase(0, before.size() - kTailBytes);
}

}  // namespace

Result<std::unique_ptr<LineReader>> LineReader::open(FileTree& tree, const std::string& path,
                                                     FileCompression compression, std::size_t chunk_bytes,
                                                     const formats::RecordSplitter& splitter) {
  LEAT_ASSIGN(std::unique_ptr<FileBytes> file, FileBytes::open(tree, path, compression));
  return std::unique_ptr<LineReader>(new LineReader(std::move(file), chunk_bytes, splitter));
}

LineReader::LineReader(std::unique_ptr<FileBytes> file, std::size_t chunk_bytes,
                       formats::RecordSplitter splitter)
    : file_(std::move(file)),
      chunk_bytes_(std::max<std::size_t>(1, chunk_bytes)),
      splitter_(std::move(splitter)) {}

std::uint64_t LineReader::tail() const {
  return before_.empty() ? 0 : XXH3_64bits(before_.data(), before_.size());
}

void LineReader::free_buffer() {
  buffer_ = {};
  begin_ = filled_ = 0;
}

Status LineReader::seek(std::uint64_t offset, std::uint64_t tail) {
  begin_ = filled_ = 0;
  LEAT_TRY(file_->refresh());
  before_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kTailBytes, offset)));
  LEAT_ASSIGN(const std::uint64_t start, file_->seek(offset - before_.size()));
  LEAT_ASSIGN(const FileBytes::Got got, file_->read(before_));
  const bool there = start == offset - before_.size() && got.bytes == before_.size();
  offset_ = offset;
  if (there && (tail == 0 || tail == this->tail())) return {};
  before_.clear();
  LEAT_ASSIGN(offset_, file_->seek(0));
  return {};
}

Status LineReader::fill() {
  LEAT_ASSIGN(const FileBytes::Got got, file_->read(std::span(buffer_).subspan(filled_)));
  filled_ += got.bytes;
  then_ = got.then;
  return {};
}

std::size_t LineReader::whole_records(const formats::RecordSplitter& splitter) const {
  const std::string_view bytes(buffer_.data() + begin_, filled_ - begin_);
  if (bytes.empty()) return 0;
  if (splitter) return splitter(bytes, formats::Behind::kMore);
  const void* newline = ::memrchr(bytes.data(), '\n', bytes.size());
  return newline == nullptr ? 0
                            : static_cast<std::size_t>(static_cast<const char*>(newline) - bytes.data()) + 1;
}

Result<LineReader::Chunk> LineReader::next(LastLine last_line) {
  return next(splitter_, last_line);
}

Result<std::optional<LineReader::Chunk>> LineReader::first_record(const formats::RecordSplitter& first,
                                                                  LastLine last_line) {
  header_.clear();
  LEAT_ASSIGN(Chunk chunk, next(first, last_line));
  const bool whole = !chunk.bytes.empty() || !chunk.damage.empty() || last_line == LastLine::kComplete;
  if (!whole) return std::nullopt;
  header_ = chunk.bytes;
  return chunk;
}

Status LineReader::find_header(const formats::RecordSplitter& first) {
  if (!header_.empty()) return {};
  LEAT_TRY(seek(0, 0));
  LEAT_TRY(first_record(first, LastLine::kComplete));
  return {};
}

Result<LineReader::Chunk> LineReader::next(const formats::RecordSplitter& splitter, LastLine last_line) {
  if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, filled_ - begin_);
  filled_ -= std::exchange(begin_, 0);
  buffer_.resize(std::max(chunk_bytes_, filled_));
  left_last_line_ = false;
  while (true) {
    then_ = Then::kMore;
    if (filled_ < buffer_.size()) LEAT_TRY(fill());
    const std::size_t length = whole_records(splitter);
    if (length > 0) return take(length);
    const bool torn = then_ == Then::kTorn && last_line == LastLine::kComplete;
    if (then_ == Then::kDamaged || torn) return take_damaged();
    if (then_ != Then::kMore) {
      left_last_line_ = then_ == Then::kEnd && filled_ > 0;
      return take(ends_line(last_line) ? filled_ : 0);
    }
    if (buffer_.size() >= kMaxLineBytes) return cut_line(last_line);
    buffer_.resize(std::min(buffer_.size() * 2, kMaxLineBytes));
  }
}

bool LineReader::ends_line(LastLine last_line) const {
  if (last_line == LastLine::kIfWhole) return then_ == Then::kEnd;
  return last_line == LastLine::kComplete || then_ == Then::kDamaged;
}

LineReader::Chunk LineReader::take(std::size_t length) {
  const std::string_view bytes(buffer_.data() + begin_, length);
  begin_ += length;
  offset_ += length;
  keep_last(before_, bytes);
  return {bytes, offset_};
}

LineReader::Chunk LineReader::take_damaged() {
  const std::uint64_t begin = offset_;
  Chunk chunk = take(filled_ - begin_);
  chunk.bytes = chunk.bytes.substr(0, kKeptLineBytes);
  chunk.end = begin;
  chunk.damage = file_->trouble();
  return chunk;
}

Result<LineReader::Chunk> LineReader::cut_line(LastLine last_line) {
  const std::uint64_t begin = offset_;
  kept_.assign(buffer_.data() + begin_, kKeptLineBytes);
  while (true) {
    const std::string_view bytes(buffer_.data() + begin_, filled_ - begin_);
    const std::size_t newline = bytes.find('\n');
    if (newline != std::string_view::npos) {
      const std::uint64_t end = take(newline + 1).end;
      return Chunk{kept_, end, end - begin - 1};
    }
    take(bytes.size());
    if (then_ != Then::kMore) break;
    begin_ = filled_ = 0;
    LEAT_TRY(fill());
  }
  // The end came first: a line that is awaited is looked at again from its start.
  if (ends_line(last_line)) return Chunk{kept_, offset_, offset_ - begin};
  left_last_line_ = then_ == Then::kEnd;
  LEAT_TRY(seek(begin, 0));
  return Chunk{{}, offset_};
}

}  // namespace leat::sources
