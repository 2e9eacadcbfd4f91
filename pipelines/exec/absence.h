// ABSENCE: which keys have fallen silent, and which are back (plan/absence_node.h).
//
// What happens to a key follows from the times of its rows, not from their arrival: rows are kept as spans of
// time without a silence, and a span counts when the operator's time reaches it. So a file that is replayed
// shows each silence that was, however rows and watermark were mixed. A row is late when a silence behind it
// would be over as well: at or behind time − timeout.
//
// The operator's time is the watermark. While nothing comes at all, it goes on from there with the gateway's
// clock (`tick`): whoever waits for the next row to learn that none comes, waits for ever.
//
// State, under the node's fingerprint:
//   "m"                  => zigzag time, zigzag clock at which the watermark rose, varint keys seen
//   "k" cells of the key => varint number (the order of first arrival), u8 absent, zigzag last seen,
//                           varint spans, (zigzag first, zigzag last)…
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/key_map.h"
#include "pipelines/exec/operator.h"
#include "pipelines/plan/absence_node.h"

namespace leat::exec {

class Absence final : public Operator {
 public:
  Absence(const plan::AbsenceNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  Status tick(std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return timers_.size(); }

 private:
  /// Times of rows between which there is no silence.
  struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };
  struct Watched {
    std::vector<Span> spans;     // Not over yet; the first one has begun unless the key is absent or new.
    std::uint64_t number = 0;    // 0: never seen.
    std::int64_t last_seen = 0;  // While it is absent.
    bool absent = false;
    bool saved = false;
    bool dirty = false;
    std::int64_t timer = 0;  // Its place in `timers_`, if it has one.
    bool timed = false;
  };
  /// By time, then by the key's first arrival.
  using Timers = std::map<std::pair<std::int64_t, std::uint64_t>, KeyId>;

  void take_row(KeyId key, std::int64_t time);
  void add_time(Watched& watched, std::int64_t time) const;
  [[nodiscard]] bool is_forgotten_at(const Watched& watched, std::int64_t& at) const;
  [[nodiscard]] bool next_event(const Watched& watched, std::int64_t& at) const;
  void arm(KeyId key);
  void fire_until(std::int64_t time);
  [[nodiscard]] std::int64_t latest_row() const;
  void happen(KeyId key, std::int64_t at);
  void emit(KeyId key, std::string_view state, std::int64_t last_seen, std::int64_t at);
  Batch take(std::int64_t watermark_after);
  void change(KeyId key);
  void forget(KeyId key);
  [[nodiscard]] std::string key_text(KeyId key) const;

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::vector<std::size_t> key_columns_;
  std::size_t time_column_;
  std::int64_t timeout_;
  std::int64_t state_ttl_;
  KeyMap keys_;
  OperatorCounters counters_;

  std::vector<Watched> watched_;  // By key.
  Timers timers_;
  std::uint64_t seen_ = 0;
  std::int64_t time_ = kMinWatermark;
  std::int64_t watermark_ = kMinWatermark;
  bool ended_ = false;        // The input: there is no silence behind it.
  std::int64_t rose_at_ = 0;  // The gateway's clock when the watermark rose to what it is.
  bool progress_changed_ = false;
  std::vector<KeyId> dirty_;
  std::vector<std::string> forgotten_;  // Keys of entries.

  std::vector<ColumnBuilder> cells_;
  std::vector<std::int64_t> stamps_;
  std::vector<std::int64_t> intake_times_;
  std::int64_t stamp_ = kMinWatermark;
  std::int64_t intake_ = 0;
  std::vector<ColumnPtr> key_cells_;
  std::vector<KeyId> key_ids_;
  std::vector<std::uint32_t> late_;
};

}  // namespace leat::exec
