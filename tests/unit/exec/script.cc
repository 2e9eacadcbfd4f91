#include "tests/unit/exec/script.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "pipelines/column/column_builder.h"
#include "pipelines/column/text.h"

namespace leat::exec::test {
namespace {

std::string seconds_text(std::int64_t micros) {
  if (micros == kMinWatermark) return "min";
  if (micros == kMaxWatermark) return "max";
  std::string text = micros < 0 ? "-" : "";
  const std::uint64_t size =
      micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
  text += std::to_string(size / 1'000'000);
  if (size % 1'000'000 == 0) return text;
  std::string fraction = std::to_string(1'000'000 + size % 1'000'000).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

std::string cells_text(const Batch& batch, std::size_t row) {
  std::string text;
  for (const ColumnPtr& column : batch.columns) {
    if (!text.empty()) text += ", ";
    if (column->is_null(row))
      text += "null";
    else if (column->type().is_timestamp())
      text += seconds_text(column->values<std::int64_t>()[row]);
    else
      append_text(*column, row, {}, text);
  }
  return text;
}

std::string row_text(const Batch& batch, std::size_t row, Show show) {
  std::string text = std::string(to_string(batch.kind(row))) + "[" + cells_text(batch, row) + "]";
  if (show == Show::kWithWatermarks) text += " @" + seconds_text(batch.watermarks[row]);
  if (show == Show::kWithIntake) text += " in " + seconds_text(batch.intake_times[row]);
  return text;
}

enum class Way : std::uint8_t { kWhole, kSingleRows, kRestored };

class Runner {
 public:
  Runner(const plan::Plan& plan, const ScriptOptions& options, Way way)
      : plan_(plan), options_(options), way_(way), recorder_(options.show) {
    build();
    note(dataflow_->start(0));
  }

  Outcome run(const std::vector<Event>& events) {
    for (std::size_t i = 0; i < events.size() && ok();) {
      const std::size_t next = std::holds_alternative<Row>(events[i]) ? push(events, i) : other(events[i], i);
      i = next;
      check_counters();
      if (way_ == Way::kRestored && ok()) restore();
    }
    for (std::size_t scan = 0; options_.finish && scan < plan_.scans.size() && ok(); ++scan)
      note(dataflow_->finish(scan, clock_));
    check_counters();
    recorder_.outcome.operators = dataflow_->operators();
    return std::move(recorder_.outcome);
  }

 private:
  void build() {
    auto built = build_dataflow(plan_, options_.dataflow, recorder_);
    REQUIRE_MESSAGE(built.has_value(), (built ? "" : built.error().message));
    dataflow_ = std::move(*built);
  }

  void restore() {
    dataflow_->save(snapshot_);
    const auto infos = dataflow_->operators();
    build();
    snapshot_.load_into(*dataflow_);
    for (const auto& info : infos) dataflow_->restore_counters(info.name, info.counters);
    note(dataflow_->start(0));
    if (!open_splits_.empty())
      note(dataflow_->change_splits(
          0, {SplitChanges::Scope::kAll, {open_splits_.begin(), open_splits_.end()}, {}}, clock_));
  }

  std::size_t push(const std::vector<Event>& events, std::size_t begin) {
    std::vector<Row> rows;
    std::size_t end = begin;
    const std::size_t scan = std::get<Row>(events[begin]).scan;
    while (end < events.size() && std::holds_alternative<Row>(events[end]) &&
           std::get<Row>(events[end]).scan == scan && (way_ == Way::kWhole || end == begin))
      rows.push_back(std::get<Row>(events[end++]));
    const std::size_t first = rows_pushed_ + 1;
    rows_pushed_ += rows.size();
    clock_ = static_cast<std::int64_t>(rows_pushed_) * 1'000'000;
    auto prepared = dataflow_->prepare(scan, batch_of(rows, first));
    if (!prepared)
      note(prepared.map([](const Prepared&) {}));
    else
      note(dataflow_->push(scan, std::move(prepared->batch)));
    return end;
  }

  std::size_t other(const Event& event, std::size_t i) {
    if (const auto* finish = std::get_if<Finish>(&event)) note(dataflow_->finish(finish->scan, clock_));
    if (const auto* splits = std::get_if<SplitChanges>(&event)) {
      open_splits_.insert(splits->opened.begin(), splits->opened.end());
      for (const std::string& split : splits->ended) open_splits_.erase(split);
      note(dataflow_->change_splits(0, *splits, clock_));
    }
    if (const auto* tick = std::get_if<Tick>(&event)) {
      std::vector<SourceStatus> statuses;
      for (const bool quiet : tick->quiet) statuses.push_back({.quiet = quiet, .drained = tick->drained});
      clock_ = static_cast<std::int64_t>(tick->at * 1e6);
      note(dataflow_->tick(clock_, clock_, statuses));
    }
    return i + 1;
  }

  void note(const Status& status) {
    if (!status && ok()) recorder_.outcome.error = status.error().message;
  }
  [[nodiscard]] bool ok() const { return recorder_.outcome.error.empty(); }

  void check_counters() {
    for (const auto& info : dataflow_->operators()) {
      const OperatorCounters& c = info.counters;
      CAPTURE(info.name);
      if (ok()) CHECK(c.rows_in == c.passed + c.filtered + c.late + c.dead + c.applied);
    }
  }

  const plan::Plan& plan_;
  const ScriptOptions& options_;
  Way way_;
  Recorder recorder_;
  Snapshot snapshot_;
  std::set<std::string> open_splits_;
  std::unique_ptr<Dataflow> dataflow_;
  std::size_t rows_pushed_ = 0;
  std::int64_t clock_ = 0;
};

void check_same(const Outcome& a, const Outcome& b) {
  CHECK(a.rows == b.rows);
  CHECK(a.late == b.late);
  CHECK(a.dead == b.dead);
  CHECK(a.error == b.error);
  if (!a.error.empty()) return;
  for (std::size_t i = 0; i < a.operators.size(); ++i) {
    CHECK(a.operators[i].counters.rows_in == b.operators[i].counters.rows_in);
    CHECK(a.operators[i].counters.rows_out == b.operators[i].counters.rows_out);
    CHECK(a.operators[i].watermark == b.operators[i].watermark);
  }
}

}  // namespace

const OperatorCounters& Outcome::counters(std::string_view name) const {
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const Dataflow::OperatorInfo& info) { return info.name == name; });
  REQUIRE(found != operators.end());
  return found->counters;
}

