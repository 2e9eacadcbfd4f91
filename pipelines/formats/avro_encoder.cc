#include "pipelines/formats/avro_encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipelines/base/time.h"
#include "pipelines/formats/read_cell.h"

namespace leat::formats {

/// One value, as the library sees it.
struct AvroEncoder::Cell {
  enum class Part : std::uint8_t {
    kValue,  ///< A cell, behind its union if it has one.
    kUnion,  ///< A cell and which branch it is.
    kEntry,  ///< Of a MAP: its key and its value, a record.
    kKey,
    kMissing,  ///< A field without a column: null, or a union with it.
    kNull,
  };
  AvroEncoder* encoder = nullptr;
  Part part = Part::kNull;
  const AvroNode* node = nullptr;
  const AvroShape* shape = nullptr;
  const Column* column = nullptr;  ///< Null: of the whole row.
  std::size_t row = 0;
  const std::string* field = nullptr;  ///< The one of a record that it is.
};

namespace {

std::int64_t integer_at(const Column& column, std::size_t row) {
  switch (column.type().layout()) {
    case Layout::kI8:
      return column.values<std::int8_t>()[row];
    case Layout::kI16:
      return column.values<std::int16_t>()[row];
    case Layout::kI32:
      return column.values<std::int32_t>()[row];
    default:
      return column.values<std::int64_t>()[row];
  }
}

bool is_millis(AvroLogical logical) {
  return logical == AvroLogical::kTimeMillis || logical == AvroLogical::kTimestampMillis;
}

/// Big-endian two's complement, as few bytes as hold it.
std::string big_endian(Int128 value) {
  std::string bytes;
  for (int i = 0; i < 16; ++i) {
    bytes.push_back(
        static_cast<char>(static_cast<std::uint8_t>(absl::Uint128Low64(static_cast<absl::uint128>(value)))));
    value >>= 8;
    const bool negative = static_cast<unsigned char>(bytes.back()) >= 0x80;
    if ((value == 0 && !negative) || (value == -1 && negative)) break;
  }
  std::ranges::reverse(bytes);
  return bytes;
}

avro_type_t type_of(const AvroNode& node) {
  switch (node.kind) {
    case AvroKind::kBoolean:
      return AVRO_BOOLEAN;
    case AvroKind::kInt:
      return AVRO_INT32;
    case AvroKind::kLong:
      return AVRO_INT64;
    case AvroKind::kFloat:
      return AVRO_FLOAT;
    case AvroKind::kDouble:
      return AVRO_DOUBLE;
    case AvroKind::kBytes:
    case AvroKind::kString:
      return AVRO_BYTES;
    case AvroKind::kEnum:
      return AVRO_ENUM;
    case AvroKind::kFixed:
      return AVRO_FIXED;
    case AvroKind::kRecord:
      return AVRO_RECORD;
    case AvroKind::kArray:
    case AvroKind::kMap:
      return AVRO_ARRAY;
    default:
      return AVRO_NULL;
  }
}

/// How many cells lie in each other at most.
std::size_t depth_of(const AvroShape& shape) {
  constexpr std::size_t kOwn = 3;  // The union, the value, the entry of a MAP.
  std::size_t deepest = 1;         // A key, a field without a column: a union and null.
  for (const AvroShape& child : shape.children) deepest = std::max(deepest, depth_of(child));
  return deepest + kOwn;
}

}  // namespace

/// The functions that the library calls.
struct AvroEncoder::Answers {
  using Iface = const avro_value_iface_t*;
  using Part = Cell::Part;

  static const Cell& at(const void* self) { return *static_cast<const Cell*>(self); }
  static int answer(bool good) { return good ? 0 : kAvroRefused; }

  static avro_type_t type(Iface /*iface*/, const void* self) {
    const Cell& cell = at(self);
    switch (cell.part) {
      case Part::kUnion:
        return AVRO_UNION;
      case Part::kEntry:
        return AVRO_RECORD;
      case Part::kKey:
        return AVRO_BYTES;
      case Part::kMissing:
        return cell.node->kind == AvroKind::kUnion ? AVRO_UNION : AVRO_NULL;
      case Part::kNull:
        return AVRO_NULL;
      case Part::kValue:
        break;
    }
    return type_of(*cell.node);
  }

