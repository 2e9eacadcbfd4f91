// Rows that an operator keeps between batches, as the columns they came in: OVER's buffer and its frames. A
// row is found by where it lies; nothing is encoded before a commit asks for it, and what is gone by then
// never is. (RowStore keeps rows that stay long or are compared as bytes; here rows come and go in masses.)
//
// A segment is what one batch gave; its columns live until its last held row is released.
//
// State, under the node's fingerprint, for the log with the tag t:
//   key   := t fixed64 sequence (big endian)
//   value := cell…    (the kept columns, in order)
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/exec/operator.h"

namespace leat::exec {

class RowLog {
 public:
  struct Ref {
    std::uint32_t segment = 0;
    std::uint32_t row = 0;
  };

  /// `types` are those of the batches that come; `kept` the columns that are kept, ascending. `tag` tells the
  /// entries of this log from the operator's others.
  RowLog(std::vector<Type> types, std::vector<std::size_t> kept, char tag);

  /// A new segment over the kept columns of `batch`. Hold rows of it, then `settle` it.
  std::uint32_t open(const Batch& batch);
  Ref hold(std::uint32_t segment, std::size_t row);
  /// No more rows of the segment will be held.
  void settle(std::uint32_t segment);
  void release(Ref ref);

  /// The columns of a segment, by their places in the batches; those that are not kept are null.
  [[nodiscard]] const Batch& batch(Ref ref) const { return segments_[ref.segment].batch; }
  /// Order of arrival; never reused.
  [[nodiscard]] std::uint64_t sequence(Ref ref) const { return segments_[ref.segment].sequences[ref.row]; }

  /// Rows held.
  [[nodiscard]] std::size_t size() const { return held_; }
  /// True if much of the memory belongs to rows that are gone.
  [[nodiscard]] bool is_sparse() const { return rows_ > 4 * held_ + kFewRows; }
  /// Copies all held rows into dense segments. `refs` point to every reference there is; they are changed.
  void compact(const std::vector<Ref*>& refs);
  [[nodiscard]] std::size_t memory_bytes() const;

  void save(std::string_view node, StateChanges& changes);
  [[nodiscard]] bool owns(std::string_view key) const { return !key.empty() && key[0] == tag_; }
  /// Errors: corrupt.
  Status load(std::string_view key, std::string_view value);
  /// All are loaded: gives them in the order of their sequence numbers.
  Result<std::vector<Ref>> loaded();

 private:
  static constexpr std::size_t kFewRows = 65536;
  struct Segment {
    Batch batch;
    std::vector<std::uint64_t> sequences;  // By row; 0: not held.
    std::size_t held = 0;
    std::size_t bytes = 0;
    bool saved = false;
  };

  std::uint32_t add_segment(Batch batch, bool saved);
  void drop(std::uint32_t segment);
  [[nodiscard]] std::size_t bytes_of(const Batch& batch) const;
  [[nodiscard]] std::string key_of(std::uint64_t sequence) const;

  std::vector<Type> types_;
  std::vector<std::size_t> kept_;
  char tag_;
  std::vector<Segment> segments_;
  std::vector<std::uint32_t> free_;
  std::uint64_t next_sequence_ = 1;
  std::size_t held_ = 0;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::uint32_t> unsaved_;
  std::vector<std::uint64_t> gone_;               // Saved rows that were released.
  std::map<std::uint64_t, std::string> loading_;  // Until `loaded`.
};

}  // namespace leat::exec
