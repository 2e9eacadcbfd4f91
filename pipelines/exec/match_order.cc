#include "pipelines/exec/match_order.h"

#include <algorithm>
#include <bit>

#include "pipelines/column/codec.h"

namespace leat::exec {
namespace {

bool before(const WaitingRow& a, const WaitingRow& b) {
  return a.row.time != b.row.time ? a.row.time < b.row.time : a.order < b.order;
}

void put_big_endian(std::uint64_t value, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift & 0xff));
}

constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

std::uint64_t ordered(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

/// Text with its zero bytes marked, so that the end sorts before everything.
void put_text(std::string_view text, std::string& out) {
  for (const char c : text) {
    out.push_back(c);
    if (c == '\0') out.push_back('\x01');
  }
  out.append(2, '\0');
}

void put_value(const Column& column, std::size_t row, std::string& out) {
  switch (column.type().layout()) {
    case Layout::kBytes:
      return put_text(column.strings()[row], out);
    case Layout::kI128: {
      const Int128 value = column.values<Int128>()[row];
      put_big_endian(static_cast<std::uint64_t>(absl::Int128High64(value)) ^ kSign, out);
      return put_big_endian(absl::Int128Low64(value), out);
    }
    case Layout::kF32:
    case Layout::kF64:
      return put_big_endian(ordered(std::bit_cast<double>(cell_of(column, row).bits)), out);
    case Layout::kList:
    case Layout::kStruct: {
      ByteWriter writer(out);
      return write_cell(column, row, writer);
    }
    default:
      return put_big_endian(static_cast<std::uint64_t>(cell_of(column, row).bits) ^ kSign, out);
  }
}

}  // namespace

std::string order_bytes(std::span<const plan::MatchSortKey> keys, const std::vector<ColumnPtr>& columns,
                        std::size_t row) {
  std::string bytes;
  for (const plan::MatchSortKey& key : keys) {
    const Column& column = *columns[key.column];
    const bool first = key.nulls == plan::MatchSortKey::Nulls::kFirst;
    const bool null = column.is_null(row);
    bytes.push_back(null == first ? '\0' : '\x01');
    if (null) continue;
    const std::size_t begin = bytes.size();
    put_value(column, row, bytes);
    if (key.direction == plan::MatchSortKey::Direction::kAscending) continue;
    for (std::size_t i = begin; i < bytes.size(); ++i) bytes[i] = static_cast<char>(~bytes[i]);
  }
  return bytes;
}

// Rows come nearly in order, so only the end of what waits is looked at.
void MatchOrder::add(std::vector<WaitingRow>& rows) {
  if (rows.empty()) return;
  if (!std::ranges::is_sorted(rows, before)) std::ranges::stable_sort(rows, before);
  const std::size_t middle = rows_.size();
  rows_.insert(rows_.end(), std::move_iterator(rows.begin()), std::move_iterator(rows.end()));
  rows.clear();
  const auto at = [this](std::size_t index) { return rows_.begin() + static_cast<std::ptrdiff_t>(index); };
  if (middle == head_ || !before(rows_[middle], rows_[middle - 1])) return;
  const auto from = std::upper_bound(at(head_), at(middle), rows_[middle], before);
  std::inplace_merge(from, at(middle), rows_.end(), before);
}

void MatchOrder::compact() {
  if (head_ == rows_.size()) {
    rows_.clear();
  } else if (head_ * 2 > rows_.size()) {
    rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(head_));
  } else {
    return;
  }
  head_ = 0;
}

}  // namespace leat::exec
