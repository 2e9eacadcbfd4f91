// Runs a plan over a list of events in three ways: rows in whole batches, in batches of one row, and in
// batches of one row with the dataflow saved and restored into a fresh one between any two events. All three
// must give the same rows in the same order, the same late and dead rows and the same counters.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pipelines/exec/dataflow.h"
#include "tests/unit/exec/plan_verbs.h"

namespace leat::exec::test {

struct Row {
  std::optional<double> seconds;  ///< ts
  std::optional<std::string> key = "a";
  std::optional<std::int64_t> value = 1;
  RowKind kind = RowKind::kInsert;
  std::size_t scan = 0;
};
/// Time passes, in seconds of a clock that is both the gateway's and monotonic.
struct Tick {
  double at = 0;
  std::vector<bool> quiet = {true};
  bool drained = true;
};
struct Finish {
  std::size_t scan = 0;
};
/// SplitChanges are of the first scan; a restored dataflow is told all that are open again.
using Event = std::variant<Row, Tick, Finish, SplitChanges>;

enum class Show : std::uint8_t {
  kRows,            ///< "+I[a, 2, 0, 10]": timestamps in seconds
  kWithWatermarks,  ///< "+I[a, 2, 0, 10] @9.998999"
  kWithIntake,      ///< "+I[a, 2, 0, 10] in 3": the row's intake time in seconds; row n came in at n
};

struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> late;  ///< "window aggregate 1: 2, a, 1"
  std::vector<std::string> dead;  ///< "filter 1: division by zero: 2, a, 1"
  std::string error;              ///< Of the failed pipeline.
  std::vector<Dataflow::OperatorInfo> operators;
  [[nodiscard]] const OperatorCounters& counters(std::string_view name) const;
};

struct ScriptOptions {
  Show show = Show::kRows;
  DataflowOptions dataflow = {};
  /// Idle time is not part of the state, so scripts with ticks are not restored in between.
  bool restore = true;
  bool finish = true;  ///< All scans end after the last event.
};

/// Checks the three ways against each other and gives their outcome.
Outcome run(const plan::Plan& plan, const std::vector<Event>& events, const ScriptOptions& options = {});

/// What a store keeps of a dataflow.
class Snapshot final : public StateChanges {
 public:
  void put(std::string_view node, std::string_view key, std::string_view value) override;
  void erase(std::string_view node, std::string_view key) override;
  void load_into(Dataflow& dataflow) const;

  std::map<std::pair<std::string, std::string>, std::string> entries;
  std::size_t puts = 0;    ///< Since the test set it.
  std::size_t erases = 0;  ///< As `puts`.
};

/// Collects what a dataflow gives out.
class Recorder final : public Environment {
 public:
  explicit Recorder(Show show) : show_(show) {}
  Status output(std::size_t sink, const Batch& batch) override;
  void dead(std::string_view where, const Schema& schema, const Batch& batch, std::size_t row,
            std::string_view reason) override;
  void late(std::string_view where, const Schema& schema, const Batch& batch,
            std::span<const std::uint32_t> rows) override;

  Outcome outcome;

 private:
  Show show_;
};

/// Rows as a decoded batch of the table; row i came in at `first_intake` + i seconds.
Batch batch_of(std::span<const Row> rows, std::size_t first_intake);

}  // namespace leat::exec::test

/// Failed checks print the rows.
template <>
struct doctest::StringMaker<std::vector<std::string>> {
  static doctest::String convert(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += "\n  " + line;
    return text.c_str();
  }
};
