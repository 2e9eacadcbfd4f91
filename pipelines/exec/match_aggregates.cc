#include "pipelines/exec/match_aggregates.h"

namespace leat::exec {

MatchAggregates::MatchAggregates(const plan::MatchReferences& refers) {
  constexpr std::size_t kAlignment = 16;
  for (const plan::MatchReference& reference : refers.references) {
    call_of_.push_back(calls_.size());
    if (reference.kind != plan::MatchReference::Kind::kAggregate) continue;
    const plan::AggregateCall& call = refers.aggregates[reference.aggregate];
    calls_.push_back({call.function, call.arguments, reference.variables, size_});
    size_ += (call.function->state_size() + kAlignment - 1) / kAlignment * kAlignment;
  }
}

std::byte* MatchAggregates::take() {
  if (free_.empty()) {
    pieces_.push_back(std::make_unique<std::byte[]>(size_));
    free_.push_back(pieces_.back().get());
  }
  std::byte* const states = free_.back();
  free_.pop_back();
  for (const Call& call : calls_) call.function->init(states + call.offset);
  return states;
}

std::byte* MatchAggregates::copy(const std::byte* from) {
  std::byte* const states = take();
  for (const Call& call : calls_) call.function->merge(states + call.offset, from + call.offset);
  return states;
}

void MatchAggregates::release(std::byte* states) {
  for (const Call& call : calls_) call.function->destroy(states + call.offset);
  free_.push_back(states);
}

void MatchAggregates::add(std::byte* states, const MatchRows::Cells& row, std::uint32_t variable) {
  for (const Call& call : calls_) {
    if ((call.variables >> variable & 1) == 0) continue;
    arguments_.clear();
    for (const std::size_t column : call.arguments) arguments_.push_back((*row.columns)[column]);
    std::byte* state = states + call.offset;
    call.function->update(arguments_, {&row.row, 1}, &state);
  }
}

void MatchAggregates::result(const std::byte* states, std::size_t reference, ColumnBuilder& out) const {
  const Call& call = calls_[call_of_[reference]];
  call.function->result(states + call.offset, out);
}

}  // namespace leat::exec
