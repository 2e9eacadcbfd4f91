#include "pipelines/functions/aggregate_anomaly.h"

#include <cmath>
#include <utility>

#include "pipelines/anomaly/detector_table.h"
#include "pipelines/anomaly/exponential.h"
#include "pipelines/anomaly/robust_start.h"
#include "pipelines/functions/aggregate_base.h"
#include "pipelines/functions/state_size.h"

namespace leat::functions {
namespace {

using anomaly::Verdict;

class PartPages final : public anomaly::StatePages {
 public:
  explicit PartPages(PartChanges& changes) : changes_(changes) {}
  void put(std::string_view page, std::string_view value) override { changes_.put(page, value); }
  void erase(std::string_view page) override { changes_.erase(page); }

 private:
  PartChanges& changes_;
};

void append_number(double value, ColumnBuilder& out) {
  if (std::isnan(value)) return out.append_null();
  out.append<double>(value);
}

/// `Found` is what a row gets: it is that of the last row, and no part of the state.
template <class DetectorType, class Found>
struct SeriesState {
  std::unique_ptr<DetectorType> detector;
  Found found;
};

/// An aggregate whose states are detectors. `State` is a SeriesState.
template <class State>
class OverSeries : public Aggregate, public BoundedState {
 public:
  OverSeries(SeriesValues values, Type time) : values_(std::move(values)), time_(std::move(time)) {}

  [[nodiscard]] std::vector<Type> argument_types() const override { return {values_.type, time_}; }
  [[nodiscard]] std::size_t state_size() const override { return sizeof(State); }
  void destroy(std::byte* state) const override { at(state).~State(); }
  [[nodiscard]] std::size_t heap_bytes(const std::byte* state) const override {
    return at(state).detector->memory_bytes();
  }

  // Only frames with a fixed begin have these functions: rows neither leave nor come in slices.
  void retract(std::span<const ColumnPtr>, std::span<const std::uint32_t>, std::byte* const*) const override {
  }
  [[nodiscard]] bool retractable() const override { return false; }
  void merge(std::byte*, const std::byte*) const override {}

  void save(const std::byte* state, ByteWriter& out) const override { at(state).detector->save(out); }
  Status load(std::byte* state, ByteReader& in) const override { return at(state).detector->load(in); }
  [[nodiscard]] bool has_parts() const override { return true; }
  void save_parts(std::byte* state, PartChanges& changes) const override {
    PartPages pages(changes);
    at(state).detector->save_pages(pages);
  }
  Status load_part(std::byte* state, std::string_view part, std::string_view value) const override {
    return at(state).detector->load_page(part, value);
  }
  void unsave_parts(std::byte* state, PartChanges& changes) const override {
    PartPages pages(changes);
    at(state).detector->unsave_pages(pages);
  }

 protected:
  static State& at(std::byte* state) { return *std::launder(reinterpret_cast<State*>(state)); }
  static const State& at(const std::byte* state) {
    return *std::launder(reinterpret_cast<const State*>(state));
  }

  /// Reads the row's values to `values`; one that is NULL is NaN. False: there is no row to speak of.
  bool read(std::span<const ColumnPtr> arguments, std::uint32_t row, std::span<double> values) const {
    const Column& column = *arguments[0];
    if (column.is_null(row) || arguments[1]->is_null(row)) return false;
    if (values_.type.kind() != TypeKind::kRow) {
      values[0] = column.values<double>()[row];
      return true;
    }
    for (std::size_t i = 0; i < values_.count; ++i) {
      const Column& child = *column.child(i);
      values[i] = child.is_null(row) ? anomaly::kUnknown : child.values<double>()[row];
    }
    return true;
  }
  [[nodiscard]] const Type& time_type() const { return time_; }
  [[nodiscard]] std::size_t value_count() const { return values_.count; }

 private:
  SeriesValues values_;
  Type time_;
};

// ---- Detection -------------------------------------------------------------------------------------------

struct Judged {
  Verdict verdict;
  double actual = anomaly::kUnknown;
  std::int64_t time = 0;
  bool has_time = false;
};
using DetectionState = SeriesState<anomaly::Detector, Judged>;

class AnomalyDetection final : public OverSeries<DetectionState> {
 public:
  AnomalyDetection(const anomaly::DetectorOptions& options, SeriesValues values, const Type& time)
      : OverSeries(std::move(values), time), options_(options) {}

