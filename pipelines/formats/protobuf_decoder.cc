#include "pipelines/formats/protobuf_decoder.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_set>

#include "pipelines/base/time.h"
#include "pipelines/formats/read_cell.h"
#include "pipelines/formats/utf8.h"

namespace leat::formats {
namespace {

namespace pb = google::protobuf;
using Wire = pb::FieldDescriptor;

constexpr std::int64_t kNanosPerMicro = 1000;

bool read_number(WireReader& wire, WireType type, std::uint64_t& number) {
  if (type == WireType::kVarint) return wire.varint(number);
  return type == WireType::kFixed32 ? wire.fixed32(number) : wire.fixed64(number);
}

/// The number that a field's bits stand for; unsigned ones wrap around.
std::int64_t integer_of(const pb::FieldDescriptor& field, std::uint64_t bits) {
  switch (field.type()) {
    case Wire::TYPE_SINT32:
    case Wire::TYPE_SINT64:
      return from_zigzag(bits);
    case Wire::TYPE_UINT32:
    case Wire::TYPE_FIXED32:
      return static_cast<std::int64_t>(static_cast<std::uint32_t>(bits));
    case Wire::TYPE_INT32:
    case Wire::TYPE_SFIXED32:
    case Wire::TYPE_ENUM:
      return static_cast<std::int32_t>(bits);
    default:
      return static_cast<std::int64_t>(bits);
  }
}

double real_of(const pb::FieldDescriptor& field, std::uint64_t bits) {
  if (field.type() == Wire::TYPE_FLOAT)
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  return std::bit_cast<double>(bits);
}

void append_number(const pb::FieldDescriptor& field, std::uint64_t bits, const Type& type,
                   ColumnBuilder& out) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return out.append<std::uint8_t>(bits != 0 ? 1 : 0);
    case TypeKind::kInteger:
      return out.append(static_cast<std::int32_t>(integer_of(field, bits)));
    case TypeKind::kBigInt:
      return out.append(integer_of(field, bits));
    case TypeKind::kDecimal:
      return out.append(static_cast<Int128>(absl::uint128(bits)));
    case TypeKind::kFloat:
      return out.append(static_cast<float>(real_of(field, bits)));
    case TypeKind::kDouble:
      return out.append(real_of(field, bits));
    default:
      return out.append_null();
  }
}

/// By the name of its value; one that the schema does not know by its number.
void append_enum_name(const pb::FieldDescriptor& field, std::uint64_t bits, ColumnBuilder& out) {
  const auto number = static_cast<int>(static_cast<std::int32_t>(bits));
  const pb::EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
  out.append_string(value != nullptr ? value->name() : std::to_string(number));
}

std::uint64_t default_bits(const pb::FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case Wire::CPPTYPE_BOOL:
      return field.default_value_bool() ? 1 : 0;
    case Wire::CPPTYPE_INT32:
      return field.type() == Wire::TYPE_SINT32 ? to_zigzag(field.default_value_int32())
                                               : static_cast<std::uint64_t>(field.default_value_int32());
    case Wire::CPPTYPE_INT64:
      return field.type() == Wire::TYPE_SINT64 ? to_zigzag(field.default_value_int64())
                                               : static_cast<std::uint64_t>(field.default_value_int64());
    case Wire::CPPTYPE_UINT32:
      return field.default_value_uint32();
    case Wire::CPPTYPE_UINT64:
      return field.default_value_uint64();
    case Wire::CPPTYPE_FLOAT:
      return std::bit_cast<std::uint32_t>(field.default_value_float());
    case Wire::CPPTYPE_DOUBLE:
      return std::bit_cast<std::uint64_t>(field.default_value_double());
    case Wire::CPPTYPE_ENUM:
      return static_cast<std::uint64_t>(field.default_value_enum()->number());
    default:
      return 0;
  }
}