  static int boolean(Iface /*iface*/, const void* self, int* out) {
    *out = at(self).column->values<std::uint8_t>()[at(self).row] != 0 ? 1 : 0;
    return 0;
  }
  static int int64(Iface /*iface*/, const void* self, std::int64_t* out) {
    const Cell& cell = at(self);
    *out = integer_at(*cell.column, cell.row);
    if (is_millis(cell.node->logical) && !cell.column->type().is_integer())
      *out = floor_div(*out, kMicrosPerMilli);
    return 0;
  }
  static int int32(Iface iface, const void* self, std::int32_t* out) {
    std::int64_t value = 0;
    int64(iface, self, &value);
    *out = static_cast<std::int32_t>(value);
    return 0;
  }
  static int float32(Iface /*iface*/, const void* self, float* out) {
    *out = at(self).column->values<float>()[at(self).row];
    return 0;
  }
  static int float64(Iface /*iface*/, const void* self, double* out) {
    const Cell& cell = at(self);
    *out = cell.column->type().kind() == TypeKind::kFloat ? cell.column->values<float>()[cell.row]
                                                          : cell.column->values<double>()[cell.row];
    return 0;
  }
  static int null(Iface /*iface*/, const void* /*self*/) { return 0; }
  static int bytes(Iface /*iface*/, const void* self, const void** bytes, std::size_t* size) {
    std::string_view found;
    if (!at(self).encoder->give_bytes(at(self), found)) return kAvroRefused;
    // Not even nothing may be nowhere.
    *bytes = found.empty() ? "" : found.data();
    *size = found.size();
    return 0;
  }
  static int symbol(Iface /*iface*/, const void* self, int* out) {
    return answer(at(self).encoder->give_symbol(at(self), *out));
  }

  static int size(Iface /*iface*/, const void* self, std::size_t* out) {
    const Cell& cell = at(self);
    if (cell.part == Part::kEntry)
      *out = 2;
    else if (cell.node->kind == AvroKind::kRecord)
      *out = cell.node->children.size();
    else
      *out = cell.column->offsets()[cell.row + 1] - cell.column->offsets()[cell.row];
    return 0;
  }
  static int child(Iface /*iface*/, const void* self, std::size_t index, avro_value_t* out,
                   const char** /*name*/) {
    const Cell& cell = at(self);
    Cell& below = cell.encoder->below(cell);
    *out = value(below);
    return answer(cell.encoder->give_child(cell, index, below));
  }
  static int discriminant(Iface /*iface*/, const void* self, int* out) {
    const Cell& cell = at(self);
    *out = static_cast<int>(is_null(cell) ? null_branch(cell) : cell.shape->value_branch);
    return 0;
  }
  static int branch(Iface /*iface*/, const void* self, avro_value_t* out) {
    const Cell& cell = at(self);
    Cell& below = cell.encoder->below(cell);
    below = cell;
    below.field = nullptr;
    below.part = is_null(cell) ? Part::kNull : Part::kValue;
    *out = value(below);
    return 0;
  }
  static bool is_null(const Cell& cell) {
    return cell.part == Part::kMissing || cell.column->is_null(cell.row);
  }
  static std::uint32_t null_branch(const Cell& cell) {
    if (cell.part != Part::kMissing) return cell.shape->null_branch;
    const auto& branches = cell.node->children;
    const auto null = std::ranges::find_if(
        branches, [&](AvroIndex branch) { return cell.encoder->schema_.at(branch).kind == AvroKind::kNull; });
    return static_cast<std::uint32_t>(null - branches.begin());
  }

