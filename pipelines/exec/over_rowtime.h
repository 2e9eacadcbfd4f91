// OVER in event time: rows wait until the watermark reaches their time; then they are applied in the order of
// their times, rows of equal time in the order of arrival, and given out. Every row comes out once.
//
// Which row is late depends on the frames, as in Flink:
//   a frame without a begin (or windows of several partitions): a row at or before the watermark.
//   frames with a begin: a row at or before the last row of its key that was given out; one that is behind
//   the watermark only is still taken, and goes with the next rise of the watermark. Where all frames are of
//   times, a key is forgotten some time after its last row (between one and one and a half times the
//   longest frame, in whole milliseconds, and one more); then rows of any age begin it anew. Where a later
//   row put that off, the time at which it was to be comes all the same, as Flink's timers do: rows up to it
//   are late from then on.
//   A time of 0 or less is always late.
//
// With a time to live a key of other frames is forgotten so long after its last row was given out, if none
// waits: by the intake time of the rows that come.
//
// Rows given out carry the watermark one microsecond before their time, or the last one before them if that
// is greater: they are not late behind the operator, and the watermarks do not decrease.
//
// State, under the node's fingerprint, beside that of OverWindows and KeyLifetimes:
//   "m"                => zigzag watermark, zigzag intake time of the last row
//   "p" sequence       => a waiting row (row_log.h)
//   "k" cells          => zigzag time up to which the key's rows are late, zigzag time at which it is
//                         forgotten [, zigzag times from which that was put off …]
//   "o" cells, zigzag time from which that was put off, which is still to come => nothing
// What stands in brackets the first version wrote in place of "o".
#pragma once

#include <compare>
#include <limits>
#include <queue>
#include <set>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/key_lifetimes.h"
#include "pipelines/exec/over_windows.h"

namespace leat::exec {

class OverRowtime final : public Operator {
 public:
  OverRowtime(const plan::OverNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  Status loaded() override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }
  [[nodiscard]] std::size_t memory_bytes() const override;
  [[nodiscard]] std::size_t key_count() const override { return windows_.key_count(); }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  struct Key {
    std::int64_t last_time = 0;  // Of the last row given out, or of what was put off since.
    std::int64_t forget_at = kNever;
    std::uint32_t waiting = 0;
    bool dirty = false;
    bool saved = false;
  };
  struct Waiting {
    std::int64_t time = 0;
    std::uint64_t sequence = 0;
    RowLog::Ref ref;
    KeyId key = 0;
    friend bool operator>(const Waiting& a, const Waiting& b) {
      return a.time != b.time ? a.time > b.time : a.sequence > b.sequence;
    }
  };
  struct Forgetting {
    std::int64_t time = 0;
    KeyId key = 0;
    friend auto operator<=>(const Forgetting&, const Forgetting&) = default;
  };
  template <class T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<>>;

  void take_row(const Batch& batch, std::size_t row, std::uint32_t segment);
  [[nodiscard]] bool is_late(const Key& key, std::int64_t time) const;
  void arm(KeyId id, std::int64_t time);
  Status fire_until(std::int64_t watermark, std::int64_t intake_time, Output& out);
  void fire_row(const Waiting& row, std::int64_t watermark_before, std::int64_t intake_time);
  void forget_due(std::int64_t time);
  void pass_put_off(const Forgetting& due);
  void forget(KeyId id, std::int64_t time);
  Status flush(Output& out, std::int64_t watermark_after);
  Batch gather_fired();
  void touch(KeyId id);
  void sweep();
  [[nodiscard]] std::string key_entry(KeyId id, char tag) const;
  [[nodiscard]] std::string put_off_entry(const Forgetting& put_off) const;
  Status load_key(ByteReader& key, ByteReader& value);
  Status load_put_off(ByteReader& key);

  OperatorContext context_;
  std::string fingerprint_;
  Schema input_schema_;
  std::vector<std::size_t> passed_;
  std::size_t time_column_;
  plan::OverNode::Lateness lateness_;
  OverWindows windows_;
  RowLog pending_;
  Earliest<Waiting> waiting_;
  // Of each key the time at which it is forgotten, and the earlier ones from which that was put off. All are
  // to come: nothing else forgets a key whose frames are all of times.
  Earliest<Forgetting> forgetting_;
  std::set<Forgetting> unsaved_put_offs_;  // Those without an entry.
  std::vector<Forgetting> loading_;        // Put-offs, until `loaded`.
  std::vector<Key> keys_;
  KeyLifetimes lifetimes_;
  std::vector<KeyId> dirty_;
  ErasedEntries erased_;
  OperatorCounters counters_;
  std::int64_t watermark_ = kMinWatermark;
  std::int64_t intake_time_ = 0;
  bool progress_changed_ = false;

  // Rows that fired since the last flush.
  std::vector<OverEvent> events_;
  std::vector<RowLog::Ref> fired_;
  std::vector<std::int64_t> fired_watermarks_;
  std::vector<std::int64_t> fired_intakes_;
  std::int64_t last_label_ = kMinWatermark;
  std::uint64_t run_ = 0;
  std::vector<std::uint32_t> late_rows_;
  std::vector<KeyId> key_ids_;
};

}  // namespace leat::exec
