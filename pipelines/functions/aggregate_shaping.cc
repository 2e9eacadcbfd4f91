#include "pipelines/functions/aggregate_shaping.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/functions/aggregate_base.h"

namespace leat::functions {
namespace {

/// What a cell holds; `other` where it is NULL.
template <class T>
T cell_or(const Column& column, std::uint32_t row, T other) {
  return column.is_null(row) ? other : column.values<T>()[row];
}

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// Only frames with a fixed begin have these functions: rows neither leave nor come in slices.
template <class State>
class OverRowsSoFar : public OverState<State> {
 public:
  void retract(std::span<const ColumnPtr>, std::span<const std::uint32_t>, std::byte* const*) const override {
  }
  [[nodiscard]] bool retractable() const override { return false; }
  void merge(std::byte*, const std::byte*) const override {}
  void save(const std::byte* state, ByteWriter& out) const override { this->at(state).save(out); }
  Status load(std::byte* state, ByteReader& in) const override {
    this->at(state).load(in);
    if (!in.ok()) return fail(ErrorCode::kCorrupt, "aggregate state ends early");
    return {};
  }
};

// ---- DEADBAND --------------------------------------------------------------------------------------------

// state := u8 begun, double value, zigzag time        (of what was reported last; NaN: that there is none)
struct Reported {
  bool begun = false;
  double value = kNoNumber;
  std::int64_t time = 0;
  bool is_due = false;  // What the last row was told; no part of the state.

  [[nodiscard]] static std::size_t heap_bytes() { return 0; }
  void take(double next, double band, std::int64_t at, std::int64_t silence) {
    is_due = !begun || differs(next, band) || (silence != kNever && at >= saturating_add(time, silence));
    if (!is_due) return;
    begun = true;
    value = next;
    time = at;
  }
  void save(ByteWriter& out) const {
    out.u8(begun ? 1 : 0);
    out.float64(value);
    out.zigzag(time);
  }
  void load(ByteReader& in) {
    begun = in.u8() != 0;
    value = in.float64();
    time = in.zigzag();
  }

 private:
  /// A value that goes and one that comes back are news; a band that is NULL holds nothing back.
  [[nodiscard]] bool differs(double next, double band) const {
    if (std::isnan(next) || std::isnan(value)) return std::isnan(next) != std::isnan(value);
    if (next == value) return std::isnan(band);
    return !(std::abs(next - value) <= band);
  }
};

class Deadband final : public OverRowsSoFar<Reported> {
 public:
  explicit Deadband(std::vector<Type> arguments) : arguments_(std::move(arguments)) {}

  [[nodiscard]] Type result_type() const override { return Type::boolean().with_nullable(false); }
  [[nodiscard]] std::vector<Type> argument_types() const override { return arguments_; }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    const bool has_times = arguments_.size() > 2;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double value = cell_or(*arguments[0], rows[i], kNoNumber);
      const double band = cell_or(*arguments[1], rows[i], kNoNumber);
      Reported& state = at(states[i]);
      const std::int64_t time = has_times ? cell_or(*arguments[2], rows[i], state.time) : 0;
      state.take(value, band, time, has_times ? cell_or(*arguments[3], rows[i], kNever) : kNever);
    }
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    out.append<std::uint8_t>(at(state).is_due ? 1 : 0);
  }

 private:
  std::vector<Type> arguments_;
};

// ---- SWINGING_DOOR ---------------------------------------------------------------------------------------

struct Point {
  std::int64_t time = 0;
  double value = 0;
};

// state := u8 begun, point pivot, point held, double lowest slope, double highest slope
// point := zigzag time, double value
struct Door {
  bool begun = false;
  Point pivot;  // Reported last.
  Point held;   // The last row; the line from the pivot to it is true of all rows between.
  double lowest = -std::numeric_limits<double>::infinity();  // Slopes, per microsecond, of such lines.
  double highest = std::numeric_limits<double>::infinity();
  std::optional<Point> reported;  // By the last row; no part of the state.

  [[nodiscard]] static std::size_t heap_bytes() { return 0; }

  void take(Point next, double deviation, std::int64_t longest) {
    reported.reset();
    if (!begun) return report(next);
    if (next.time <= held.time) return;
    const bool is_long = longest != kNever && next.time > saturating_add(pivot.time, longest);
    if (is_long || !holds(next)) report(held.time > pivot.time ? held : next);
    if (next.time == pivot.time) return;
    hold(next, deviation);
  }
  void save(ByteWriter& out) const {
    out.u8(begun ? 1 : 0);
    for (const Point& point : {pivot, held}) {
      out.zigzag(point.time);
      out.float64(point.value);
    }
    out.float64(lowest);
    out.float64(highest);
  }
  void load(ByteReader& in) {
    begun = in.u8() != 0;
    for (Point* point : {&pivot, &held}) {
      point->time = in.zigzag();
      point->value = in.float64();
    }
    lowest = in.float64();
    highest = in.float64();
  }

 private:
  [[nodiscard]] double slope_to(const Point& point, double shift) const {
    return (point.value + shift - pivot.value) / static_cast<double>(point.time - pivot.time);
  }
  [[nodiscard]] bool holds(const Point& next) const {
    const double slope = slope_to(next, 0);
    return slope >= lowest && slope <= highest;
  }
  void report(const Point& point) {
    begun = true;
    reported = pivot = held = point;
    lowest = -std::numeric_limits<double>::infinity();
    highest = std::numeric_limits<double>::infinity();
  }
  void hold(const Point& next, double deviation) {
    held = next;
    lowest = std::max(lowest, slope_to(next, -deviation));
    highest = std::min(highest, slope_to(next, deviation));
  }
};

class SwingingDoor final : public OverRowsSoFar<Door> {
 public:
  explicit SwingingDoor(std::vector<Type> arguments) : arguments_(std::move(arguments)) {}

  [[nodiscard]] Type result_type() const override {
    return Type::row(
        {{"timestamp", arguments_[1].with_nullable(false)}, {"value", Type::float64().with_nullable(false)}});
  }
  [[nodiscard]] std::vector<Type> argument_types() const override { return arguments_; }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double value = cell_or(*arguments[0], rows[i], kNoNumber);
      Door& state = at(states[i]);
      if (!std::isfinite(value) || arguments[1]->is_null(rows[i])) {
        state.reported.reset();
        continue;
      }
      const double deviation = std::max(0.0, cell_or(*arguments[2], rows[i], 0.0));
      const std::int64_t longest = arguments_.size() > 3 ? cell_or(*arguments[3], rows[i], kNever) : kNever;
      state.take({arguments[1]->values<std::int64_t>()[rows[i]], value}, deviation, longest);
    }
  }
  void result(const std::byte* state, ColumnBuilder& out) const override {
    const std::optional<Point>& point = at(state).reported;
    if (!point) return out.append_null();
    out.child(0).append<std::int64_t>(point->time);
    out.child(1).append<double>(point->value);
    out.close_nested();
  }

 private:
  std::vector<Type> arguments_;
};

}  // namespace

AggregatePtr make_deadband(std::vector<Type> arguments) {
  return std::make_shared<const Deadband>(std::move(arguments));
}

AggregatePtr make_swinging_door(std::vector<Type> arguments) {
  return std::make_shared<const SwingingDoor>(std::move(arguments));
}

}  // namespace leat::functions