/// seconds and nanos of a google.protobuf.Timestamp, as microseconds; nothing if it is none.
std::optional<std::int64_t> micros_of(std::string_view message) {
  WireReader wire(message);
  std::uint64_t seconds = 0;
  std::uint64_t nanos = 0;
  while (!wire.done()) {
    std::uint32_t number = 0;
    WireType type{};
    if (!wire.tag(number, type)) return std::nullopt;
    const bool known = type == WireType::kVarint && (number == 1 || number == 2);
    if (known ? !wire.varint(number == 1 ? seconds : nanos) : !wire.skip(number, type)) return std::nullopt;
  }
  std::int64_t micros = 0;
  if (__builtin_mul_overflow(static_cast<std::int64_t>(seconds), kMicrosPerSecond, &micros))
    return std::nullopt;
  const std::int64_t fraction = static_cast<std::int32_t>(nanos) / kNanosPerMicro;
  if (__builtin_add_overflow(micros, fraction, &micros)) return std::nullopt;
  return micros;
}

/// What tells the keys of a map's entries apart: the key's bytes on the wire.
std::string key_of(std::string_view entry) {
  WireReader wire(entry);
  std::string_view key;
  while (!wire.done()) {
    std::uint32_t number = 0;
    WireType type{};
    if (!wire.tag(number, type)) break;
    const std::size_t begin = entry.size() - wire.left();
    if (!wire.skip(number, type)) break;
    if (number == 1) key = entry.substr(begin, entry.size() - wire.left() - begin);
  }
  return std::string(key);
}

std::string in_field(const ProtobufField& shape, const std::string& what) {
  return fmt::format("field '{}': {}", shape.field->name(), what);
}

}  // namespace

// ---- One message -----------------------------------------------------------------------------------------

MessageReader::MessageReader(const pb::Descriptor& type, const ProtobufMessage& shape, Unset unset)
    // An entry of a map without its key or value has the default one.
    : unset_(type.options().map_entry() ? Unset::kDefault : unset), slots_(shape.fields.size()) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    Slot& slot = slots_[i];
    slot.shape = shape.fields[i];
    const pb::FieldDescriptor& field = *slot.shape.field;
    slot.wire = wire_type_of(field);
    if (slot.shape.message) {
      slot.reader = std::make_unique<MessageReader>(*field.message_type(), *slot.shape.message, unset);
      slot.children.resize(slot.shape.message->fields.size());
    }
    const pb::OneofDescriptor* oneof = field.real_containing_oneof();
    slot.oneof = oneof == nullptr ? -1 : oneof->index();
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const pb::FieldDescriptor* field = type.field(i);
    const auto slot = std::ranges::find(slots_, field, [](const Slot& each) { return each.shape.field; });
    const pb::OneofDescriptor* oneof = field->real_containing_oneof();
    if (slot == slots_.end() && oneof == nullptr) continue;
    known_.push_back({.number = static_cast<std::uint32_t>(field->number()),
                      .slot = slot == slots_.end() ? -1 : static_cast<int>(slot - slots_.begin()),
                      .oneof = oneof == nullptr ? -1 : oneof->index()});
  }
  std::ranges::sort(known_, {}, &Known::number);
}

const MessageReader::Known* MessageReader::find(std::uint32_t number) const {
  const auto found = std::ranges::lower_bound(known_, number, {}, &Known::number);
  return found != known_.end() && found->number == number ? &*found : nullptr;
}

bool MessageReader::read(std::string_view message, MessageBytes place,
                         std::span<ColumnBuilder* const> columns, std::string& reason) {
  if (!collect(message, reason)) return false;
  for (std::size_t i = 0; i < slots_.size(); ++i)
    if (!store(slots_[i], place, *columns[i], reason)) return false;
  return true;
}

bool MessageReader::collect(std::string_view message, std::string& reason) {
  for (Slot& slot : slots_) {
    slot.set = false;
    slot.values.clear();
  }
  WireReader wire(message);
  while (!wire.done()) {
    std::uint32_t number = 0;
    WireType type{};
    bool read = wire.tag(number, type);
    if (read) {
      const Known* known = find(number);
      read = known == nullptr ? wire.skip(number, type) : take(wire, *known, type);
    }
    if (read) continue;
    reason = fmt::format("not a message: it breaks at byte {}", message.size() - wire.left());
    return false;
  }
  return true;
}

