#include "pipelines/functions/aggregate_over.h"

#include <deque>
#include <new>
#include <string>

#include "pipelines/column/codec.h"

namespace leat::functions {
namespace {

template <class State>
class OverFunction : public Aggregate {
 public:
  [[nodiscard]] std::size_t state_size() const override { return sizeof(State); }
  void init(std::byte* state) const override { new (state) State(); }
  void destroy(std::byte* state) const override { at(state).~State(); }
  // Only frames with a fixed begin have these functions: rows neither leave nor come in slices.
  void retract(std::span<const ColumnPtr>, std::span<const std::uint32_t>, std::byte* const*) const override {
  }
  [[nodiscard]] bool retractable() const override { return false; }
  void merge(std::byte*, const std::byte*) const override {}

 protected:
  static State& at(std::byte* state) { return *std::launder(reinterpret_cast<State*>(state)); }
  static const State& at(const std::byte* state) {
    return *std::launder(reinterpret_cast<const State*>(state));
  }
  static Status ended_well(const ByteReader& in) {
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "state of an OVER function ends early");
    return {};
  }
};

// state := zigzag rows, zigzag time of the last row, zigzag its rank, zigzag its dense rank
struct RankState {
  std::int64_t rows = 0;
  std::int64_t time = 0;
  std::int64_t rank = 0;
  std::int64_t dense_rank = 0;
};

class Rank final : public OverFunction<RankState> {
 public:
  Rank(Type time, RankForm form) : time_(std::move(time)), form_(form) {}

  [[nodiscard]] Type result_type() const override { return Type::big_int().with_nullable(false); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return {time_}; }
  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    const auto times = arguments[0]->values<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RankState& state = at(states[i]);
      const std::int64_t time = times[rows[i]];
      ++state.rows;
      if (state.rows > 1 && time == state.time) continue;
      state.time = time;
      state.rank = state.rows;
      ++state.dense_rank;
    }
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    out.append<std::int64_t>(form_ == RankForm::kRank ? at(state).rank : at(state).dense_rank);
  }
  void save(const std::byte* state, ByteWriter& out) const override {
    const RankState& rank = at(state);
    for (const std::int64_t number : {rank.rows, rank.time, rank.rank, rank.dense_rank}) out.zigzag(number);
  }
  Status load(std::byte* state, ByteReader& in) const override {
    RankState& rank = at(state);
    for (std::int64_t* number : {&rank.rows, &rank.time, &rank.rank, &rank.dense_rank}) *number = in.zigzag();
    return ended_well(in);
  }

 private:
  Type time_;
  RankForm form_;
};

// state := varint count, string cell…, string default cell, [string cell of the current row]
// The last one is there where NULLs are ignored.
struct LagState {
  std::deque<std::string> cells;  // Of the last rows that count, the current one among them unless NULLs are
                                  // ignored; as many as it takes to reach back, oldest first.
  std::string fallback;
  std::string current;  // NULLs ignored: of the current row; empty if it is NULL.
};

class Lag final : public OverFunction<LagState> {
 public:
  Lag(Type value, std::uint64_t offset, LagDefault fallback, LagNulls nulls)
      : value_(std::move(value)),
        // The row itself is no NULL to be passed over.
        nulls_(offset == 0 ? LagNulls::kRespect : nulls),
        kept_(nulls_ == LagNulls::kRespect ? offset + 1 : offset),
        fallback_(fallback) {}

  [[nodiscard]] Type result_type() const override { return value_.with_nullable(true); }
  [[nodiscard]] std::vector<Type> argument_types() const override {
    if (fallback_ == LagDefault::kArgument) return {value_, value_};
    return {value_};
  }
  [[nodiscard]] std::size_t heap_bytes(const std::byte* state) const override {
    return at(state).cells.size() * sizeof(std::string) + 512;
  }
  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      LagState& state = at(states[i]);
      if (nulls_ == LagNulls::kRespect) {
        state.cells.push_back(cell_of(*arguments[0], rows[i]));
      } else {
        if (!state.current.empty()) state.cells.push_back(std::move(state.current));
        state.current = arguments[0]->is_null(rows[i]) ? std::string() : cell_of(*arguments[0], rows[i]);
      }
      if (state.cells.size() > kept_) state.cells.pop_front();
      if (fallback_ == LagDefault::kArgument) state.fallback = cell_of(*arguments[1], rows[i]);
    }
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    const LagState& lag = at(state);
    const std::string& cell = lag.cells.size() == kept_ ? lag.cells.front() : lag.fallback;
    ByteReader reader(cell);
    if (cell.empty() || !read_cell(reader, out)) out.append_null();
  }
  void save(const std::byte* state, ByteWriter& out) const override {
    out.varint(at(state).cells.size());
    for (const std::string& cell : at(state).cells) out.string(cell);
    out.string(at(state).fallback);
    if (nulls_ == LagNulls::kIgnore) out.string(at(state).current);
  }
  Status load(std::byte* state, ByteReader& in) const override {
    LagState& lag = at(state);
    lag.cells.clear();
    for (std::uint64_t count = in.varint(); count > 0 && in.ok(); --count)
      lag.cells.emplace_back(in.string());
    lag.fallback = in.string();
    if (nulls_ == LagNulls::kIgnore) lag.current = in.string();
    return ended_well(in);
  }

 private:
  static std::string cell_of(const Column& column, std::size_t row) {
    std::string cell;
    ByteWriter writer(cell);
    write_cell(column, row, writer);
    return cell;
  }

  Type value_;
  LagNulls nulls_;
  std::uint64_t kept_;  // How many cells reach back to the value.
  LagDefault fallback_;
};

}  // namespace

AggregatePtr make_rank(const Type& time, RankForm form) {
  return std::make_shared<const Rank>(time, form);
}

AggregatePtr make_lag(const Type& value, std::uint64_t offset, LagDefault fallback, LagNulls nulls) {
  return std::make_shared<const Lag>(value, offset, fallback, nulls);
}

}  // namespace leat::functions
