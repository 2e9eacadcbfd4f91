// All values of a group in the order of their arrival: what FIRST_VALUE and LAST_VALUE keep where rows can be
// taken back, and what ARRAY_AGG, LISTAGG and JSON_ARRAYAGG are made of. Cells are kept encoded (codec.h), so
// that every type is served; taking a value back removes its earliest occurrence.
//
// head := varint next
// part := varint number => cell                (one per value; numbers grow with arrival)
#pragma once

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <map>
#include <string>

#include "pipelines/functions/aggregate_parts.h"

namespace leat::functions {

class CellSequence {
 public:
  struct Entry {
    std::string cell;
    PartMark mark;
  };
  using Entries = std::map<std::uint64_t, Entry>;

  /// In order of arrival.
  [[nodiscard]] const Entries& entries() const { return entries_; }

  void add(const std::string& cell);
  /// The earliest occurrence; nothing happens if there is none.
  void remove(const std::string& cell);
  void merge(const CellSequence& later);

  [[nodiscard]] std::size_t heap_bytes() const;

  void save(ByteWriter& out) const { out.varint(next_); }
  void load(ByteReader& in) { next_ = in.varint(); }
  void save_parts(PartChanges& changes);
  void unsave_parts(PartChanges& changes);
  Status load_part(std::string_view part, std::string_view value);

 private:
  void index_all();

  Entries entries_;
  PartLog<std::uint64_t> log_;
  std::uint64_t next_ = 0;
  std::size_t text_bytes_ = 0;
  // The numbers of each cell, ascending; made when the first row is taken back.
  absl::flat_hash_map<std::string, std::deque<std::uint64_t>> numbers_;
  bool indexed_ = false;
};

}  // namespace leat::functions