  static avro_value_t value(Cell& cell) {
    static avro_value_iface_t iface = [] {
      avro_value_iface_t made{};
      made.get_type = type;
      made.get_boolean = boolean;
      made.get_bytes = bytes;
      made.get_double = float64;
      made.get_float = float32;
      made.get_int = int32;
      made.get_long = int64;
      made.get_null = null;
      made.get_enum = symbol;
      made.get_fixed = bytes;
      made.get_size = size;
      made.get_by_index = child;
      made.get_discriminant = discriminant;
      made.get_current_branch = branch;
      return made;
    }();
    return {&iface, &cell};
  }
};

AvroEncoder::AvroEncoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema,
                         const Schema& columns)
    : schema_(std::move(schema)) {
  std::vector<std::string> errors;  // The format has judged them all.
  shape_ = match_avro(schema_, columns.fields, AvroUse::kWrite, errors);
  cells_.resize(depth_of(shape_));
  if (framing == AvroFraming::kNone) return;
  header_.push_back('\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    header_.push_back(static_cast<char>(options.schema_id.value_or(0) >> shift));
}

AvroEncoder::~AvroEncoder() = default;

void AvroEncoder::encode(const Batch& batch, EncodedSink& out,
                         std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  batch_ = &batch;
  for (std::size_t row = 0; row < batch.size; ++row) {
    cells_[0] = {.encoder = this,
                 .part = Cell::Part::kValue,
                 .node = &schema_.at(shape_.node),
                 .shape = &shape_,
                 .row = row};
    avro_value_t value = Answers::value(cells_[0]);
    std::string_view message;
    if (writer_.write(header_, value, message))
      out.record(row, message);
    else
      bad.emplace_back(static_cast<std::uint32_t>(row), std::move(reason_));
  }
}

AvroEncoder::Cell& AvroEncoder::below(const Cell& cell) {
  return cells_[static_cast<std::size_t>(&cell - cells_.data()) + 1];
}

bool AvroEncoder::give_child(const Cell& cell, std::size_t index, Cell& child) {
  child = {.encoder = this};
  if (cell.part == Cell::Part::kEntry) return give_entry_part(cell, index, child);
  if (cell.node->kind == AvroKind::kRecord) return give_field(cell, index, child);
  const std::size_t row = cell.column->offsets()[cell.row] + index;
  if (cell.node->kind == AvroKind::kArray)
    return give_cell(cell.shape->children[0], *cell.column->child(0), row, child);
  child = cell;
  child.field = nullptr;
  child.part = Cell::Part::kEntry;
  child.row = row;
  return true;
}

/// The row of an entry is that of the MAP's keys and values.
bool AvroEncoder::give_entry_part(const Cell& cell, std::size_t index, Cell& child) {
  if (index > 0) return give_cell(cell.shape->children[0], *cell.column->child(1), cell.row, child);
  child.part = Cell::Part::kKey;
  child.column = cell.column->child(0).get();
  child.row = cell.row;
  return !child.column->is_null(cell.row) || fail(child, "a MAP with a NULL key, which Avro has not");
}

bool AvroEncoder::give_field(const Cell& cell, std::size_t index, Cell& child) {
  const std::uint32_t column = cell.shape->columns[index];
  child.field = &cell.node->names[index];
  if (column != AvroShape::kNoColumn)
    return give_cell(cell.shape->children[column],
                     cell.column == nullptr ? *batch_->columns[column] : *cell.column->child(column),
                     cell.row, child);
  child.part = Cell::Part::kMissing;
  child.node = &schema_.at(cell.node->children[index]);
  return true;
}

bool AvroEncoder::give_cell(const AvroShape& shape, const Column& column, std::size_t row, Cell& child) {
  child.part = shape.is_union ? Cell::Part::kUnion : Cell::Part::kValue;
  child.node = &schema_.at(shape.node);
  child.shape = &shape;
  child.column = &column;
  child.row = row;
  // A NOT NULL column has no NULL but where an outer join or the like has made one in spite of it.
  const bool fits = !column.is_null(row) || (shape.is_union && shape.null_branch != AvroShape::kNoBranch);
  return fits || fail(child, "NULL, which the schema does not have there");
}

bool AvroEncoder::give_bytes(const Cell& cell, std::string_view& bytes) {
  const bool decimal = cell.column->type().kind() == TypeKind::kDecimal;
  bytes = decimal ? decimal_of(cell) : cell.column->strings()[cell.row];
  if (cell.part == Cell::Part::kKey || cell.node->kind != AvroKind::kFixed) return true;
  return bytes.size() == cell.node->size ||
         fail(cell, fmt::format("{} bytes, where {} has {}", bytes.size(), cell.node->name, cell.node->size));
}

std::string_view AvroEncoder::decimal_of(const Cell& cell) {
  const Int128 value = cell.column->values<Int128>()[cell.row];
  decimal_ = big_endian(value);
  if (cell.node->kind == AvroKind::kFixed && decimal_.size() <= cell.node->size)
    decimal_.insert(0, cell.node->size - decimal_.size(), value < 0 ? '\xff' : '\0');
  return decimal_;
}

bool AvroEncoder::give_symbol(const Cell& cell, std::int32_t& symbol) {
  const AvroNode& node = *cell.node;
  const std::string_view text = cell.column->strings()[cell.row];
  const auto found = std::ranges::find(node.names, text);
  if (found == node.names.end())
    return fail(cell, "enum " + node.name + " has no symbol '" + shown(text) + "'");
  symbol = static_cast<std::int32_t>(found - node.names.begin());
  return true;
}

/// "field 'a': field 'b': …".
bool AvroEncoder::fail(const Cell& cell, std::string reason) {
  for (const Cell* around = &cell;; --around) {
    if (around->field != nullptr) reason = "field '" + *around->field + "': " + reason;
    if (around == cells_.data()) break;
  }
  reason_ = std::move(reason);
  return false;
}

}  // namespace leat::formats
