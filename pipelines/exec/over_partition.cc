#include "pipelines/exec/over_partition.h"

#include <algorithm>

#include "pipelines/base/time.h"

namespace leat::exec {
namespace {

using Kind = plan::FrameEdge::Kind;

/// Writes values of `column` as the order writes those of its first key.
SortKeyWriter writer_of(const std::vector<plan::SortKey>& order, std::size_t column) {
  if (order.empty()) return SortKeyWriter({});
  plan::SortKey key = order[0];
  key.column = column;
  return SortKeyWriter({key});
}

bool has_value_edge(const plan::OrderedFrame& frame, const plan::FrameEdge& edge) {
  return frame.unit == plan::OrderedFrame::Unit::kRange && edge.kind == Kind::kOffset;
}

}  // namespace

std::vector<RowSpan> peer_spans(std::uint32_t size, const std::function<bool(std::uint32_t)>& equals_last) {
  std::vector<RowSpan> peers(size);
  for (std::uint32_t begin = 0; begin < size;) {
    std::uint32_t end = begin + 1;
    while (end < size && equals_last(end)) ++end;
    std::fill(peers.begin() + begin, peers.begin() + end, RowSpan{begin, end});
    begin = end;
  }
  return peers;
}

std::vector<std::size_t> needed_columns(const plan::OrderedOverNode& node) {
  plan::Needs own(node.schema.size(), true);
  std::fill_n(own.begin(), node.passed.size(), false);
  plan::Needs needs(node.inputs[0]->schema.size(), false);
  node.add_needs(own, std::span(&needs, 1));
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < needs.size(); ++i)
    if (needs[i]) columns.push_back(i);
  return columns;
}

FrameSpans::FrameSpans(const plan::OrderedFrame& frame, const std::vector<plan::SortKey>& order)
    : frame_(frame),
      values_(writer_of(order, frame.value)),
      lower_(writer_of(order, frame.lower.column)),
      upper_(writer_of(order, frame.upper.column)) {}

std::span<const RowSpan> FrameSpans::of(const OverPartition& partition) {
  const std::uint32_t size = partition.size();
  spans_.assign(size, {0, size});
  if (frame_.has_value_edges()) write_keys(partition);
  if (has_value_edge(frame_, frame_.lower)) {
    set_value_begins(partition);
  } else if (frame_.lower.kind != Kind::kUnbounded) {
    for (std::uint32_t row = 0; row < size; ++row)
      spans_[row].begin = plain_edge(frame_.lower, partition, row, 0);
  }
  if (has_value_edge(frame_, frame_.upper)) {
    set_value_ends(partition);
  } else if (frame_.upper.kind != Kind::kUnbounded) {
    for (std::uint32_t row = 0; row < size; ++row)
      spans_[row].end = plain_edge(frame_.upper, partition, row, 1);
  }
  return spans_;
}

std::uint32_t FrameSpans::plain_edge(const plan::FrameEdge& edge, const OverPartition& partition,
                                     std::uint32_t row, std::uint32_t behind) const {
  if (frame_.unit == plan::OrderedFrame::Unit::kRange)
    return behind > 0 ? partition.peers[row].end : partition.peers[row].begin;
  const std::int64_t offset = edge.kind == Kind::kOffset ? edge.offset : 0;
  const std::int64_t place = saturating_add(static_cast<std::int64_t>(row) + behind, offset);
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(place, 0, partition.size()));
}

void FrameSpans::write_keys(const OverPartition& partition) {
  keys_.resize(partition.size());
  for (std::uint32_t row = 0; row < partition.size(); ++row)
    values_.write(partition.rows.columns, row, keys_[row]);
}

RowSpan FrameSpans::rows_with_values(const OverPartition& partition) const {
  const Column& values = *partition.rows.columns[frame_.value];
  RowSpan span{0, partition.size()};
  while (span.begin < span.end && values.is_null(span.begin)) ++span.begin;
  while (span.end > span.begin && values.is_null(span.end - 1)) --span.end;
  return span;
}

// No distance leads from NULL to a value, or back; between NULLs it is 0. An edge that is NULL beside a value
// is out of the type's range: all values are on this side of it.
void FrameSpans::set_value_begins(const OverPartition& partition) {
  const Column& values = *partition.rows.columns[frame_.value];
  const Column& edges = *partition.rows.columns[frame_.lower.column];
  const RowSpan with_values = rows_with_values(partition);
  std::string edge;
  std::uint32_t begin = 0;
  for (std::uint32_t row = 0; row < partition.size(); ++row) {
    if (values.is_null(row)) {
      begin = frame_.lower.offset > 0 ? partition.peers[row].end : partition.peers[row].begin;
    } else if (edges.is_null(row)) {
      begin = frame_.lower.offset > 0 ? with_values.end : with_values.begin;
    } else {
      lower_.write(partition.rows.columns, row, edge);
      while (begin < partition.size() && keys_[begin] < edge) ++begin;
    }
    spans_[row].begin = begin;
  }
}

void FrameSpans::set_value_ends(const OverPartition& partition) {
  const Column& values = *partition.rows.columns[frame_.value];
  const Column& edges = *partition.rows.columns[frame_.upper.column];
  const RowSpan with_values = rows_with_values(partition);
  std::string edge;
  std::uint32_t end = 0;
  for (std::uint32_t row = 0; row < partition.size(); ++row) {
    if (values.is_null(row)) {
      end = frame_.upper.offset < 0 ? partition.peers[row].begin : partition.peers[row].end;
    } else if (edges.is_null(row)) {
      end = frame_.upper.offset < 0 ? with_values.begin : with_values.end;
    } else {
      upper_.write(partition.rows.columns, row, edge);
      while (end < partition.size() && keys_[end] <= edge) ++end;
    }
    spans_[row].end = end;
  }
}

}  // namespace leat::exec