bool MessageReader::take(WireReader& wire, const Known& known, WireType type) {
  Slot* slot = known.slot < 0 ? nullptr : &slots_[static_cast<std::size_t>(known.slot)];
  const bool packed =
      slot != nullptr && type == WireType::kBytes && slot->wire != type && slot->shape.field->is_packable();
  // A field of another wire type than the schema's is passed over, as one that nobody knows.
  if (slot != nullptr && type != slot->wire && !packed) return wire.skip(known.number, type);
  if (known.oneof >= 0)
    for (Slot& other : slots_)
      if (other.oneof == known.oneof && &other != slot) other.set = false;
  if (slot == nullptr) return wire.skip(known.number, type);
  Value value;
  if (type != WireType::kBytes) {
    if (!read_number(wire, type, value.number)) return false;
  } else if (!wire.bytes(value.bytes)) {
    return false;
  }
  if (packed) return take_packed(*slot, value.bytes);
  if (slot->shape.count != ProtobufField::Count::kOne) {
    slot->values.push_back(value);
  } else if (slot->set && slot->shape.form != ProtobufField::Form::kScalar) {
    merge(*slot, value.bytes);
  } else {
    slot->value = value;
  }
  slot->set = true;
  return true;
}

bool MessageReader::take_packed(Slot& slot, std::string_view bytes) {
  WireReader wire(bytes);
  while (!wire.done()) {
    Value value;
    if (!read_number(wire, slot.wire, value.number)) return false;
    slot.values.push_back(value);
    slot.set = true;
  }
  return true;
}

/// The pieces of a message one behind the other are the message that they merge to.
void MessageReader::merge(Slot& slot, std::string_view bytes) {
  const bool merged = slot.value.bytes.data() == slot.merged.data() && !slot.merged.empty();
  if (!merged) slot.merged.assign(slot.value.bytes);
  slot.merged += bytes;
  slot.value.bytes = slot.merged;
}

// ---- Into columns ----------------------------------------------------------------------------------------

bool MessageReader::store(Slot& slot, MessageBytes place, ColumnBuilder& out, std::string& reason) {
  if (!slot.set) return store_unset(slot, out, reason);
  switch (slot.shape.count) {
    case ProtobufField::Count::kMap:
      return store_map(slot, place, out, reason);
    case ProtobufField::Count::kList:
      for (const Value& value : slot.values)
        if (!store_one(slot, value, place, out.child(0), reason)) return false;
      out.close_nested();
      return true;
    default:
      break;
  }
  const bool merged = !slot.merged.empty() && slot.value.bytes.data() == slot.merged.data();
  return store_one(slot, slot.value, merged ? MessageBytes::kScratch : place, out, reason);
}

bool MessageReader::store_unset(Slot& slot, ColumnBuilder& out, std::string& reason) {
  const pb::FieldDescriptor& field = *slot.shape.field;
  const bool lists = slot.shape.count != ProtobufField::Count::kOne;
  const bool implicit =
      lists ? field.file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO3 : !has_presence(field);
  if (implicit || unset_ == Unset::kDefault) {
    if (lists) return out.close_nested(), true;
    const bool text = slot.wire == WireType::kBytes && slot.shape.form == ProtobufField::Form::kScalar;
    Value value{.number = default_bits(field)};
    if (text) value.bytes = field.default_value_string();
    return store_one(slot, value, MessageBytes::kScratch, out, reason);
  }
  if (!slot.shape.nullable) {
    reason = in_field(slot.shape, "is not set, and its column is NOT NULL");
    return false;
  }
  out.append_null();
  return true;
}

