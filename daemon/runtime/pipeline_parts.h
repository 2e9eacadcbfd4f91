// The inner parts of a Pipeline, shared by its source files only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/runtime/link_log.h"
#include "daemon/runtime/pipeline.h"

namespace leat::runtime {

/// One scan: its reader and, when bounded inputs are merged, the rows that wait for their turn.
struct Pipeline::Input {
  explicit Input(std::unique_ptr<SourceReader> from)
      : reader(std::move(from)),
        link_log(reader->rewinds() ? SourceLinkLog::Pauses::kKept : SourceLinkLog::Pauses::kTold) {}

  std::unique_ptr<SourceReader> reader;
  SourceLinkLog link_log;
  std::optional<exec::Prepared> held;
  std::size_t next = 0;                 // First row of `held` that is not pushed yet.
  std::vector<store::DeadLetter> dead;  // Of computing `held`\'s columns; they count when it is through.
  RowTap tap;                           // Who looks on at its rows.
  bool finished = false;                // The dataflow knows that nothing follows.
};

/// Where rows go: a table behind the outbox, a table without records (blackhole), or the listener of a bare
/// SELECT.
struct Pipeline::Target {
  const plan::SinkNode* node = nullptr;
  std::unique_ptr<SinkWriter> writer;  // Null for a bare SELECT.
  std::unique_ptr<Delivery> delivery;  // Null when nothing goes through the outbox.
  DeliveryLog delivery_log;
  RowTap tap;                      // Who looks on at its rows.
  SinkCounters listener_counters;  // Of a bare SELECT.
  std::uint64_t written = 0;       // Rows of a local table, or of a stream, in finished commits.
  std::uint64_t settled = 0;    // While stopping: attempts that came to an end, and since when no more has:
  std::int64_t settled_at = 0;  // monotonic; 0: not looked at yet.

  void restore(const SinkCounters& saved) {
    (writer ? writer->counters() : listener_counters) = saved;
    if (writer && (writer->table() || writer->stream()))
      written = saved.emitted;  // The rows were in the commit that counts them.
  }
  void count_written(const store::Commit& commit) {
    for (const store::TableRows& rows : commit.tables)
      if (writer && rows.table == writer->table())
        for (const Batch& batch : rows.batches) written += batch.size;
    for (const store::StreamRows& rows : commit.streams)
      if (writer && rows.stream == writer->stream()) written += rows.rows;
  }

  [[nodiscard]] const SinkCounters& counters() const {
    return writer ? writer->counters() : listener_counters;
  }
};

/// What the dataflow calls back.
class Pipeline::Hooks final : public exec::Environment {
 public:
  explicit Hooks(Pipeline& pipeline) : pipeline_(pipeline) {}

  Status output(std::size_t sink, const Batch& batch) override { return pipeline_.output(sink, batch); }
  void dead(std::string_view where, const Schema& schema, const Batch& batch, std::size_t row,
            std::string_view reason) override;
  /// Late rows are counted by the operator that refused them.
  void late(std::string_view, const Schema&, const Batch&, std::span<const std::uint32_t>) override {}

 private:
  Pipeline& pipeline_;  // Owns this.
};

}  // namespace leat::runtime
