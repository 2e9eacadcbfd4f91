#include "pipelines/formats/avro_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "pipelines/base/nearest.h"

namespace leat::formats {
namespace {

constexpr int kDeepestColumns = 64;

bool is_one_of(TypeKind kind, std::initializer_list<TypeKind> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

bool fits_number(AvroKind kind, TypeKind column, AvroUse use) {
  using enum TypeKind;
  const bool read = use == AvroUse::kRead;
  switch (kind) {
    case AvroKind::kInt:
      return is_one_of(column, {kTinyInt, kSmallInt, kInteger}) ||
             (read && is_one_of(column, {kBigInt, kFloat, kDouble}));
    case AvroKind::kLong:
      return is_one_of(column, {kTinyInt, kSmallInt, kInteger, kBigInt}) ||
             (read && is_one_of(column, {kFloat, kDouble}));
    case AvroKind::kFloat:
      return column == kFloat || (read && column == kDouble);
    case AvroKind::kDouble:
      return is_one_of(column, {kFloat, kDouble});
    default:
      return false;
  }
}

bool fits_logical(const AvroNode& node, const Type& type, AvroUse use) {
  switch (node.logical) {
    case AvroLogical::kDecimal:
      return type.kind() == TypeKind::kDecimal && type.scale() == node.scale &&
             (use == AvroUse::kRead || type.precision() <= node.precision);
    case AvroLogical::kDate:
      return type.kind() == TypeKind::kDate;
    case AvroLogical::kTimeMillis:
    case AvroLogical::kTimeMicros:
      return type.kind() == TypeKind::kTime;
    case AvroLogical::kTimestampMillis:
    case AvroLogical::kTimestampMicros:
      return type.is_timestamp();
    default:
      return false;
  }
}

bool fits_scalar(const AvroNode& node, const Type& type, AvroUse use) {
  if (fits_logical(node, type, use)) return true;
  switch (node.kind) {
    case AvroKind::kBoolean:
      return type.kind() == TypeKind::kBoolean;
    case AvroKind::kBytes:
    case AvroKind::kFixed:
      return type.is_binary();
    case AvroKind::kString:
    case AvroKind::kEnum:
      return type.is_character();
    default:
      return fits_number(node.kind, type.kind(), use);
  }
}

class Matcher {
 public:
  Matcher(const AvroSchema& schema, AvroUse use, std::vector<std::string>& errors)
      : schema_(schema), use_(use), errors_(errors) {}

  void record(AvroIndex index, const Type::Fields& columns, const std::string& path, AvroShape& shape,
              int depth) {
    const AvroNode& node = schema_.at(index);
    shape.node = index;
    shape.columns.assign(node.children.size(), AvroShape::kNoColumn);
    for (const Type::Field& column : columns) {
      const auto field = std::ranges::find(node.names, column.name);
      if (field == node.names.end()) {
        errors_.push_back(fmt::format("record {} has no field '{}'{}", node.name, path + column.name,
                                      did_you_mean(column.name, node.names)));
        continue;
      }
      const auto place = static_cast<std::size_t>(field - node.names.begin());
      shape.columns[place] = static_cast<std::uint32_t>(shape.children.size());
      shape.children.push_back(value(node.children[place], column.type, path + column.name, depth + 1));
    }
    if (use_ == AvroUse::kWrite) check_all_written(node, shape, path);
  }

 private:
  AvroShape value(AvroIndex index, const Type& type, const std::string& path, int depth) {
    AvroShape shape{.node = index, .type = type};
    if (schema_.at(index).kind == AvroKind::kUnion && !branch(index, shape)) {
      say_wrong(index, type, path);
      return shape;
    }
    const bool can_be_null = shape.is_union && shape.null_branch != AvroShape::kNoBranch;
    if (use_ == AvroUse::kWrite && type.nullable() && !can_be_null)
      errors_.push_back(fmt::format("column '{}' may be NULL, which {} cannot: declare it NOT NULL", path,
                                    spelled(schema_, index)));
    if (depth > kDeepestColumns || !inside(type, path, shape, depth)) say_wrong(index, type, path);
    return shape;
  }

  /// Of a union the branch that is not null; false: there are several.
  bool branch(AvroIndex index, AvroShape& shape) const {
    const AvroNode& node = schema_.at(index);
    shape.is_union = true;
    shape.null_branch = AvroShape::kNoBranch;
    std::size_t values = 0;
    for (std::uint32_t i = 0; i < node.children.size(); ++i) {
      if (schema_.at(node.children[i]).kind == AvroKind::kNull) {
        shape.null_branch = i;
        continue;
      }
      shape.value_branch = i;
      shape.node = node.children[i];
      ++values;
    }
    return values == 1;
  }

  bool inside(const Type& type, const std::string& path, AvroShape& shape, int depth) {
    const AvroNode& node = schema_.at(shape.node);
    switch (node.kind) {
      case AvroKind::kRecord:
        if (type.kind() != TypeKind::kRow) return false;
        record(shape.node, type.fields(), path + ".", shape, depth);
        return true;
      case AvroKind::kArray:
        if (type.kind() != TypeKind::kArray) return false;
        shape.children.push_back(value(node.children[0], type.element(), path + ".element", depth + 1));
        return true;
      case AvroKind::kMap:
        if (type.kind() != TypeKind::kMap && type.kind() != TypeKind::kMultiset) return false;
        if (!type.fields()[0].type.is_character()) return false;
        shape.children.push_back(value(node.children[0], type.fields()[1].type, path + ".value", depth + 1));
        return true;
      default:
        return fits_scalar(node, type, use_);
    }
  }

  /// Without a column, a field is null.
  void check_all_written(const AvroNode& node, const AvroShape& shape, const std::string& path) {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      AvroShape missing;
      if (shape.columns[i] != AvroShape::kNoColumn || schema_.at(node.children[i]).kind == AvroKind::kNull)
        continue;
      const bool is_union = schema_.at(node.children[i]).kind == AvroKind::kUnion;
      if (is_union) branch(node.children[i], missing);
      if (!is_union || missing.null_branch == AvroShape::kNoBranch)
        errors_.push_back(
            fmt::format("field '{}' of record {} must be written, and the table has no such column",
                        path + node.names[i], node.name));
    }
  }

  void say_wrong(AvroIndex index, const Type& type, const std::string& path) {
    errors_.push_back(
        fmt::format("column '{}' of type {} cannot {} {}", path, type.with_nullable(true).to_string(),
                    use_ == AvroUse::kRead ? "hold" : "be written as", spelled(schema_, index)));
  }

  const AvroSchema& schema_;
  const AvroUse use_;
  std::vector<std::string>& errors_;
};

}  // namespace

AvroShape match_avro(const AvroSchema& schema, const Type::Fields& columns, AvroUse use,
                     std::vector<std::string>& errors) {
  AvroShape shape;
  Matcher(schema, use, errors).record(schema.root, columns, "", shape, 0);
  return shape;
}

}  // namespace leat::formats