bool MessageReader::store_one(Slot& slot, const Value& value, MessageBytes place, ColumnBuilder& out,
                              std::string& reason) {
  const pb::FieldDescriptor& field = *slot.shape.field;
  const Type& type = slot.shape.type;
  if (slot.shape.form == ProtobufField::Form::kTimestamp) {
    const auto micros = micros_of(value.bytes);
    if (micros && append_time_cell(*micros, type.precision(), out)) return true;
    reason = in_field(slot.shape, "no google.protobuf.Timestamp");
    return false;
  }
  if (slot.shape.form == ProtobufField::Form::kMessage) {
    for (std::size_t i = 0; i < slot.children.size(); ++i) slot.children[i] = &out.child(i);
    if (!slot.reader->read(value.bytes, place, slot.children, reason)) {
      reason = in_field(slot.shape, reason);
      return false;
    }
    out.close_nested();
    return true;
  }
  if (field.type() == Wire::TYPE_ENUM && type.is_character()) {
    append_enum_name(field, value.number, out);
  } else if (slot.wire != WireType::kBytes) {
    append_number(field, value.number, type, out);
  } else {
    if (type.is_character() && !valid_utf8(value.bytes)) {
      reason = in_field(slot.shape, "invalid UTF-8");
      return false;
    }
    if (place == MessageBytes::kPayload)
      out.append_view(value.bytes);
    else
      out.append_string(value.bytes);
  }
  return true;
}

/// The last of several equal keys wins; the entries stay in the order of the message.
bool MessageReader::store_map(Slot& slot, MessageBytes place, ColumnBuilder& out, std::string& reason) {
  std::unordered_set<std::string> later;
  for (auto entry = slot.values.rbegin(); entry != slot.values.rend(); ++entry)
    entry->number = later.insert(key_of(entry->bytes)).second ? 1 : 0;
  slot.children = {&out.child(0), &out.child(1)};
  for (const Value& entry : slot.values) {
    if (entry.number == 0 || slot.reader->read(entry.bytes, place, slot.children, reason)) continue;
    reason = in_field(slot.shape, reason);
    return false;
  }
  out.close_nested();
  return true;
}

// ---- Payloads --------------------------------------------------------------------------------------------

namespace {

/// The shape of the wanted columns only, in their order.
ProtobufMessage wanted_shape(const ProtobufSchema& schema, const DecodeRequest& request) {
  Type::Fields wanted;
  for (const std::size_t index : request.wanted) wanted.push_back(request.schema.fields[index]);
  std::vector<std::string> errors;  // The format has judged them all.
  return match_message(*schema.message, wanted, errors);
}

}  // namespace

ProtobufDecoder::ProtobufDecoder(const ProtobufOptions& options, ProtobufSchema schema,
                                 const DecodeRequest& request)
    : options_(options),
      schema_(std::move(schema)),
      reader_(*schema_.message, wanted_shape(schema_, request),
              options.read_default_values ? Unset::kDefault : Unset::kNull) {}

DecodeCount ProtobufDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                    std::vector<BadRecord>& bad) {
  DecodeCount count;
  if (!options_.delimited) {
    read_record(payload, columns, bad, count);
    return count;
  }
  WireReader wire(payload);
  while (!wire.done()) {
    const std::string_view rest = payload.substr(payload.size() - wire.left());
    std::string_view record;
    if (!wire.bytes(record)) {
      refuse(rest, "the length before the message is none, or goes beyond the end", bad, count);
      break;
    }
    read_record(record, columns, bad, count);
  }
  return count;
}

void ProtobufDecoder::read_record(std::string_view record, std::span<ColumnBuilder* const> columns,
                                  std::vector<BadRecord>& bad, DecodeCount& count) {
  const std::size_t rows = columns.empty() ? 0 : columns[0]->size();
  std::string reason;
  if (reader_.read(record, MessageBytes::kPayload, columns, reason)) {
    ++count.decoded;
    ++count.rows;
    return;
  }
  for (ColumnBuilder* const column : columns) column->truncate(rows);
  refuse(record, std::move(reason), bad, count);
}

void ProtobufDecoder::refuse(std::string_view record, std::string reason, std::vector<BadRecord>& bad,
                             DecodeCount& count) const {
  if (options_.ignore_parse_errors)
    ++count.skipped;
  else
    bad.push_back({record, std::move(reason)});
}

}  // namespace leat::formats