  [[nodiscard]] Type result_type() const override {
    const Type number = Type::float64();
    return Type::row({{"timestamp", time_type().with_nullable(true)},
                      {"actual_value", number},
                      {"forecast_value", number},
                      {"lower_bound", number},
                      {"upper_bound", number},
                      {"is_anomaly", Type::boolean()},
                      {"rmse", number},
                      {"aic", number},
                      {"anomaly_score", number},
                      {"method", Type::string()}});
  }
  [[nodiscard]] std::size_t full_state_bytes() const override {
    return sizeof(DetectionState) + anomaly::full_size_of(options_, value_count());
  }
  void init(std::byte* state) const override {
    new (state) DetectionState{anomaly::make_detector(options_, value_count()), {}};
  }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    std::vector<double> values(value_count());
    const auto times = arguments[1]->values<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      DetectionState& state = at(states[i]);
      state.found = {};
      state.found.has_time = !arguments[1]->is_null(rows[i]);
      if (state.found.has_time) state.found.time = times[rows[i]];
      if (!read(arguments, rows[i], values)) continue;
      state.found.verdict = state.detector->observe(values, state.found.time);
      state.found.actual = values[state.found.verdict.value];
    }
  }

  void result(const std::byte* state, ColumnBuilder& out) const override {
    const Judged& found = at(state).found;
    const Verdict& verdict = found.verdict;
    if (found.has_time)
      out.child(0).append<std::int64_t>(found.time);
    else
      out.child(0).append_null();
    append_number(found.actual, out.child(1));
    append_number(verdict.forecast, out.child(2));
    append_number(verdict.lower, out.child(3));
    append_number(verdict.upper, out.child(4));
    if (std::isnan(verdict.rarity))
      out.child(5).append_null();
    else
      out.child(5).append<std::uint8_t>(verdict.alert ? 1 : 0);
    append_number(verdict.rmse, out.child(6));
    append_number(verdict.aic, out.child(7));
    append_number(anomaly::score_of(verdict.rarity), out.child(8));
    out.child(9).append_view(to_string(options_.method));  // The names live as long as the program.
    out.close_nested();
  }

 private:
  anomaly::DetectorOptions options_;
};

// ---- Forecasts -------------------------------------------------------------------------------------------

struct Nothing {};
using ForecastState = SeriesState<anomaly::RobustStart<anomaly::HoltWinters>, Nothing>;

class Forecast final : public OverSeries<ForecastState> {
 public:
  Forecast(const anomaly::ForecastOptions& options, const Type& time)
      : OverSeries({1, Type::float64()}, time), options_(options) {}

  [[nodiscard]] Type result_type() const override {
    const Type number = Type::float64();
    return Type::array(Type::row({{"timestamp", time_type().with_nullable(true)},
                                  {"forecast_value", number},
                                  {"lower_bound", number},
                                  {"upper_bound", number},
                                  {"rmse", number},
                                  {"aic", number}}));
  }
  [[nodiscard]] std::size_t full_state_bytes() const override {
    return sizeof(ForecastState) + anomaly::full_size_of(options_, 1);
  }
  void init(std::byte* state) const override {
    new (state) ForecastState{std::make_unique<anomaly::RobustStart<anomaly::HoltWinters>>(options_), {}};
  }

  void update(std::span<const ColumnPtr> arguments, std::span<const std::uint32_t> rows,
              std::byte* const* states) const override {
    double value = 0;
    const auto times = arguments[1]->values<std::int64_t>();
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (read(arguments, rows[i], {&value, 1})) at(states[i]).detector->observe({&value, 1}, times[rows[i]]);
  }

  void result(const std::byte* state, ColumnBuilder& out) const override {
    const anomaly::HoltWinters& model = *at(state).detector;
    const std::vector<anomaly::HoltWinters::Forecast> forecasts = model.forecast(options_.horizon);
    if (forecasts.empty()) return out.append_null();
    for (const anomaly::HoltWinters::Forecast& next : forecasts) {
      ColumnBuilder& row = out.child(0);
      row.child(0).append<std::int64_t>(next.time);
      append_number(next.value, row.child(1));
      append_number(next.lower, row.child(2));
      append_number(next.upper, row.child(3));
      append_number(model.errors().rmse(), row.child(4));
      append_number(model.errors().aic(anomaly::HoltWinters::kParameters), row.child(5));
      row.close_nested();
    }
    out.close_nested();
  }

 private:
  anomaly::ForecastOptions options_;
};

}  // namespace

SeriesValues series_values_of(const Type& type) {
  if (type.is_numeric()) return {1, Type::float64()};
  if (type.kind() != TypeKind::kRow) return {};
  Type::Fields fields;
  for (const Type::Field& field : type.fields()) {
    if (!field.type.is_numeric()) return {};
    fields.push_back({field.name, Type::float64()});
  }
  return {fields.size(), Type::row(fields)};
}

AggregatePtr make_anomaly_detection(const anomaly::DetectorOptions& options, const SeriesValues& values,
                                    const Type& time) {
  return std::make_shared<const AnomalyDetection>(options, values, time);
}

AggregatePtr make_forecast(const anomaly::ForecastOptions& options, const Type& time) {
  return std::make_shared<const Forecast>(options, time);
}

}  // namespace leat::functions