Batch batch_of(std::span<const Row> rows, std::size_t first_intake) {
  ColumnBuilder ts(Type::timestamp(3));
  ColumnBuilder key(Type::string());
  ColumnBuilder value(Type::big_int());
  Batch batch;
  batch.size = rows.size();
  bool changes = false;
  for (const Row& row : rows) {
    row.seconds ? ts.append(static_cast<std::int64_t>(*row.seconds * 1e6)) : ts.append_null();
    row.key ? key.append_string(*row.key) : key.append_null();
    row.value ? value.append(*row.value) : value.append_null();
    batch.kinds.push_back(row.kind);
    changes = changes || row.kind != RowKind::kInsert;
    batch.intake_times.push_back(static_cast<std::int64_t>(first_intake++) * 1'000'000);
  }
  if (!changes) batch.kinds.clear();
  batch.columns = {ts.finish(), key.finish(), value.finish()};
  return batch;
}

Outcome run(const plan::Plan& plan, const std::vector<Event>& events, const ScriptOptions& options) {
  const Outcome whole = Runner(plan, options, Way::kWhole).run(events);
  {
    INFO("rows in batches of one");
    check_same(whole, Runner(plan, options, Way::kSingleRows).run(events));
  }
  if (options.restore) {
    INFO("saved and restored between any two events");
    check_same(whole, Runner(plan, options, Way::kRestored).run(events));
  }
  return whole;
}

void Snapshot::put(std::string_view node, std::string_view key, std::string_view value) {
  entries[{std::string(node), std::string(key)}] = value;
  ++puts;
}

void Snapshot::erase(std::string_view node, std::string_view key) {
  CHECK(entries.erase({std::string(node), std::string(key)}) == 1);
  ++erases;
}

void Snapshot::load_into(Dataflow& dataflow) const {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    REQUIRE(dataflow.load(entry->first.first, entry->first.second, entry->second).has_value());
  REQUIRE(dataflow.loaded().has_value());
}

Status Recorder::output(std::size_t sink, const Batch& batch) {
  const std::string prefix = sink == 0 ? "" : std::to_string(sink) + ": ";
  CHECK(std::is_sorted(batch.watermarks.begin(), batch.watermarks.end()));
  for (std::size_t row = 0; row < batch.size; ++row)
    outcome.rows.push_back(prefix + row_text(batch, row, show_));
  return {};
}

void Recorder::dead(std::string_view where, const Schema& schema, const Batch& batch, std::size_t row,
                    std::string_view reason) {
  CHECK(schema.size() == batch.columns.size());
  outcome.dead.push_back(std::string(where) + ": " + std::string(reason) + ": " + cells_text(batch, row));
}

void Recorder::late(std::string_view where, const Schema& schema, const Batch& batch,
                    std::span<const std::uint32_t> rows) {
  CHECK(schema.size() == batch.columns.size());
  for (const std::uint32_t row : rows)
    outcome.late.push_back(std::string(where) + ": " + cells_text(batch, row));
}

}  // namespace leat::exec::test
