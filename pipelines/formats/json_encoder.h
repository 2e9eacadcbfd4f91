// Batches into JSON objects, one per row, to the letter as Flink's JSON format writes them.
#pragma once

#include <string>
#include <vector>

#include "pipelines/formats/format.h"
#include "pipelines/formats/json_options.h"

namespace leat::formats {

class JsonEncoder final : public Encoder {
 public:
  JsonEncoder(const JsonOptions& options, const Schema& schema);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  /// A field's name as it is written, `,"name":`, of which the first in an object goes without the comma, and
  /// what its type contains.
  struct Member {
    std::string key;
    std::vector<Member> fields;  // ROW: its fields. ARRAY, MAP, MULTISET: element or key and value.
  };

  // Each writes to `buffer_`; false: the row cannot be written.
  static Member member_of(const std::string& name, const Type& type);
  bool write_cell(const Column& column, const Member& member, std::size_t row);
  bool write_null();
  bool write_value(const Column& column, const Member& member, std::size_t row);  // Not of a NULL.
  void write_scalar(const Column& column, std::size_t row);
  void write_number(const Column& column, std::size_t row);
  bool write_row(const Column& column, const Member& member, std::size_t row);
  bool write_array(const Column& column, const Member& member, std::size_t row);
  void append_key(const Column& keys, std::size_t row);
  bool write_map(const Column& column, const Member& member, std::size_t row);
  bool write_member(const Column& column, const Member& member, std::size_t row, std::size_t begin);

  JsonOptions options_;
  std::vector<Member> members_;
  std::string buffer_;  // The record being written; reused, so that rows allocate nothing.
};

}  // namespace leat::formats
