#include "pipelines/exec/dataflow.h"

#include <algorithm>
#include <limits>

#include "pipelines/exec/wiring.h"

namespace leat::exec {
namespace {

/// Hands changes on, and knows whether there were any.
class NoticedChanges final : public StateChanges {
 public:
  explicit NoticedChanges(StateChanges& changes) : changes_(changes) {}

  void put(std::string_view node, std::string_view key, std::string_view value) override {
    any_ = true;
    changes_.put(node, key, value);
  }
  void erase(std::string_view node, std::string_view key) override {
    any_ = true;
    changes_.erase(node, key);
  }
  [[nodiscard]] bool any() const { return any_; }

 private:
  StateChanges& changes_;
  bool any_ = false;
};

class WiredDataflow final : public Dataflow {
 public:
  WiredDataflow(Wiring wiring, std::unique_ptr<LateRouter> late_rows, const DataflowOptions& options)
      : late_rows_(std::move(late_rows)),
        wiring_(std::move(wiring)),
        options_(options),
        finished_(wiring_.scans.size()) {
    for (const auto& stage : wiring_.stages)
      if (const std::string fingerprint = stage->fingerprint(); !fingerprint.empty())
        by_fingerprint_.emplace(fingerprint, stage.get());
  }

  Status start(std::int64_t now) override;
  Result<Prepared> prepare(std::size_t scan, Batch batch) override;
  void restamp(std::size_t scan, Batch& prepared) override { wiring_.scans[scan]->restamp(prepared); }
  Status push(std::size_t scan, Batch prepared) override;
  Status change_splits(std::size_t scan, const SplitChanges& changes, std::int64_t now) override;
  Status tick(std::int64_t now, std::int64_t monotonic, std::span<const SourceStatus> sources) override;
  Status finish(std::size_t scan, std::int64_t now) override;

  [[nodiscard]] bool wants_rows(std::size_t scan) const override;

  void save(StateChanges& changes) override;
  Status load(std::string_view node, std::string_view key, std::string_view value) override;
  Status loaded() override;

  [[nodiscard]] std::int64_t watermark() const override;
  [[nodiscard]] std::vector<OperatorInfo> operators() const override;
  void restore_counters(std::string_view name, const OperatorCounters& counters) override;

 private:
  Status advance_scan(std::size_t scan, std::int64_t watermark, std::int64_t now);
  Status update_activity(std::int64_t now);
  [[nodiscard]] bool is_idle(std::size_t scan) const;
  [[nodiscard]] std::int64_t all_idle_for() const;
  [[nodiscard]] Status check();
  [[nodiscard]] Status check_keys() const;
  [[nodiscard]] Status check_memory() const;
  [[nodiscard]] bool counts_for_time(std::size_t scan) const {
    return wiring_.scans[scan] != nullptr && wiring_.scans[scan]->has_watermark() && !finished_[scan];
  }

