#include "pipelines/functions/aggregate_sequence.h"

namespace leat::functions {
namespace {

std::string part_of(std::uint64_t number) {
  std::string part;
  ByteWriter writer(part);
  writer.varint(number);
  return part;
}

std::string cell_of(std::uint64_t, const CellSequence::Entry& entry) {
  return entry.cell;
}

}  // namespace

void CellSequence::add(const std::string& cell) {
  const std::uint64_t number = next_++;
  Entry& entry = entries_.emplace_hint(entries_.end(), number, Entry{cell, {}})->second;
  text_bytes_ += heap_bytes_of(entry.cell);
  log_.changed(number, entry.mark);
  if (indexed_) numbers_[cell].push_back(number);
}

void CellSequence::remove(const std::string& cell) {
  if (!indexed_) index_all();
  const auto numbers = numbers_.find(cell);
  if (numbers == numbers_.end()) return;
  const auto entry = entries_.find(numbers->second.front());
  numbers->second.pop_front();
  if (numbers->second.empty()) numbers_.erase(numbers);
  text_bytes_ -= heap_bytes_of(entry->second.cell);
  log_.removed(entry->first, entry->second.mark);
  entries_.erase(entry);
}

void CellSequence::index_all() {
  for (const auto& [number, entry] : entries_) numbers_[entry.cell].push_back(number);
  indexed_ = true;
}

void CellSequence::merge(const CellSequence& later) {
  for (const auto& [number, entry] : later.entries_) add(entry.cell);
}

std::size_t CellSequence::heap_bytes() const {
  constexpr std::size_t kNode = sizeof(Entries::value_type) + 32;
  constexpr std::size_t kIndexed = sizeof(std::string) + sizeof(std::deque<std::uint64_t>) + 512;
  return entries_.size() * kNode + text_bytes_ + log_.heap_bytes() + numbers_.size() * kIndexed;
}

void CellSequence::save_parts(PartChanges& changes) {
  log_.save(entries_, part_of, cell_of, changes);
}

void CellSequence::unsave_parts(PartChanges& changes) {
  log_.unsave(entries_, part_of, changes);
}

Status CellSequence::load_part(std::string_view part, std::string_view value) {
  ByteReader reader(part);
  const std::uint64_t number = reader.varint();
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "a saved value of an aggregate is damaged");
  entries_.insert_or_assign(number, Entry{std::string(value), {.saved = true, .dirty = false}});
  text_bytes_ += heap_bytes_of(entries_[number].cell);
  return {};
}

}  // namespace leat::functions
