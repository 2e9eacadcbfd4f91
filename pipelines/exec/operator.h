// Operators: pure and synchronous. They see batches and time only; whoever calls them owns the thread, the
// clock and the store.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/batch.h"

namespace leat::exec {

/// What happened to the rows that came into an operator, in rows, since the pipeline was first started.
/// Always: rows_in = passed + filtered + late + dead + applied.
struct OperatorCounters {
  std::uint64_t rows_in = 0;
  std::uint64_t passed = 0;    ///< Handed on as they are (a projection counts as that).
  std::uint64_t filtered = 0;  ///< Refused by a predicate, or without a rowtime where one is needed.
  std::uint64_t late = 0;
  std::uint64_t dead = 0;      ///< Could not be computed; gone to the dead letters.
  std::uint64_t applied = 0;   ///< Reached a window, a state or a sink.
  std::uint64_t rows_out = 0;  ///< Given out, whether passed on or made here.
  /// No rows: partial results that a bound of the user's made the operator give up. It saves them itself.
  std::uint64_t given_up = 0;
};

/// A row that could not be computed, or came late and is wanted.
class Rejects {
 public:
  virtual ~Rejects() = default;
  /// `row` of `batch` failed in the operator named `where`; `reason` is the whole sentence.
  virtual void dead(std::string_view where, const Schema& schema, const Batch& batch, std::size_t row,
                    std::string_view reason) = 0;
  /// `rows` of `batch` came too late for the operator named `where`.
  virtual void late(std::string_view where, const Schema& schema, const Batch& batch,
                    std::span<const std::uint32_t> rows) = 0;
};

/// An empty batch: no rows and no columns, only time.
inline Batch only_time(std::int64_t watermark_after) {
  Batch batch;
  batch.watermark_after = watermark_after;
  return batch;
}

/// Where an operator's rows go: the operators and sinks behind it.
class Output {
 public:
  virtual ~Output() = default;
  virtual Status emit(Batch batch) = 0;
  /// Time passed without rows: what comes next is not before `watermark`. `now` as in Operator::advance.
  virtual Status advance(std::int64_t watermark, std::int64_t now) = 0;
  /// To be asked in the midst of a batch that may take long, between rows that are whole: an error
  /// (cancelled) is to be given back. Operators that ask nothing are asked for at each batch.
  [[nodiscard]] virtual Status go_on() { return {}; }
};

/// One change of keyed state since the last commit.
struct StateChange {
  std::string node;  ///< The plan node's fingerprint.
  std::string key;
  bool erased = false;
  std::string value;
};

class StateChanges {
 public:
  virtual ~StateChanges() = default;
  virtual void put(std::string_view node, std::string_view key, std::string_view value) = 0;
  virtual void erase(std::string_view node, std::string_view key) = 0;
};

class Operator {
 public:
  virtual ~Operator() = default;

  /// Rows from input `input`. Splits the batch at a timer that is due inside it. A batch may be empty and
  /// only carry `watermark_after`. Errors (exhausted: a memory bound; internal) fail the pipeline; bad rows
  /// are no errors.
  virtual Status process(std::size_t input, const Batch& batch, Output& out) = 0;

  /// Time passed without rows: input `input` stands at `watermark`; `now` is the gateway's clock in
  /// microseconds. Emits what is due and hands its own watermark on by `out.advance`.
  virtual Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) = 0;

  /// It is `now` on the gateway's clock, in microseconds, and no row waits in front of the pipeline. For
  /// operators whose time is that clock and not the watermark; the others do nothing.
  virtual Status tick(std::int64_t now, Output& out) {
    (void)now;
    (void)out;
    return {};
  }

  /// Writes what changed since the last `save` (or `load`), and forgets that it changed.
  virtual void save(StateChanges& changes) { (void)changes; }
  /// Behind the `save` of all operators, and only if one of them wrote something: writes what time alone has
  /// changed since then. That is no reason to write by itself, or an idle pipeline would commit for ever.
  virtual void save_time(StateChanges& changes) { (void)changes; }
  /// One entry of the last commit, before the first `process`; called for every key in any order.
  /// Errors: corrupt.
  virtual Status load(std::string_view key, std::string_view value) {
    (void)key;
    (void)value;
    return {};
  }
  /// All entries are loaded.
  virtual Status loaded() { return {}; }

  /// Nothing that could still come in changes what it gives out: a LIMIT whose rows have come.
  [[nodiscard]] virtual bool sated() const { return false; }

  [[nodiscard]] virtual OperatorCounters counters() const = 0;
  /// Puts back what `counters` gave at the last commit.
  virtual void restore_counters(const OperatorCounters& counters) = 0;
  /// Bytes of state held, for 'leat.memory.max' and the metrics.
  [[nodiscard]] virtual std::size_t memory_bytes() const { return 0; }
  /// Keys (or partitions) held, for the metrics.
  [[nodiscard]] virtual std::size_t key_count() const { return 0; }
};

}  // namespace leat::exec