  std::unique_ptr<LateRouter> late_rows_;  // The operators report to it.
  Wiring wiring_;
  DataflowOptions options_;
  std::unordered_map<std::string, Stage*> by_fingerprint_;
  std::vector<bool> finished_;             // By scan.
  std::optional<std::int64_t> last_tick_;  // Monotonic.
};

Status WiredDataflow::start(std::int64_t now) {
  for (Stage* const stage : wiring_.values) LEAT_TRY(stage->advance_input(0, kMaxWatermark, now));
  return check();
}

Result<Prepared> WiredDataflow::prepare(std::size_t scan, Batch batch) {
  if (wiring_.scans[scan] == nullptr)
    return fail(ErrorCode::kInternal, "rows for a table that nothing reads");
  return wiring_.scans[scan]->prepare(std::move(batch));
}

Status WiredDataflow::push(std::size_t scan, Batch prepared) {
  if (prepared.size == 0) return {};
  Stage& stage = *wiring_.scan_stages[scan];
  const std::int64_t now = prepared.intake_times.back();
  const bool was_idle = is_idle(scan);
  const std::size_t step = wiring_.meets_itself[scan] ? 1 : prepared.size;
  for (std::size_t row = 0; row < prepared.size; row += step) {
    LEAT_TRY(stage.process(0, slice(prepared, row, step)));
    if (row == 0 && was_idle) LEAT_TRY(update_activity(now));
  }
  return check();
}

Status WiredDataflow::advance_scan(std::size_t scan, std::int64_t watermark, std::int64_t now) {
  return wiring_.scan_stages[scan]->advance_input(0, watermark, now);
}

bool WiredDataflow::is_idle(std::size_t scan) const {
  return wiring_.scans[scan] != nullptr && !finished_[scan] && wiring_.scans[scan]->idle_for().has_value();
}

// An input of an operator with several is idle when all its sources are.
Status WiredDataflow::update_activity(std::int64_t now) {
  for (const Wiring::JoinedInput& input : wiring_.joined_inputs) {
    const bool idle = input.only_scans && std::all_of(input.scans.begin(), input.scans.end(),
                                                      [this](std::size_t scan) { return is_idle(scan); });
    LEAT_TRY(input.op->set_activity(input.input, idle ? InputActivity::kIdle : InputActivity::kActive, now,
                                    *input.stage));
  }
  return {};
}

// For how long all sources have been idle beyond their time-outs; 0 if one is not.
std::int64_t WiredDataflow::all_idle_for() const {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  bool any = false;
  for (std::size_t scan = 0; scan < wiring_.scans.size(); ++scan) {
    if (!counts_for_time(scan)) continue;
    any = true;
    least = std::min(least, wiring_.scans[scan]->idle_for().value_or(0));
  }
  return any ? least : 0;
}

Status WiredDataflow::change_splits(std::size_t scan, const SplitChanges& changes, std::int64_t now) {
  if (!counts_for_time(scan)) return {};
  const std::int64_t reached = wiring_.scans[scan]->change_splits(changes);
  if (reached <= wiring_.scans[scan]->watermark()) return {};
  LEAT_TRY(advance_scan(scan, reached, now));
  return check();
}

Status WiredDataflow::tick(std::int64_t now, std::int64_t monotonic, std::span<const SourceStatus> sources) {
  const std::int64_t elapsed = last_tick_ ? std::max<std::int64_t>(0, monotonic - *last_tick_) : 0;
  last_tick_ = monotonic;
  for (std::size_t scan = 0; scan < wiring_.scans.size(); ++scan) {
    if (!counts_for_time(scan)) continue;
    const std::int64_t reached = wiring_.scans[scan]->pass_time(elapsed, sources[scan]);
    if (reached > wiring_.scans[scan]->watermark()) LEAT_TRY(advance_scan(scan, reached, now));
  }
  LEAT_TRY(update_activity(now));
  if (const std::int64_t rise = std::min(elapsed, all_idle_for()); rise > 0) {
    for (std::size_t scan = 0; scan < wiring_.scans.size(); ++scan) {
      if (!counts_for_time(scan) || wiring_.scans[scan]->watermark() == kMinWatermark) continue;
      LEAT_TRY(advance_scan(scan, saturating_add(wiring_.scans[scan]->watermark(), rise), now));
    }
  }
  if (std::ranges::all_of(sources, &SourceStatus::drained))
    for (const auto& stage : wiring_.stages) LEAT_TRY(stage->op().tick(now, *stage));
  return check();
}

Status WiredDataflow::finish(std::size_t scan, std::int64_t now) {
  finished_[scan] = true;
  if (wiring_.scans[scan] == nullptr) return {};
  LEAT_TRY(advance_scan(scan, kMaxWatermark, now));
  LEAT_TRY(update_activity(now));
  return check();
}

// From the outputs back: a stage takes rows that somebody behind it takes.
bool WiredDataflow::wants_rows(std::size_t scan) const {
  const Stage* const asked = wiring_.scan_stages[scan];
  if (asked == nullptr) return true;
  // Late rows are wanted to the last one, if there is one, and so is the first that fails if that ends it
  // all.
  const bool ends = static_cast<const plan::ScanNode&>(asked->node()).bounded;
  if (ends && (late_rows_->has_routes() || options_.fail_on_row_error)) return true;
  const auto sated = [](const auto& stage) { return stage->op().sated(); };
  if (std::ranges::none_of(wiring_.stages, sated)) return true;
  std::vector<bool> taken(wiring_.stages.size());  // By stage: what it gives out.
  for (std::size_t i = wiring_.stages.size(); i-- > 0;) {
    const Stage& stage = *wiring_.stages[i];
    const bool takes = !sated(wiring_.stages[i]) && (taken[i] || !stage.is_read());
    if (&stage == asked) return takes;
    if (!takes) continue;
    for (const std::size_t input : stage.inputs()) taken[input] = true;
  }
  return true;
}

// What a tick made due is written with the time that made it so: no restart comes before it.
void WiredDataflow::save(StateChanges& changes) {
  NoticedChanges noticed(changes);
  for (const auto& stage : wiring_.stages) stage->op().save(noticed);
  if (!noticed.any()) return;
  for (const auto& stage : wiring_.stages) stage->op().save_time(changes);
}

Status WiredDataflow::load(std::string_view node, std::string_view key, std::string_view value) {
  const auto found = by_fingerprint_.find(std::string(node));
  if (found == by_fingerprint_.end())
    return fail(ErrorCode::kNotFound, "no operator with the fingerprint '" + std::string(node) + "'");
  return found->second->op().load(key, value);
}

// The operators behind a scan learn its watermark again; all that was due then has fired before the commit.
Status WiredDataflow::loaded() {
  for (const auto& stage : wiring_.stages) LEAT_TRY(stage->op().loaded());
  for (std::size_t scan = 0; scan < wiring_.scans.size(); ++scan) {
    if (wiring_.scans[scan] == nullptr || wiring_.scans[scan]->watermark() == kMinWatermark) continue;
    LEAT_TRY(wiring_.scan_stages[scan]->advance(wiring_.scans[scan]->watermark(), 0));
  }
  return {};
}

std::int64_t WiredDataflow::watermark() const {
  std::int64_t least = kMaxWatermark;
  bool any = false;
  for (const Scan* const scan : wiring_.scans) {
    if (scan == nullptr || !scan->has_watermark()) continue;
    any = true;
    least = std::min(least, scan->watermark());
  }
  return any ? least : kMinWatermark;
}

std::vector<Dataflow::OperatorInfo> WiredDataflow::operators() const {
  std::vector<OperatorInfo> infos;
  for (const auto& stage : wiring_.stages) {
    OperatorInfo& info = infos.emplace_back();
    info.name = stage->name();
    info.description = stage->name();
    info.fingerprint = stage->fingerprint();
    info.inputs = stage->inputs();
    info.counters = stage->op().counters();
    info.memory_bytes = stage->op().memory_bytes();
    info.keys = stage->op().key_count();
    info.watermark = stage->watermark();
    info.latency = stage->latency();
  }
  return infos;
}

void WiredDataflow::restore_counters(std::string_view name, const OperatorCounters& counters) {
  for (const auto& stage : wiring_.stages)
    if (stage->name() == name) stage->op().restore_counters(counters);
}

/// What may have gone wrong beside the operators' own errors.
Status WiredDataflow::check() {
  LEAT_TRY(late_rows_->take_error());
  LEAT_TRY(check_keys());
  return check_memory();
}

Status WiredDataflow::check_keys() const {
  if (options_.max_keys == 0) return {};
  for (const auto& stage : wiring_.stages)
    if (const std::size_t keys = stage->op().key_count(); keys > options_.max_keys)
      return fail(ErrorCode::kExhausted,
                  stage->name() + " holds " + std::to_string(keys) +
                      " keys, more than 'leat.state.max-keys' = " + std::to_string(options_.max_keys) +
                      ": allow more, or keep fewer (shorter windows, 'table.exec.state.ttl')");
  return {};
}

Status WiredDataflow::check_memory() const {
  if (options_.memory_max == 0) return {};
  std::size_t total = 0;
  std::size_t largest = 0;
  const Stage* owner = nullptr;
  for (const auto& stage : wiring_.stages) {
    const std::size_t bytes = stage->op().memory_bytes();
    total += bytes;
    if (owner != nullptr && bytes <= largest) continue;
    owner = stage.get();
    largest = bytes;
  }
  if (total <= options_.memory_max) return {};
  return fail(ErrorCode::kExhausted,
              "the state needs " + format_byte_size(total) + ", more than 'leat.memory.max' = " +
                  format_byte_size(options_.memory_max) + "; " + owner->name() + " holds " +
                  format_byte_size(largest) + " of it in " + std::to_string(owner->op().key_count()) +
                  " keys: give it more, or keep less (fewer keys, shorter windows, 'table.exec.state.ttl')");
}

}  // namespace

Result<std::unique_ptr<Dataflow>> build_dataflow(const plan::Plan& plan, const DataflowOptions& options,
                                                 Environment& environment) {
  auto late_rows = std::make_unique<LateRouter>(environment);
  LEAT_ASSIGN(Wiring wiring, wire(plan, options, *late_rows));
  return std::unique_ptr<Dataflow>(
      std::make_unique<WiredDataflow>(std::move(wiring), std::move(late_rows), options));
}

}  // namespace leat::exec
