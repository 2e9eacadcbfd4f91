// COLLECT, ARRAY_AGG, LISTAGG, JSON_ARRAYAGG: the values of a group themselves, in the order of their
// arrival. Taking a row back removes the earliest equal value, as Flink's lists do.
#include <absl/container/flat_hash_map.h>

#include <map>

#include "pipelines/column/codec.h"
#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/aggregate_sequence.h"

namespace leat::functions {
namespace {

using Rows = std::span<const std::uint32_t>;

void encode(const Column& column, std::size_t row, std::string& cell) {
  cell.clear();
  ByteWriter writer(cell);
  write_cell(column, row, writer);
}

void append_cell(const std::string& cell, ColumnBuilder& out) {
  ByteReader reader(cell);
  if (!read_cell(reader, out)) out.append_null();
}

// ---- Lists -----------------------------------------------------------------------------------------------

// An aggregate over CellSequence: what a value is kept as, and what becomes of all.
class ListAggregate : public OverParts<CellSequence> {
 public:
  ListAggregate(std::vector<Type> arguments, Type result, NullValues nulls)
      : arguments_(std::move(arguments)), result_(std::move(result)), nulls_(nulls) {}

  [[nodiscard]] Type result_type() const override { return result_; }
  [[nodiscard]] std::vector<Type> argument_types() const override { return arguments_; }
  [[nodiscard]] bool retractable() const override { return true; }

  void update(std::span<const ColumnPtr> arguments, Rows rows, std::byte* const* states) const override {
    for_each(*arguments[0], rows, states, &CellSequence::add);
  }
  void retract(std::span<const ColumnPtr> arguments, Rows rows, std::byte* const* states) const override {
    for_each(*arguments[0], rows, states, &CellSequence::remove);
  }
  void merge(std::byte* into, const std::byte* from) const override { at(into).merge(at(from)); }

 protected:
  virtual void keep(const Column& column, std::size_t row, std::string& kept) const {
    encode(column, row, kept);
  }

 private:
  void for_each(const Column& column, Rows rows, std::byte* const* states,
                void (CellSequence::*step)(const std::string&)) const {
    std::string kept;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (nulls_ == NullValues::kSkipped && column.is_null(rows[i])) continue;
      keep(column, rows[i], kept);
      (at(states[i]).*step)(kept);
    }
  }

  std::vector<Type> arguments_;
  Type result_;
  NullValues nulls_;
};

class ArrayAgg final : public ListAggregate {
 public:
  using ListAggregate::ListAggregate;
  void result(const std::byte* state, ColumnBuilder& out) const override {
    if (at(state).entries().empty()) return out.append_null();
    for (const auto& [number, entry] : at(state).entries()) append_cell(entry.cell, out.child(0));
    out.close_nested();
  }
};

class ListAgg final : public ListAggregate {
 public:
  ListAgg(std::vector<Type> arguments, std::string separator)
      : ListAggregate(std::move(arguments), Type::string(), NullValues::kSkipped),
        separator_(std::move(separator)) {}
  void result(const std::byte* state, ColumnBuilder& out) const override {
    if (at(state).entries().empty()) return out.append_null();
    std::string all;
    bool first = true;
    for (const auto& [number, entry] : at(state).entries()) {
      if (!std::exchange(first, false)) all += separator_;
      all += entry.cell;
    }
    out.append_string(all);
  }

 private:
  void keep(const Column& column, std::size_t row, std::string& kept) const override {
    kept = column.strings()[row];
  }

  std::string separator_;
};

class JsonArrayAgg final : public ListAggregate {
 public:
  JsonArrayAgg(const Type& argument, NullValues nulls, JsonText text)
      : ListAggregate({argument}, Type::string().with_nullable(false), nulls), text_(text) {}
  void result(const std::byte* state, ColumnBuilder& out) const override {
    std::string array = "[";
    for (const auto& [number, entry] : at(state).entries())
      (array += array.size() > 1 ? "," : "") += entry.cell;
    out.append_string(array += ']');
  }

 private:
  void keep(const Column& column, std::size_t row, std::string& kept) const override {
    kept.clear();
    if (text_ == JsonText::kJson && !column.is_null(row))
      kept = column.strings()[row];
    else
      append_json(column, row, kept);
  }

