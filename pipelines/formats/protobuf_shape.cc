#include "pipelines/formats/protobuf_shape.h"

#include <fmt/format.h>

#include <string_view>

#include "pipelines/base/nearest.h"

namespace leat::formats {
namespace {

namespace pb = google::protobuf;
using Wire = pb::FieldDescriptor;

constexpr std::string_view kTimestamp = "google.protobuf.Timestamp";
constexpr std::int32_t kUnsignedDigits = 20;

bool is_one_of(TypeKind kind, std::initializer_list<TypeKind> kinds) {
  for (const TypeKind each : kinds)
    if (each == kind) return true;
  return false;
}

bool fits_unsigned_64(const Type& type) {
  return type.kind() == TypeKind::kBigInt ||
         (type.kind() == TypeKind::kDecimal && type.scale() == 0 && type.precision() >= kUnsignedDigits);
}

bool fits_scalar(const pb::FieldDescriptor& field, const Type& type) {
  const TypeKind kind = type.kind();
  switch (field.type()) {
    case Wire::TYPE_BOOL:
      return kind == TypeKind::kBoolean;
    case Wire::TYPE_INT32:
    case Wire::TYPE_SINT32:
    case Wire::TYPE_SFIXED32:
    case Wire::TYPE_UINT32:
    case Wire::TYPE_FIXED32:
      return is_one_of(kind, {TypeKind::kInteger, TypeKind::kBigInt});
    case Wire::TYPE_INT64:
    case Wire::TYPE_SINT64:
    case Wire::TYPE_SFIXED64:
      return kind == TypeKind::kBigInt;
    case Wire::TYPE_UINT64:
    case Wire::TYPE_FIXED64:
      return fits_unsigned_64(type);
    case Wire::TYPE_FLOAT:
      return is_one_of(kind, {TypeKind::kFloat, TypeKind::kDouble});
    case Wire::TYPE_DOUBLE:
      return kind == TypeKind::kDouble;
    case Wire::TYPE_STRING:
      return type.is_character();
    case Wire::TYPE_BYTES:
      return type.is_binary();
    case Wire::TYPE_ENUM:
      return type.is_character() || kind == TypeKind::kInteger;
    default:
      return false;
  }
}

std::string spelled(const pb::FieldDescriptor& field) {
  const std::string name = field.message_type() != nullptr ? field.message_type()->full_name()
                           : field.enum_type() != nullptr  ? field.enum_type()->full_name()
                                                           : field.type_name();
  return field.is_repeated() ? "repeated " + name : name;
}

class Matcher {
 public:
  explicit Matcher(std::vector<std::string>& errors) : errors_(errors) {}

  ProtobufMessage message(const pb::Descriptor& message, const Type::Fields& columns,
                          const std::string& path) {
    ProtobufMessage matched;
    for (const Type::Field& column : columns) {
      const pb::FieldDescriptor* field = message.FindFieldByName(column.name);
      if (field == nullptr)
        say_unknown(message, path + column.name, column.name);
      else
        matched.fields.push_back(this->column(*field, column.type, path + column.name));
    }
    return matched;
  }

 private:
  ProtobufField column(const pb::FieldDescriptor& field, const Type& type, const std::string& path) {
    ProtobufField matched{.field = &field, .type = type, .nullable = type.nullable()};
    if (field.is_map()) {
      matched.count = ProtobufField::Count::kMap;
      map(field, type, path, matched);
    } else if (field.is_repeated()) {
      matched.count = ProtobufField::Count::kList;
      if (type.kind() == TypeKind::kArray)
        one(field, type.fields()[0].type, path, matched);
      else
        say_wrong(field, type, path);
    } else {
      one(field, type, path, matched);
    }
    return matched;
  }

  void map(const pb::FieldDescriptor& field, const Type& type, const std::string& path,
           ProtobufField& matched) {
    if (type.kind() != TypeKind::kMap) return say_wrong(field, type, path);
    const pb::Descriptor& entry = *field.message_type();
    ProtobufMessage pair;
    pair.fields.push_back(column(*entry.FindFieldByNumber(1), type.fields()[0].type, path + ".key"));
    pair.fields.push_back(column(*entry.FindFieldByNumber(2), type.fields()[1].type, path + ".value"));
    matched.message = std::make_shared<const ProtobufMessage>(std::move(pair));
  }

  void one(const pb::FieldDescriptor& field, const Type& type, const std::string& path,
           ProtobufField& matched) {
    matched.type = type;
    const pb::Descriptor* nested = field.message_type();
    if (nested == nullptr) {
      if (!fits_scalar(field, type)) say_wrong(field, type, path);
    } else if (field.type() == Wire::TYPE_GROUP) {
      say_wrong(field, type, path);
    } else if (nested->full_name() == kTimestamp && type.is_timestamp()) {
      matched.form = ProtobufField::Form::kTimestamp;
    } else if (type.kind() == TypeKind::kRow) {
      matched.form = ProtobufField::Form::kMessage;
      matched.message = std::make_shared<const ProtobufMessage>(message(*nested, type.fields(), path + "."));
    } else {
      say_wrong(field, type, path);
    }
  }

  void say_unknown(const pb::Descriptor& message, const std::string& path, const std::string& name) {
    std::vector<std::string> names;
    for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
    errors_.push_back(
        fmt::format("message {} has no field '{}'{}", message.full_name(), path, did_you_mean(name, names)));
  }

  void say_wrong(const pb::FieldDescriptor& field, const Type& type, const std::string& path) {
    errors_.push_back(fmt::format("column '{}' of type {} cannot hold a field of type {}", path,
                                  type.to_string(), spelled(field)));
  }

  std::vector<std::string>& errors_;
};

}  // namespace

ProtobufMessage match_message(const pb::Descriptor& message, const Type::Fields& columns,
                              std::vector<std::string>& errors) {
  return Matcher(errors).message(message, columns, "");
}

WireType wire_type_of(const pb::FieldDescriptor& field) {
  switch (field.type()) {
    case Wire::TYPE_DOUBLE:
    case Wire::TYPE_FIXED64:
    case Wire::TYPE_SFIXED64:
      return WireType::kFixed64;
    case Wire::TYPE_FLOAT:
    case Wire::TYPE_FIXED32:
    case Wire::TYPE_SFIXED32:
      return WireType::kFixed32;
    case Wire::TYPE_STRING:
    case Wire::TYPE_BYTES:
    case Wire::TYPE_MESSAGE:
      return WireType::kBytes;
    case Wire::TYPE_GROUP:
      return WireType::kGroup;
    default:
      return WireType::kVarint;
  }
}

bool has_presence(const pb::FieldDescriptor& field) {
  return !field.is_repeated() && field.has_presence();
}

}  // namespace leat::formats
