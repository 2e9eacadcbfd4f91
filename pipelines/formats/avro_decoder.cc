#include "pipelines/formats/avro_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "pipelines/formats/avro_value.h"
#include "pipelines/formats/utf8.h"

namespace leat::formats {

/// The consumer of one place of the schema.
struct AvroDecoder::Place : avro_consumer_t {
  AvroDecoder* decoder = nullptr;
  const AvroNode* node = nullptr;
  const AvroShape* shape = nullptr;  ///< Null: nobody wants it.
  AvroTypePtr type;
  /// record: its fields. array: the element. map: the entry. An entry: the key, the value, the value if
  /// nobody wants it. union: the number of the branch, the branches.
  std::vector<Place*> children;
};

/// The functions that the library calls.
struct AvroDecoder::Calls {
  static Place& place(avro_consumer_t* consumer) { return static_cast<Place&>(*consumer); }
  static Level& level(void* data) { return *static_cast<Level*>(data); }
  static int answer(bool good) { return good ? 0 : kAvroRefused; }

  /// A child of a value, and where the library is told of it.
  struct Child {
    avro_consumer_t** consumer;
    void** data;

    int is(Place& place, const Level& parent, ColumnBuilder* out) const {
      *consumer = &place;
      *data = place.decoder->below(parent, out);
      return answer(*data != nullptr);
    }
  };

  static int null(avro_consumer_t* consumer, void* data) {
    return answer(place(consumer).decoder->take_bytes(place(consumer), level(data), ""));
  }
  static int boolean(avro_consumer_t* consumer, int value, void* data) {
    return answer(place(consumer).decoder->take_boolean(level(data), value));
  }
  static int int32(avro_consumer_t* consumer, std::int32_t value, void* data) {
    return answer(place(consumer).decoder->take_integer(place(consumer), level(data), value));
  }
  static int int64(avro_consumer_t* consumer, std::int64_t value, void* data) {
    return answer(place(consumer).decoder->take_integer(place(consumer), level(data), value));
  }
  static int float32(avro_consumer_t* /*consumer*/, float value, void* data) {
    if (ColumnBuilder* const out = level(data).out) append_avro_floating(value, *out);
    return 0;
  }
  static int float64(avro_consumer_t* /*consumer*/, double value, void* data) {
    if (ColumnBuilder* const out = level(data).out) append_avro_floating(value, *out);
    return 0;
  }
  static int bytes(avro_consumer_t* consumer, const void* value, std::size_t size, void* data) {
    const std::string_view given(static_cast<const char*>(value), size);
    return answer(place(consumer).decoder->take_bytes(place(consumer), level(data), given));
  }

  /// A ROW is closed before it has its fields: the library does not say when it has them all, and a message
  /// that lacks some is taken back as a whole.
  static int record(avro_consumer_t* /*consumer*/, void* data) {
    if (ColumnBuilder* const out = level(data).out) out->close_nested();
    return 0;
  }
  static int field(avro_consumer_t* consumer, unsigned index, avro_consumer_t** child, void** child_data,
                   void* data) {
    const Place& record = place(consumer);
    Level& at = level(data);
    at.field = &record.node->names[index];
    const std::uint32_t column =
        record.shape != nullptr ? record.shape->columns[index] : AvroShape::kNoColumn;
    ColumnBuilder* out = nullptr;
    if (column != AvroShape::kNoColumn)
      out = &record == record.decoder->root_ ? record.decoder->columns_[column] : &at.out->child(column);
    return Child{child, child_data}.is(*record.children[index], at, out);
  }

  static int branch_number(avro_consumer_t* /*consumer*/, std::int64_t value, void* data) {
    level(data).branch = value;
    return 0;
  }
  static int union_part(avro_consumer_t* consumer, unsigned index, avro_consumer_t** child, void** child_data,
                        void* data) {
    const Place& whole = place(consumer);
    const Level& at = level(data);
    if (index == 0) {
      *child = whole.children[0];
      *child_data = data;
      return 0;
    }
    ColumnBuilder* out = at.out;
    if (!whole.decoder->choose_branch(whole, at, out)) return kAvroRefused;
    return Child{child, child_data}.is(*whole.children[1 + static_cast<std::size_t>(at.branch)], at, out);
  }

