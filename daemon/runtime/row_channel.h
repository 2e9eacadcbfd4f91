// Rows for somebody who looks on. The loop puts copies of some of its rows into a bounded ring, a reader's
// thread takes them out and renders them; the loop never waits, and what does not fit is counted as skipped.
//
//   RowChannel   the ring of one reader
//   RowTap       the readers of one table, on the loop: it copies a batch once for all of them, at most so
//                many rows a second, and hands them over a few times a second, as waking readers costs more
//                than copying; while nobody reads it costs the look at an empty list
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/column/batch.h"

namespace leat::runtime {

/// Rows [begin, begin + count) with copies of all their bytes: they keep no message and no state in memory.
Batch copy_rows(const Batch& batch, std::size_t begin, std::size_t count);
/// What a row takes, about.
std::uint64_t bytes_of_row(const Batch& batch, std::size_t row);

/// Lives as long as either side has it. All methods are for any thread.
class RowChannel {
 public:
  struct Bounds {
    std::uint64_t rows = 2'000;
    std::uint64_t bytes = 1U << 20U;
  };
  RowChannel(Schema schema, std::string time_zone)
      : RowChannel(std::move(schema), std::move(time_zone), Bounds()) {}
  RowChannel(Schema schema, std::string time_zone, const Bounds& bounds)
      : schema_(std::move(schema)), time_zone_(std::move(time_zone)), bounds_(bounds) {}

  [[nodiscard]] const Schema& schema() const { return schema_; }
  /// The pipeline's, in which local times are printed.
  [[nodiscard]] const std::string& time_zone() const { return time_zone_; }

  // ---- The side that has rows --------------------------------------------------------------------------

  /// Rows that were copied.
  struct Piece {
    std::shared_ptr<const Batch> rows;
    std::uint64_t bytes = 0;  ///< About.
  };
  /// In their order; those that do not fit are skipped, and so were `skipped` before them.
  void put(const std::vector<Piece>& pieces, std::uint64_t skipped = 0);
  /// A sentence for the reader, such as what became of bad records. The first few are kept.
  void note(std::string sentence);
  /// Nothing follows; the first reason stays.
  void end(std::string why);
  /// The reader has gone: nobody takes what is put in.
  [[nodiscard]] bool left() const;

  // ---- The reader --------------------------------------------------------------------------------------

  struct Seen {
    std::vector<std::shared_ptr<const Batch>> rows;
    std::uint64_t skipped = 0;  ///< Since the last call.
    std::vector<std::string> notes;
    std::optional<std::string> ended;  ///< Why; then nothing follows.
  };
  /// Waits until there is something to tell, at most so long.
  [[nodiscard]] Seen wait(std::chrono::milliseconds longest);
  void leave();

 private:
  const Schema schema_;
  const std::string time_zone_;
  const Bounds bounds_;

  mutable std::mutex mutex_;  // Guards what follows.
  std::condition_variable changed_;
  std::deque<Piece> ring_;
  std::uint64_t rows_ = 0;   // In the ring,
  std::uint64_t bytes_ = 0;  // and their bytes.
  std::uint64_t skipped_ = 0;
  std::vector<std::string> notes_;
  std::optional<std::string> ended_;
  bool left_ = false;
};

/// On the loop.
class RowTap {
 public:
  RowTap() = default;
  ~RowTap() { end("the pipeline has ended"); }
  RowTap(const RowTap&) = delete;
  RowTap& operator=(const RowTap&) = delete;

  /// Nobody reads: the caller need not call `rows`.
  [[nodiscard]] bool idle() const { return channels_.empty(); }
  void add(std::shared_ptr<RowChannel> channel);
  /// `monotonic` in microseconds: how many rows may be copied is a matter of time.
  void rows(const Batch& batch, std::int64_t monotonic);
  /// Time has passed: hands over what is due. To be called some times a second while it is not idle.
  void tick(std::int64_t monotonic);
  void end(const std::string& why);

 private:
  [[nodiscard]] std::size_t allowed(const Batch& batch, std::int64_t monotonic, std::uint64_t& bytes);

  void hand_over(std::int64_t monotonic);

  std::vector<std::shared_ptr<RowChannel>> channels_;
  std::vector<RowChannel::Piece> pending_;  // Copied and not handed over yet.
  std::uint64_t skipped_ = 0;               // The same.
  std::int64_t handed_over_ = 0;            // Monotonic, as the next.
  std::int64_t refilled_ = 0;
  double row_tokens_ = 0;
  double byte_tokens_ = 0;
};

}  // namespace leat::runtime
