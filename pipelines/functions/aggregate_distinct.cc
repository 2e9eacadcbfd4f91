// DISTINCT: each value of the argument reaches the inner aggregate once, in the order of first arrival, which
// is saved with the state, so sums of floating point do not depend on restarts. Where rows can be taken back,
// the occurrences of a value are counted, and the inner aggregate loses it when the count reaches zero.
//
// head  := varint next, inner head
// part  := "d" cell => varint number, zigzag count (1 where rows are never taken back)
//        | "i" part of the inner aggregate
#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "pipelines/column/codec.h"
#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/aggregate_parts.h"

namespace leat::functions {
namespace {

constexpr char kValueTag = 'd';
constexpr char kInnerTag = 'i';

struct Seen {
  std::uint64_t number = 0;  // Of arrival.
  std::int64_t count = 0;
  PartMark mark;
};

struct Values {
  absl::flat_hash_map<std::string, Seen> seen;
  PartLog<std::string> log;
  std::uint64_t next = 0;
  std::size_t text_bytes = 0;  // Of the cells, outside of the map.

  [[nodiscard]] std::size_t heap_bytes() const {
    return seen.capacity() * (sizeof(std::pair<const std::string, Seen>) + 1) + text_bytes + log.heap_bytes();
  }
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

// Parts of the inner aggregate among those of the whole.
class InnerParts final : public PartChanges {
 public:
  explicit InnerParts(PartChanges& all) : all_(all) {}
  void put(std::string_view part, std::string_view value) override {
    all_.put(kInnerTag + std::string(part), value);
  }
  void erase(std::string_view part) override { all_.erase(kInnerTag + std::string(part)); }

 private:
  PartChanges& all_;
};

class Distinct final : public Aggregate {
 public:
  Distinct(AggregatePtr inner, bool counts, NullValues nulls)
      : inner_(std::move(inner)), counts_(counts), nulls_(nulls) {}

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
    return at(state).heap_bytes() + inner_->heap_bytes(state + kInnerOffset);
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
  [[nodiscard]] bool retractable() const override { return counts_ && inner_->retractable(); }

  void merge(std::byte* into, const std::byte* from) const override {
    Values& mine = at(into);
    ColumnBuilder added(inner_->argument_types()[0]);
    for (const Entry* entry : in_order(at(from))) {
      if (!count(mine, entry->first, entry->second.count)) continue;
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
    inner_->save(state + kInnerOffset, out);
  }
  Status load(std::byte* state, ByteReader& in) const override {
    at(state).next = in.varint();
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "state of a DISTINCT aggregate ends early");
    return inner_->load(state + kInnerOffset, in);
  }

  [[nodiscard]] bool has_parts() const override { return true; }
  void save_parts(std::byte* state, PartChanges& changes) const override {
    Values& values = at(state);
    values.log.save(values.seen, part_of, write_seen, changes);
    InnerParts inner(changes);
    inner_->save_parts(state + kInnerOffset, inner);
  }
  void unsave_parts(std::byte* state, PartChanges& changes) const override {
    Values& values = at(state);
    values.log.unsave(values.seen, part_of, changes);
    InnerParts inner(changes);
    inner_->unsave_parts(state + kInnerOffset, inner);
  }
  Status load_part(std::byte* state, std::string_view part, std::string_view value) const override {
    if (part.starts_with(kInnerTag)) return inner_->load_part(state + kInnerOffset, part.substr(1), value);
    ByteReader reader(value);
    const std::uint64_t number = reader.varint();
    const std::int64_t count = reader.zigzag();
    if (!reader.ok() || !part.starts_with(kValueTag))
      return fail(ErrorCode::kCorrupt, "a value of a DISTINCT aggregate is damaged");
    const auto place = at(state).seen.insert_or_assign(std::string(part.substr(1)),
                                                       Seen{number, count, {.saved = true, .dirty = false}});
    at(state).text_bytes += heap_bytes_of(place.first->first);
    return {};
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

  static std::string part_of(const std::string& cell) { return kValueTag + cell; }
  static std::string write_seen(const std::string&, const Seen& seen) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.varint(seen.number);
    writer.zigzag(seen.count);
    return bytes;
  }

  // Counts all rows; gives those that bring a value for the first time, or take back its last occurrence.
  [[nodiscard]] Passed select(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
                              std::byte* const* states, std::int64_t by) const {
    Passed passed;
    std::string cell;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (nulls_ == NullValues::kSkipped && arguments[0]->is_null(rows[i])) continue;
      cell.clear();
      ByteWriter writer(cell);
      write_key_cell(*arguments[0], rows[i], writer);
      if (!count(at(states[i]), cell, by)) continue;
      passed.rows.push_back(rows[i]);
      passed.states.push_back(states[i] + kInnerOffset);
    }
    return passed;
  }

  // True if the value is new, or gone.
  bool count(Values& values, const std::string& cell, std::int64_t by) const {
    const auto found = values.seen.find(cell);
    if (found != values.seen.end()) return count_again(values, found, by);
    if (by < 0) return false;
    const auto place = values.seen.emplace(cell, Seen{values.next++, counts_ ? by : 1, {}}).first;
    values.text_bytes += heap_bytes_of(place->first);
    values.log.changed(cell, place->second.mark);
    return true;
  }
  bool count_again(Values& values, absl::flat_hash_map<std::string, Seen>::iterator found,
                   std::int64_t by) const {
    if (!counts_) return false;
    found->second.count += by;
    if (found->second.count > 0) {
      values.log.changed(found->first, found->second.mark);
      return false;
    }
    values.log.removed(found->first, found->second.mark);
    values.text_bytes -= heap_bytes_of(found->first);
    values.seen.erase(found);
    return true;
  }

  AggregatePtr inner_;
  bool counts_;  // Rows may be taken back.
  NullValues nulls_;
};

}  // namespace

AggregatePtr make_distinct(AggregatePtr inner, bool needs_retraction, NullValues nulls) {
  return std::make_shared<const Distinct>(std::move(inner), needs_retraction, nulls);
}

}  // namespace leat::functions