  static int block(avro_consumer_t* consumer, int first, unsigned count, void* data) {
    return answer(place(consumer).decoder->begin_block(place(consumer), level(data), first != 0, count == 0));
  }
  static int element(avro_consumer_t* consumer, unsigned /*index*/, avro_consumer_t** child,
                     void** child_data, void* data) {
    const Place& array = place(consumer);
    const Level& at = level(data);
    if (!array.decoder->begin_item(at)) return kAvroRefused;
    return Child{child, child_data}.is(*array.children[0], at,
                                       at.out != nullptr ? &at.out->child(0) : nullptr);
  }
  /// It gets the builder of the MAP.
  static int entry(avro_consumer_t* consumer, unsigned /*index*/, avro_consumer_t** child, void** child_data,
                   void* data) {
    const Place& map = place(consumer);
    const Level& at = level(data);
    AvroDecoder& decoder = *map.decoder;
    if (!decoder.begin_item(at)) return kAvroRefused;
    return Child{child, child_data}.is(*map.children[0], at, decoder.is_dead_entry() ? nullptr : at.out);
  }
  static int entry_part(avro_consumer_t* consumer, unsigned index, avro_consumer_t** child, void** child_data,
                        void* data) {
    const Place& entry = place(consumer);
    Level& at = level(data);
    const std::size_t part = index > 0 && at.out == nullptr ? 2 : index;
    const Child told{child, child_data};
    if (at.out == nullptr) return told.is(*entry.children[part], at, nullptr);
    at.in_entry = true;
    return told.is(*entry.children[part], at, &at.out->child(index));
  }
  static int key(avro_consumer_t* consumer, const void* value, std::size_t size, void* data) {
    return answer(place(consumer).decoder->take_key(level(data), {static_cast<const char*>(value), size}));
  }
};

namespace {

// Columns lie in each other 64 deep at most. Of each, a union, a map and an entry of it may be around the
// next.
constexpr std::size_t kLevels = 300;
constexpr std::size_t kNamesOfPath = 16;
constexpr std::size_t kKeptKeys = 64 << 10;  // What a message with more of them took is given back.
constexpr std::size_t kParts = 2;  // Of an entry: key and value. Of a union: the branch's number and value.

AvroTypePtr type_of(const AvroNode& node) {
  switch (node.kind) {
    case AvroKind::kBoolean:
      return AvroTypePtr(avro_schema_boolean());
    case AvroKind::kInt:
      return AvroTypePtr(avro_schema_int());
    case AvroKind::kLong:
    case AvroKind::kEnum:
      return AvroTypePtr(avro_schema_long());
    case AvroKind::kFloat:
      return AvroTypePtr(avro_schema_float());
    case AvroKind::kDouble:
      return AvroTypePtr(avro_schema_double());
    case AvroKind::kBytes:
    case AvroKind::kString:
      return AvroTypePtr(avro_schema_bytes());
    case AvroKind::kFixed:
      return node.empty ? AvroTypePtr(avro_schema_null()) : avro_fixed_type(node.size);
    default:
      return AvroTypePtr(avro_schema_null());
  }
}

}  // namespace

AvroDecoder::AvroDecoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema,
                         const DecodeRequest& request)
    : options_(options),
      framing_(framing),
      schema_(std::move(schema)),
      passed_(schema_.nodes.size(), nullptr),
      levels_(kLevels) {
  Type::Fields wanted;
  for (const std::size_t index : request.wanted) wanted.push_back(request.schema.fields[index]);
  std::vector<std::string> errors;  // The format has judged them all.
  shape_ = match_avro(schema_, wanted, AvroUse::kRead, errors);
  root_ = &record_place(schema_.at(shape_.node), &shape_);
}

AvroDecoder::~AvroDecoder() = default;

// ---- Places ----------------------------------------------------------------------------------------------

AvroDecoder::Place& AvroDecoder::new_place(const AvroNode& node, const AvroShape* shape, AvroTypePtr type) {
  auto place = std::make_unique<Place>();
  place->schema = type.get();
  place->decoder = this;
  place->node = &node;
  place->shape = shape;
  place->type = std::move(type);
  return *places_.emplace_back(std::move(place));
}

/// `index` is the node of the shape, or the union that it is a branch of.
AvroDecoder::Place& AvroDecoder::wanted_place(const AvroShape& shape, AvroIndex index) {
  return shape.is_union ? union_place(schema_.at(index), &shape) : value_place(shape);
}

