// DISTINCT: each value of the argument reaches the inner aggregate once, in the order of first arrival, which
// is saved with the state, so sums of floating point do not depend on restarts. Taking rows back lowers a
// value's count, and takes the value from the inner aggregate when it reaches zero.
//
// state := varint next, varint entries, { varint number, zigzag count, string cell } in order of arrival,
//          inner state
#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "pipelines/column/codec.h"
#include "pipelines/functions/aggregate_base.h"

namespace leat::functions {
namespace {

struct Seen {
  std::uint64_t number = 0;  // Of arrival.
  std::int64_t count = 0;
};

struct Values {
  absl::flat_hash_map<std::string, Seen> seen;
  std::uint64_t next = 0;
};

using Entry = std::pair<const std::string, Seen>;

std::vector<const Entry*> in_order(const Values& values) {
  std::vector<const Entry*> entries;
  entries.reserve(values.seen.size());
  for (const Entry& entry : values.seen) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->second.number < b->second.number; });
  return entries;
}

class Distinct final : public Aggregate {
 public:
  explicit Distinct(AggregatePtr inner) : inner_(std::move(inner)) {}

  [[nodiscard]] Type result_type() const override { return inner_->result_type(); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return inner_->argument_types(); }
  [[nodiscard]] std::size_t state_size() const override { return kInnerOffset + inner_->state_size(); }

  void init(std::byte* state) const override {
    new (state) Values();
    inner_->init(state + kInnerOffset);
  }
  void destroy(std::byte* state) const override {
    inner_->destroy(state + kInnerOffset);
    at(state).~Values();
  }
  [[nodiscard]] std::size_t heap_bytes(const std::byte* state) const override {
    std::size_t bytes =
        at(state).seen.capacity() * (sizeof(Entry) + 1) + inner_->heap_bytes(state + kInnerOffset);
    for (const auto& [cell, seen] : at(state).seen) bytes += cell.capacity() > 15 ? cell.capacity() + 1 : 0;
    return bytes;
  }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    const Passed passed = select(arguments, rows, states, 1);
    inner_->update(arguments, passed.rows, passed.states.data());
  }
  void retract(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
               std::byte* const* states) const override {
    const Passed passed = select(arguments, rows, states, -1);
    inner_->retract(arguments, passed.rows, passed.states.data());
  }
  [[nodiscard]] bool retractable() const override { return inner_->retractable(); }

  void merge(std::byte* into, const std::byte* from) const override {
    Values& mine = at(into);
    ColumnBuilder added(inner_->argument_types()[0]);
    for (const Entry* entry : in_order(at(from))) {
      const auto [place, is_new] = mine.seen.try_emplace(entry->first, Seen{mine.next, 0});
      place->second.count += entry->second.count;
      if (!is_new) continue;
      ++mine.next;
      ByteReader cell(entry->first);
      if (!read_cell(cell, added)) added.append_null();
    }
    std::vector<std::uint32_t> rows(added.size());
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint32_t>(i);
    const std::vector<std::byte*> states(rows.size(), into + kInnerOffset);
    const ColumnPtr column = added.finish();
    inner_->update({&column, 1}, rows, states.data());
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    inner_->result(state + kInnerOffset, out);
  }

  void save(const std::byte* state, ByteWriter& out) const override {
    out.varint(at(state).next);
    out.varint(at(state).seen.size());
    for (const Entry* entry : in_order(at(state))) {
      out.varint(entry->second.number);
      out.zigzag(entry->second.count);
      out.string(entry->first);
    }
    inner_->save(state + kInnerOffset, out);
  }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state).next = in.varint();
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
      const std::uint64_t number = in.varint();
      const std::int64_t count = in.zigzag();
      at(state).seen.insert_or_assign(std::string(in.string()), Seen{number, count});
    }
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "state of a DISTINCT aggregate ends early");
    return inner_->load(state + kInnerOffset, in);
  }

 private:
  static constexpr std::size_t kInnerOffset = (sizeof(Values) + 15) / 16 * 16;

  struct Passed {
    std::vector<std::uint32_t> rows;
    std::vector<std::byte*> states;  // The inner ones.
  };

  static Values& at(std::byte* state) { return *std::launder(reinterpret_cast<Values*>(state)); }
  static const Values& at(const std::byte* state) {
    return *std::launder(reinterpret_cast<const Values*>(state));
  }

  // Counts all rows; gives those that bring a value for the first time, or take back its last occurrence.
  static Passed select(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
                       std::byte* const* states, std::int64_t by) {
    Passed passed;
    std::string cell;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (arguments[0]->is_null(rows[i])) continue;
      cell.clear();
      ByteWriter writer(cell);
      write_cell(*arguments[0], rows[i], writer);
      if (!count(at(states[i]), cell, by)) continue;
      passed.rows.push_back(rows[i]);
      passed.states.push_back(states[i] + kInnerOffset);
    }
    return passed;
  }

  static bool count(Values& values, const std::string& cell, std::int64_t by) {
    const auto found = values.seen.find(cell);
    if (by > 0) {
      if (found != values.seen.end()) return ++found->second.count, false;
      values.seen.emplace(cell, Seen{values.next++, 1});
      return true;
    }
    if (found == values.seen.end() || --found->second.count > 0) return false;
    values.seen.erase(found);
    return true;
  }

  AggregatePtr inner_;
};

}  // namespace

AggregatePtr make_distinct(AggregatePtr inner) {
  return std::make_shared<const Distinct>(std::move(inner));
}

}  // namespace leat::functions
