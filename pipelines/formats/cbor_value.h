// One CBOR item into one column builder, by the column's type. Knows maps and values; records, framing and
// counts are CborDecoder's (cbor_decoder.h). Runs on its pipeline's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipelines/column/column_builder.h"
#include "pipelines/formats/cbor_options.h"
#include "pipelines/formats/cbor_reader.h"
#include "pipelines/formats/key_order.h"

namespace leat::formats {

struct CborFields;

/// How one column, field, element or entry is decoded.
struct CborNode {
  explicit CborNode(const Type& node_type);

  Type type;
  std::unique_ptr<CborFields> fields;  ///< ROW's.
  std::vector<CborNode> children;      ///< ARRAY: the element. MAP, MULTISET: the key and the value.
};

/// The fields that are wanted of one kind of map.
struct CborFields {
  struct Field {
    std::string name;
    CborNode node;
  };

  explicit CborFields(std::vector<Field> wanted);

  /// The field of the member that is the `position`-th of its map; kUnwantedField for none.
  std::uint32_t find(std::size_t& position, std::string_view key);

  std::vector<Field> fields;

 private:
  KeyOrder order_;
  std::unordered_map<std::string_view, std::uint32_t> by_name_;  // Views of the fields' names.
};

class CborValueDecoder {
 public:
  explicit CborValueDecoder(const CborOptions& options) : options_(options) {}

  /// Reads the map that `in` stands at and appends one row to `columns`, which hold `row` rows now. False:
  /// why is reason(), or the state of `in`; the columns may have more rows, and `in` stands anywhere.
  bool read_row(CborReader& in, CborFields& fields, std::span<ColumnBuilder* const> columns, std::size_t row);

  /// "field 'a.b': expected INT, found \"abc\"".
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  /// An item behind its tags, of which the innermost counts that means something here.
  struct Tagged {
    CborItem item;
    std::optional<std::uint64_t> tag;
  };

  static std::optional<std::int64_t> whole_of(const Tagged& value);
  bool next(CborReader& in, Tagged& out);
  template <class Columns>
  bool read_members(CborReader& in, const CborItem& map, CborFields& fields, Columns columns, std::size_t row,
                    int depth);
  template <class Columns>
  bool fill_missing(CborFields& fields, Columns columns, std::size_t row);
  bool read_key(CborReader& in, std::string_view& key);
  bool read_value(CborReader& in, CborNode& node, ColumnBuilder& out, int depth);
  bool store(CborReader& in, const Tagged& value, CborNode& node, ColumnBuilder& out, int depth);
  bool store_array(CborReader& in, const CborItem& array, CborNode& node, ColumnBuilder& out, int depth);
  bool store_map(CborReader& in, const CborItem& map, CborNode& node, ColumnBuilder& out, int depth);
  bool store_text(CborReader& in, const Tagged& value, ColumnBuilder& out);
  bool store_bytes(CborReader& in, const Tagged& value, ColumnBuilder& out);
  bool store_scalar(CborReader& in, const Tagged& value, const Type& type, ColumnBuilder& out);
  bool store_number(std::string_view digits, const Type& type, ColumnBuilder& out) const;
  bool store_moment(const Tagged& value, std::string_view text, const Type& type, ColumnBuilder& out) const;
  bool number_text(CborReader& in, const Tagged& value, std::string& out);
  bool fraction_text(CborReader& in, const Tagged& value, std::string& out);
  bool text_of(CborReader& in, const CborItem& item, std::string_view& out);

  bool mismatch(const Type& type, const std::string& found);
  bool in_field(const std::string& name);

  CborOptions options_;
  std::string scratch_;  // A string in parts.
  std::string digits_;   // A number as text.
  std::string reason_;
};

}  // namespace leat::formats