AvroDecoder::Place& AvroDecoder::value_place(const AvroShape& shape) {
  const AvroNode& node = schema_.at(shape.node);
  switch (node.kind) {
    case AvroKind::kRecord:
      return record_place(node, &shape);
    case AvroKind::kArray:
      return array_place(node, &shape);
    case AvroKind::kMap:
      return map_place(node, &shape);
    default:
      return scalar_place(node, &shape);
  }
}

/// One place serves wherever the node is; one of a record is there before its fields, which may be it again.
AvroDecoder::Place& AvroDecoder::passed_place(AvroIndex index) {
  if (passed_[index] != nullptr) return *passed_[index];
  const AvroNode& node = schema_.at(index);
  // What has no bytes is nothing, however much of it there is: records of records of nothing have no end.
  if (node.empty) return *(passed_[index] = &scalar_place(node, nullptr));
  switch (node.kind) {
    case AvroKind::kRecord:
      return record_place(node, nullptr);
    case AvroKind::kArray:
      return *(passed_[index] = &array_place(node, nullptr));
    case AvroKind::kMap:
      return *(passed_[index] = &map_place(node, nullptr));
    case AvroKind::kUnion:
      return *(passed_[index] = &union_place(node, nullptr));
    default:
      return *(passed_[index] = &scalar_place(node, nullptr));
  }
}

AvroDecoder::Place& AvroDecoder::scalar_place(const AvroNode& node, const AvroShape* shape) {
  Place& place = new_place(node, shape, type_of(node));
  place.null_value = Calls::null;
  place.boolean_value = Calls::boolean;
  place.int_value = Calls::int32;
  place.long_value = Calls::int64;
  place.float_value = Calls::float32;
  place.double_value = Calls::float64;
  place.bytes_value = Calls::bytes;
  place.fixed_value = Calls::bytes;
  return place;
}

AvroDecoder::Place& AvroDecoder::record_place(const AvroNode& node, const AvroShape* shape) {
  Place& place = new_place(node, shape, avro_record_type(node.children.size()));
  place.record_start = Calls::record;
  place.record_field = Calls::field;
  if (shape == nullptr) passed_[static_cast<std::size_t>(&node - schema_.nodes.data())] = &place;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::uint32_t column = shape != nullptr ? shape->columns[i] : AvroShape::kNoColumn;
    place.children.push_back(column == AvroShape::kNoColumn
                                 ? &passed_place(node.children[i])
                                 : &wanted_place(shape->children[column], node.children[i]));
  }
  return place;
}

AvroDecoder::Place& AvroDecoder::array_place(const AvroNode& node, const AvroShape* shape) {
  Place& place = new_place(node, shape, avro_array_type());
  place.array_start_block = Calls::block;
  place.array_element = Calls::element;
  const AvroIndex element = node.children[0];
  place.children = {shape != nullptr ? &wanted_place(shape->children[0], element) : &passed_place(element)};
  return place;
}

AvroDecoder::Place& AvroDecoder::map_place(const AvroNode& node, const AvroShape* shape) {
  Place& place = new_place(node, shape, avro_array_type());
  place.array_start_block = Calls::block;
  place.array_element = Calls::entry;
  Place& entry = new_place(node, shape, avro_record_type(kParts));
  entry.record_field = Calls::entry_part;
  Place& key = new_place(node, shape, AvroTypePtr(avro_schema_bytes()));
  key.bytes_value = Calls::key;
  Place& passed = passed_place(node.children[0]);
  Place& value = shape != nullptr ? wanted_place(shape->children[0], node.children[0]) : passed;
  entry.children = {&key, &value, &passed};
  place.children = {&entry};
  return place;
}

AvroDecoder::Place& AvroDecoder::union_place(const AvroNode& node, const AvroShape* shape) {
  Place& place = new_place(node, shape, avro_record_type(kParts));
  place.record_field = Calls::union_part;
  Place& number = new_place(node, shape, AvroTypePtr(avro_schema_long()));
  number.long_value = Calls::branch_number;
  place.children = {&number};
  for (std::uint32_t i = 0; i < node.children.size(); ++i) {
    const bool wanted = shape != nullptr && i == shape->value_branch;
    place.children.push_back(wanted ? &value_place(*shape) : &passed_place(node.children[i]));
  }
  return place;
}

// ---- Messages --------------------------------------------------------------------------------------------

