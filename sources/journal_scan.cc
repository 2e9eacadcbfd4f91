#include "sources/journal_scan.h"

#include <algorithm>

namespace leat::sources {
namespace {

constexpr std::uint64_t kScanBytes = 256 * 1024;

}  // namespace

JournalStep look_at(std::string_view bytes, const JournalMark& before, std::uint64_t lap_rest) {
  using Kind = JournalStep::Kind;
  if (lap_rest < kRecordHeadBytes) return {.kind = Kind::kLapEnd};
  if (bytes.size() < kRecordHeadBytes) return {.kind = Kind::kNeedMore, .needed = kRecordHeadBytes};
  const std::optional<RecordHead> head = decode_head(bytes);
  if (!head || !continues(before, *head) || head->size() > lap_rest) return {.kind = Kind::kNone};
  if (head->size() > bytes.size()) return {.kind = Kind::kNeedMore, .needed = head->size()};
  if (!checksum_matches(*head, bytes)) return {.kind = Kind::kNone};
  return {.kind = head->kind == RecordKind::kSkip ? Kind::kLapEnd : Kind::kRecord, .head = *head};
}

Status JournalScanner::fill(std::uint64_t bytes) {
  const std::uint64_t limit = std::min(ring_.lap_rest(mark_.offset), end_ - mark_.offset);
  buffer_.resize(static_cast<std::size_t>(std::min(std::max(bytes, kScanBytes), limit)));
  buffer_offset_ = mark_.offset;
  return file_.read(ring_.file_offset(mark_.offset), buffer_);
}

Result<std::optional<Message>> JournalScanner::next() {
  while (mark_.offset < end_) {
    const auto begin = static_cast<std::size_t>(mark_.offset - buffer_offset_);
    const std::string_view all(buffer_.data(), buffer_.size());
    const std::string_view bytes = begin < all.size() ? all.substr(begin) : std::string_view();
    const JournalStep step = look_at(bytes, mark_, ring_.lap_rest(mark_.offset));
    switch (step.kind) {
      case JournalStep::Kind::kRecord:
        mark_ = {mark_.offset + step.head.size(), step.head.number, step.head.epoch};
        return message_of(step.head, bytes);
      case JournalStep::Kind::kLapEnd:
        mark_.offset += ring_.lap_rest(mark_.offset);
        break;
      case JournalStep::Kind::kNeedMore:
        if (step.needed > end_ - mark_.offset) return std::nullopt;
        LEAT_TRY(fill(step.needed));
        break;
      case JournalStep::Kind::kNone:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

Result<std::optional<JournalMark>> find_next_record(const JournalFile& file, RingGeometry ring,
                                                    const JournalMark& damaged, std::uint64_t end) {
  std::vector<char> lap;
  for (std::uint64_t offset = damaged.offset; offset < end;) {
    lap.resize(static_cast<std::size_t>(std::min(ring.lap_rest(offset), end - offset)));
    LEAT_TRY(file.read(ring.file_offset(offset), lap));
    const std::string_view bytes(lap.data(), lap.size());
    for (std::size_t at = 0; at + kRecordHeadBytes <= bytes.size(); at += 8) {
      const std::optional<RecordHead> head = decode_head(bytes.substr(at));
      if (!head || head->kind != RecordKind::kRecord || head->number <= damaged.number ||
          head->epoch < damaged.epoch || !checksum_matches(*head, bytes.substr(at)))
        continue;
      return JournalMark{offset + at, {head->number.value - 1}, head->epoch};
    }
    offset += lap.size();
  }
  return std::nullopt;
}

}  // namespace leat::sources
