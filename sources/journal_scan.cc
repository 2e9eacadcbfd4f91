#include "sources/journal_scan.h"

#include <algorithm>
#include <array>
#include <span>

namespace leat::sources {
namespace {

constexpr std::uint64_t kScanBytes = 256 * 1024;
/// A search checks records of so many rings' bytes at most: garbage that is full of heads must end, too.
constexpr std::uint64_t kCheckedRings = 4;

class RecordSearch {
 public:
  RecordSearch(const JournalFile& file, const RingGeometry& ring, const JournalMark& damaged,
               const JournalBelief& belief, std::uint64_t end)
      : file_(file), ring_(ring), damaged_(damaged), belief_(belief), end_(end) {}

  Result<std::optional<JournalMark>> run() {
    if (damaged_.offset >= end_) return std::nullopt;
    LEAT_ASSIGN(const std::optional<JournalMark> next, behind_damaged_record());
    if (next) return next;
    std::vector<char> window;
    for (std::uint64_t offset = damaged_.offset; offset < end_ && checked_ < kCheckedRings * ring_.size;) {
      const std::uint64_t rest = std::min(ring_.lap_rest(offset), end_ - offset);
      window.resize(static_cast<std::size_t>(std::min(rest, kScanBytes)));
      LEAT_TRY(file_.read(ring_.file_offset(offset), window));
      LEAT_ASSIGN(const std::optional<JournalMark> found, look_through(offset, window));
      if (found) return found;
      // A head that the window cuts is whole in the next one.
      offset += window.size() < rest ? window.size() - (kRecordHeadBytes - 8) : window.size();
    }
    return std::nullopt;
  }

 private:
  /// Where only the record's content is wrong its head says where the next one is: nothing of the content is
  /// looked at then.
  Result<std::optional<JournalMark>> behind_damaged_record() {
    if (ring_.lap_rest(damaged_.offset) < kRecordHeadBytes || end_ - damaged_.offset < kRecordHeadBytes)
      return std::nullopt;
    LEAT_ASSIGN(const std::optional<RecordHead> head, head_at(damaged_.offset));
    if (!head || !continues(damaged_, *head)) return std::nullopt;
    const std::uint64_t next = damaged_.offset + head->size();
    if (head->size() > ring_.lap_rest(damaged_.offset) || next + kRecordHeadBytes > end_ ||
        ring_.lap_rest(next) < kRecordHeadBytes)
      return std::nullopt;
    LEAT_ASSIGN(const std::optional<RecordHead> behind, head_at(next));
    if (!behind) return std::nullopt;
    return mark_of(*behind, next);
  }
  Result<std::optional<RecordHead>> head_at(std::uint64_t offset) const {
    std::array<char, kRecordHeadBytes> bytes{};
    LEAT_TRY(file_.read(ring_.file_offset(offset), bytes));
    return decode_head({bytes.data(), bytes.size()});
  }
  Result<std::optional<JournalMark>> look_through(std::uint64_t offset, std::span<const char> window) {
    const std::string_view bytes(window.data(), window.size());
    for (std::size_t at = 0; at + kRecordHeadBytes <= bytes.size(); at += 8) {
      const std::optional<RecordHead> head = decode_head(bytes.substr(at));
      if (!head) continue;
      LEAT_ASSIGN(const std::optional<JournalMark> found, mark_of(*head, offset + at));
      if (found) return found;
    }
    return std::nullopt;
  }
  /// The mark in front of the record, if it is believed and whole.
  Result<std::optional<JournalMark>> mark_of(const RecordHead& head, std::uint64_t offset) {
    if (!is_believed(head, offset)) return std::nullopt;
    std::vector<char> bytes(static_cast<std::size_t>(head.size()));
    LEAT_TRY(file_.read(ring_.file_offset(offset), bytes));
    checked_ += bytes.size();
    if (!checksum_matches(head, {bytes.data(), bytes.size()}, ring_.seed)) return std::nullopt;
    return JournalMark{offset, {head.number.value - 1}, head.epoch};
  }
  [[nodiscard]] bool is_believed(const RecordHead& head, std::uint64_t offset) const {
    if (head.kind != RecordKind::kRecord || head.number <= damaged_.number) return false;
    if (head.epoch < damaged_.epoch) return false;
    if (head.epoch < belief_.epoch && head.number > belief_.last) return false;
    if (head.size() > std::min(ring_.lap_rest(offset), end_ - offset)) return false;
    const std::uint64_t between = head.number.value - damaged_.number.value - 1;
    return head.epoch > damaged_.epoch || between <= (offset - damaged_.offset) / kRecordHeadBytes;
  }

  const JournalFile& file_;
  const RingGeometry& ring_;
  const JournalMark damaged_;
  const JournalBelief belief_;
  const std::uint64_t end_;
  std::uint64_t checked_ = 0;
};

}  // namespace

JournalStep look_at(std::string_view bytes, const JournalMark& before, const RingGeometry& ring) {
  using Kind = JournalStep::Kind;
  const std::uint64_t lap_rest = ring.lap_rest(before.offset);
  if (lap_rest < kRecordHeadBytes) return {.kind = Kind::kLapEnd};
  if (bytes.size() < kRecordHeadBytes) return {.kind = Kind::kNeedMore, .needed = kRecordHeadBytes};
  const std::optional<RecordHead> head = decode_head(bytes);
  if (!head || !continues(before, *head) || head->size() > lap_rest) return {.kind = Kind::kNone};
  if (head->size() > bytes.size()) return {.kind = Kind::kNeedMore, .needed = head->size()};
  if (!checksum_matches(*head, bytes, ring.seed)) return {.kind = Kind::kNone};
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
    const JournalStep step = look_at(bytes, mark_, ring_);
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

Result<std::optional<JournalMark>> find_next_record(const JournalFile& file, const RingGeometry& ring,
                                                    const JournalMark& damaged, const JournalBelief& belief,
                                                    std::uint64_t end) {
  return RecordSearch(file, ring, damaged, belief, end).run();
}

std::uint64_t lost_between(const JournalMark& damaged, const JournalMark& behind, MessageNumber committed) {
  const std::uint64_t from = std::max(damaged.number, committed).value;
  if (behind.number.value <= from) return 0;
  const std::uint64_t most = (behind.offset - damaged.offset) / kRecordHeadBytes;
  return std::min(behind.number.value - from, most);
}

}  // namespace leat::sources