DecodeCount AvroDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                std::vector<BadRecord>& bad) {
  DecodeCount count;
  // A record without any field has no bytes.
  if (payload.empty() && !schema_.at(schema_.root).empty) {
    ++count.empty;
    return count;
  }
  const std::size_t rows = columns.empty() ? 0 : columns[0]->size();
  bool read = read_message(payload, columns);
  if (read && (misfit_ || !dead_.empty())) {
    // Of equal keys the last wins: once more without the others.
    for (ColumnBuilder* const column : columns) column->truncate(rows);
    std::ranges::sort(dead_);
    first_ = false;
    read = read_message(payload, columns);
  }
  forget();
  if (read) {
    ++count.decoded;
    ++count.rows;
    return count;
  }
  for (ColumnBuilder* const column : columns) column->truncate(rows);
  if (options_.ignore_parse_errors)
    ++count.skipped;
  else
    bad.push_back({payload, std::move(reason_)});
  return count;
}

bool AvroDecoder::read_message(std::string_view payload, std::span<ColumnBuilder* const> columns) {
  reason_.clear();
  columns_ = columns;
  std::string_view record = payload;
  if (framing_ == AvroFraming::kConfluent && !take_header(record)) return false;
  const bool read = read_record(record);
  const std::size_t left = reader_.left();
  if (!read) reason_ += fmt::format(" (at byte {})", payload.size() - left);
  if (!read || left == 0) return read;
  return fail(fmt::format("{} bytes behind the record: another schema wrote it", left));
}

bool AvroDecoder::take_header(std::string_view& payload) {
  constexpr std::size_t kHeader = 5;
  if (payload.size() < kHeader || payload[0] != '\0')
    return fail(
        "no message of a schema registry: one begins with a zero byte and the schema's id, four bytes");
  std::uint32_t id = 0;
  for (const char byte : payload.substr(1, kHeader - 1)) id = id << 8 | static_cast<unsigned char>(byte);
  payload.remove_prefix(kHeader);
  if (!options_.schema_id || *options_.schema_id == id) return true;
  return fail(fmt::format("schema {}, and 'avro-confluent.schema-id' is {}", id, *options_.schema_id));
}

bool AvroDecoder::read_record(std::string_view bytes) {
  size_ = bytes.size();
  depth_ = 0;
  items_ = 0;
  entries_ = 0;
  next_dead_ = 0;
  levels_[0] = {};
  const int result = reader_.read(bytes, *root_, &levels_[0]);
  if (result != 0) say_broken(result);
  return result == 0;
}

/// "field 'a.b': …", of the value that began last.
void AvroDecoder::say_broken(int result) {
  if (result == EINVAL)
    reason_ = "a negative length";
  else if (result == ERANGE)
    reason_ = "an int of more than 32 bits";
  else if (result == EILSEQ)
    reason_ = "a number of more than ten bytes";
  else if (result != kAvroRefused)
    reason_ = "the message ends too early: it is cut, or another schema wrote it";
  std::string path;
  std::size_t names = 0;
  for (std::size_t i = 0; i <= depth_ && names <= kNamesOfPath; ++i) {
    if (levels_[i].field == nullptr) continue;
    if (!path.empty()) path += '.';
    path += names++ < kNamesOfPath ? *levels_[i].field : "…";
  }
  if (!path.empty()) reason_.insert(0, "field '" + path + "': ");
}

/// What was found out about the message.
void AvroDecoder::forget() {
  if (key_bytes_.capacity() > kKeptKeys) key_bytes_ = {};
  if (keys_.capacity() > kKeptKeys) keys_ = {};
  if (dead_.capacity() > kKeptKeys) dead_ = {};
  key_bytes_.clear();
  keys_.clear();
  dead_.clear();
  first_ = true;
  misfit_ = false;
}

// ---- What the library tells ------------------------------------------------------------------------------

/// Null: nested too deep.
AvroDecoder::Level* AvroDecoder::below(const Level& level, ColumnBuilder* out) {
  depth_ = static_cast<std::size_t>(&level - levels_.data()) + 1;
  if (depth_ == levels_.size()) {
    --depth_;
    fail("nested too deep");
    return nullptr;
  }
  levels_[depth_] = {.out = out, .in_entry = level.in_entry};
  return &levels_[depth_];
}

/// `out` becomes null where the branch is null.
bool AvroDecoder::choose_branch(const Place& place, const Level& level, ColumnBuilder*& out) {
  const auto branch = static_cast<std::uint64_t>(level.branch);
  if (branch >= place.node->children.size())
    return fail(fmt::format("no such branch of a union: {}", level.branch));
  if (place.shape == nullptr || branch == place.shape->value_branch) return true;
  if (branch != place.shape->null_branch) return fail(fmt::format("no such branch of a union: {}", branch));
  if (!place.shape->type.nullable()) {
    if (!misfit(level, "null, and its column is NOT NULL")) return false;
  } else {
    out->append_null();
  }
  out = nullptr;
  return true;
}