  JsonText text_;
};

// ---- COLLECT ---------------------------------------------------------------------------------------------

struct Occurrences {
  std::uint64_t number = 0;  // Of the first arrival.
  std::int64_t count = 0;    // Below zero while a changelog takes back a row before it brings it.
  PartMark mark;
};

// head := varint next        part := cell => varint number, zigzag count
class Multiset {
 public:
  void step(const std::string& cell, std::int64_t by) {
    const auto [place, is_new] = values_.try_emplace(cell, Occurrences{next_, 0, {}});
    if (is_new) {
      ++next_;
      text_bytes_ += heap_bytes_of(place->first);
    }
    place->second.count += by;
    if (place->second.count != 0) return log_.changed(cell, place->second.mark);
    log_.removed(cell, place->second.mark);
    text_bytes_ -= heap_bytes_of(place->first);
    values_.erase(place);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> in_order() const {
    std::map<std::uint64_t, std::pair<std::string, std::int64_t>> order;
    for (const auto& [cell, each] : values_) order[each.number] = {cell, each.count};
    std::vector<std::pair<std::string, std::int64_t>> out;
    out.reserve(order.size());
    for (auto& [number, each] : order) out.push_back(std::move(each));
    return out;
  }
  [[nodiscard]] std::size_t heap_bytes() const {
    return values_.capacity() * (sizeof(std::pair<const std::string, Occurrences>) + 1) + text_bytes_ +
           log_.heap_bytes();
  }

  void save(ByteWriter& out) const { out.varint(next_); }
  void load(ByteReader& in) { next_ = in.varint(); }
  void save_parts(PartChanges& changes) { log_.save(values_, part_of, value_of, changes); }
  void unsave_parts(PartChanges& changes) { log_.unsave(values_, part_of, changes); }
  Status load_part(std::string_view part, std::string_view value) {
    ByteReader reader(value);
    const std::uint64_t number = reader.varint();
    const std::int64_t count = reader.zigzag();
    if (!reader.ok()) return fail(ErrorCode::kCorrupt, "a value of COLLECT is damaged");
    const auto place = values_.insert_or_assign(std::string(part),
                                                Occurrences{number, count, {.saved = true, .dirty = false}});
    text_bytes_ += heap_bytes_of(place.first->first);
    return {};
  }

 private:
  static const std::string& part_of(const std::string& cell) { return cell; }
  static std::string value_of(const std::string&, const Occurrences& each) {
    std::string bytes;
    ByteWriter writer(bytes);
    writer.varint(each.number);
    writer.zigzag(each.count);
    return bytes;
  }

  absl::flat_hash_map<std::string, Occurrences> values_;
  PartLog<std::string> log_;
  std::uint64_t next_ = 0;
  std::size_t text_bytes_ = 0;
};

class Collect final : public OverParts<Multiset> {
 public:
  explicit Collect(Type argument) : argument_(std::move(argument)) {}

  [[nodiscard]] Type result_type() const override {
    return Type::multiset(argument_.with_nullable(false)).with_nullable(false);
  }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {argument_}; }
  [[nodiscard]] bool retractable() const override { return true; }

  void update(std::span<const ColumnPtr> arguments, Rows rows, std::byte* const* states) const override {
    step(*arguments[0], rows, states, 1);
  }
  void retract(std::span<const ColumnPtr> arguments, Rows rows, std::byte* const* states) const override {
    step(*arguments[0], rows, states, -1);
  }
  void merge(std::byte* into, const std::byte* from) const override {
    for (const auto& [cell, count] : at(from).in_order()) at(into).step(cell, count);
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    for (const auto& [cell, count] : at(state).in_order()) {
      if (count <= 0) continue;
      append_cell(cell, out.child(0));
      out.child(1).append(static_cast<std::int32_t>(count));
    }
    out.close_nested();
  }

 private:
  static void step(const Column& column, Rows rows, std::byte* const* states, std::int64_t by) {
    std::string cell;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (column.is_null(rows[i])) continue;
      cell.clear();
      ByteWriter writer(cell);
      write_key_cell(column, rows[i], writer);
      at(states[i]).step(cell, by);
    }
  }

  Type argument_;
};

}  // namespace

AggregatePtr make_collect(const Type& argument) {
  return std::make_shared<const Collect>(argument);
}

AggregatePtr make_array_agg(const Type& argument, NullValues nulls) {
  return std::make_shared<const ArrayAgg>(std::vector{argument}, Type::array(argument.with_nullable(true)),
                                          nulls);
}

AggregatePtr make_list_agg(std::vector<Type> arguments, std::string separator) {
  return std::make_shared<const ListAgg>(std::move(arguments), std::move(separator));
}

AggregatePtr make_json_array_agg(const Type& argument, NullValues nulls, JsonText text) {
  return std::make_shared<const JsonArrayAgg>(argument, nulls, text);
}

}  // namespace leat::functions
