// Verbs to put plans together by hand, over a table readings(ts TIMESTAMP(3), key STRING, value BIGINT) whose
// watermark is ts minus a delay; and small functions to fill them with.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "pipelines/plan/node.h"

namespace leat::exec::test {

using namespace std::chrono_literals;

inline constexpr std::size_t kTs = 0;
inline constexpr std::size_t kKey = 1;
inline constexpr std::size_t kValue = 2;

// ---- Expressions -----------------------------------------------------------------------------------------

plan::ExprPtr column(std::size_t index, const Type& type);
plan::ExprPtr literal(std::int64_t value);
plan::ExprPtr null_of(const Type& type);
plan::ExprPtr greater(plan::ExprPtr a, plan::ExprPtr b);
plan::ExprPtr equals_text(plan::ExprPtr a, std::string text);
/// Integer division; a zero divisor is a row error "division by zero".
plan::ExprPtr divide(plan::ExprPtr a, plan::ExprPtr b);
/// CURRENT_WATERMARK() in microseconds; NULL before the first.
plan::ExprPtr current_watermark();
plan::ExprPtr logical(plan::ExprKind kind, std::vector<plan::ExprPtr> children, const Type& type);

// ---- Aggregates ------------------------------------------------------------------------------------------

functions::AggregatePtr count_rows();
/// Of a BIGINT; NULL of nothing; retractable.
functions::AggregatePtr sum();
/// The texts of a STRING in order of arrival, "a|b|c"; owns heap memory.
functions::AggregatePtr joined();
plan::AggregateCall call(functions::AggregatePtr function, std::vector<std::size_t> arguments = {});

// ---- Nodes -----------------------------------------------------------------------------------------------

struct ScanOptions {
  std::string table = "readings";
  Micros delay = 0s;
  Micros idle_timeout = 0s;
  bool partition_by_key = false;
  bool by_split = false;  ///< The key is the split.
  std::optional<Micros> max_ahead = std::nullopt;
  plan::ExprPtr filter = nullptr;
  bool local_time = false;  ///< ts is TIMESTAMP_LTZ(3).
  bool has_watermark = true;
};
std::shared_ptr<plan::ScanNode> scan(const ScanOptions& options = {});
plan::NodePtr filter(plan::NodePtr input, plan::ExprPtr predicate);
plan::NodePtr project(plan::NodePtr input, std::vector<plan::ExprPtr> exprs);
plan::NodePtr union_all(std::vector<plan::NodePtr> inputs);
plan::NodePtr values(std::vector<std::vector<plan::ExprPtr>> rows);

plan::WindowSpec tumble(Micros size, Micros offset = 0s);
plan::WindowSpec hop(Micros slide, Micros size);
plan::WindowSpec cumulate(Micros step, Micros size);
plan::WindowSpec session(Micros gap);
plan::WindowSpec in_zone(plan::WindowSpec window, std::string zone);

/// GROUP BY key, window_start, window_end: key, calls, window_start, window_end, window_time.
plan::NodePtr aggregate(plan::NodePtr input, plan::WindowSpec window, std::vector<plan::AggregateCall> calls,
                        std::vector<std::size_t> keys = {kKey});
/// The aggregate with early and late results.
plan::NodePtr emitting(const plan::NodePtr& aggregate, const plan::EmitStrategy& emit);
/// The same over the columns window_start, window_end of the input.
plan::NodePtr aggregate_attached(plan::NodePtr input, std::pair<std::size_t, std::size_t> bounds,
                                 std::vector<plan::AggregateCall> calls, std::vector<std::size_t> keys);
plan::NodePtr assign(plan::NodePtr input, plan::WindowSpec window);
/// The gateway's clock in the column ts.
plan::NodePtr clock(plan::NodePtr input);

/// INSERT INTO out SELECT * from each of `queries`. Scans are found by walking.
plan::Plan pipeline(std::vector<plan::NodePtr> queries);

}  // namespace leat::exec::test