/// The library has cut the number of items to 32 bits: the last block can be one of 2³² items, which come
/// then.
bool AvroDecoder::begin_block(const Place& place, Level& level, bool first, bool last) {
  depth_ = static_cast<std::size_t>(&level - levels_.data());
  if (level.closed) return fail("a block of too many items");
  if (first) level.first_key = keys_.size();
  level.closed = last;
  if (!last || level.out == nullptr) return true;
  if (place.node->kind == AvroKind::kMap) end_map(level);
  level.out->close_nested();
  return true;
}

/// Each item has a byte at least, so that a message of some bytes does not announce endless ones of nothing.
bool AvroDecoder::begin_item(const Level& level) {
  depth_ = static_cast<std::size_t>(&level - levels_.data());
  if (level.closed) return fail("a block of too many items");
  return ++items_ <= size_ || fail("more items than bytes");
}

/// Of the entries of a message each is asked once, in their order.
bool AvroDecoder::is_dead_entry() {
  const std::uint64_t entry = entries_++;
  if (next_dead_ == dead_.size() || first_ || dead_[next_dead_] != entry) return false;
  ++next_dead_;
  return true;
}

bool AvroDecoder::take_key(const Level& level, std::string_view key) {
  if (level.out == nullptr) return true;
  if (!valid_utf8(key)) return fail("a key that is no UTF-8");
  level.out->append_string(key);
  keys_.push_back({key_bytes_.size(), key.size(), entries_ - 1});
  key_bytes_ += key;
  return true;
}

/// The last of several equal keys wins; the entries stay in the order of the message.
void AvroDecoder::end_map(const Level& level) {
  const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(level.first_key);
  if (keys_.end() - begin > 1) {
    std::unordered_set<std::string_view> later;
    for (auto key = keys_.end(); key != begin;) {
      --key;
      const std::string_view text = std::string_view(key_bytes_).substr(key->begin, key->size);
      if (!later.insert(text).second) dead_.push_back(key->entry);
    }
  }
  if (begin != keys_.end()) key_bytes_.resize(begin->begin);
  keys_.erase(begin, keys_.end());
}

bool AvroDecoder::take_boolean(const Level& level, int value) {
  if (level.out == nullptr) return true;
  if (value != 0 && value != 1) return misfit(level, fmt::format("no boolean: {}", value));
  level.out->append(static_cast<std::uint8_t>(value));
  return true;
}

bool AvroDecoder::take_integer(const Place& place, const Level& level, std::int64_t value) {
  if (level.out == nullptr) return true;
  ColumnBuilder& out = *level.out;
  if (place.node->kind == AvroKind::kEnum) return take_symbol(*place.node, level, value);
  return append_avro_integer(*place.node, value, out) ||
         misfit(level, fmt::format("{} is out of the range of {}", value, out.type().to_string()));
}

bool AvroDecoder::take_symbol(const AvroNode& node, const Level& level, std::int64_t number) {
  if (static_cast<std::uint64_t>(number) >= node.names.size())
    return misfit(level, fmt::format("no such symbol of the enum: {}", number));
  level.out->append_string(node.names[static_cast<std::size_t>(number)]);
  return true;
}

bool AvroDecoder::take_bytes(const Place& place, const Level& level, std::string_view bytes) {
  if (level.out == nullptr) return true;
  ColumnBuilder& out = *level.out;
  if (place.node->kind == AvroKind::kString && !valid_utf8(bytes)) return misfit(level, "invalid UTF-8");
  if (out.type().kind() != TypeKind::kDecimal) return out.append_string(bytes), true;
  return append_avro_decimal(bytes, out) || misfit(level, "out of the range of " + out.type().to_string());
}

/// A value that is whole but not one of its column's. That of a dead entry would not count, and which are
/// dead is not known at first: it becomes NULL, and the message is read once more.
bool AvroDecoder::misfit(const Level& level, std::string reason) {
  if (!first_ || !level.in_entry) return fail(std::move(reason));
  misfit_ = true;
  level.out->append_null();
  return true;
}

bool AvroDecoder::fail(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

}  // namespace leat::formats
