#include "pipelines/formats/avro_schema.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

namespace leat::formats {
namespace {

namespace dom = simdjson::dom;

constexpr int kDeepestSchema = 64;
constexpr std::size_t kMostNodes = 100'000;
constexpr std::uint32_t kLargestFixed = 1U << 20;

constexpr std::array<std::pair<std::string_view, AvroKind>, 8> kPrimitives = {
    {{"null", AvroKind::kNull},
     {"boolean", AvroKind::kBoolean},
     {"int", AvroKind::kInt},
     {"long", AvroKind::kLong},
     {"float", AvroKind::kFloat},
     {"double", AvroKind::kDouble},
     {"bytes", AvroKind::kBytes},
     {"string", AvroKind::kString}}};

std::optional<AvroKind> primitive(std::string_view name) {
  const auto found = std::ranges::find(kPrimitives, name, &std::pair<std::string_view, AvroKind>::first);
  return found == kPrimitives.end() ? std::nullopt : std::optional(found->second);
}

std::string text_member(const dom::object& object, const char* name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

tl::unexpected<Error> wrong(std::string message) {
  return fail(ErrorCode::kInvalid, "Avro schema: " + std::move(message));
}

/// Reads one schema. Names are known from where they are declared on.
class Parser {
 public:
  Result<AvroSchema> parse(std::string_view json) {
    dom::parser parser;
    dom::element root;
    const simdjson::padded_string padded(json);
    if (const auto error = parser.parse(padded).get(root))
      return wrong(std::string("not JSON: ") + simdjson::error_message(error));
    LEAT_ASSIGN(schema_.root, element(root, "", 0));
    if (schema_.at(schema_.root).kind != AvroKind::kRecord) return wrong("it is no record");
    mark_empty();
    return std::move(schema_);
  }

 private:
  Result<AvroIndex> element(const dom::element& json, const std::string& space, int depth) {
    if (depth > kDeepestSchema) return wrong("nested too deep");
    if (schema_.nodes.size() > kMostNodes) return wrong("too large");
    std::string_view name;
    dom::array branches;
    dom::object object;
    if (json.get(name) == simdjson::SUCCESS) return named(std::string(name), space);
    if (json.get(branches) == simdjson::SUCCESS) return a_union(branches, space, depth);
    if (json.get(object) == simdjson::SUCCESS) return complex(object, space, depth);
    return wrong("a type must be a name, a list or an object");
  }

  AvroIndex add(AvroNode node) {
    schema_.nodes.push_back(std::move(node));
    return static_cast<AvroIndex>(schema_.nodes.size() - 1);
  }

  Result<AvroIndex> named(const std::string& name, const std::string& space) {
    if (const auto kind = primitive(name)) return add({.kind = *kind});
    for (const std::string& full : {space.empty() ? name : space + "." + name, name})
      if (const auto known = declared_.find(full); known != declared_.end()) return known->second;
    return wrong("unknown type '" + name + "'");
  }

  Result<AvroIndex> a_union(const dom::array& branches, const std::string& space, int depth) {
    AvroNode node{.kind = AvroKind::kUnion};
    for (const dom::element branch : branches) {
      LEAT_ASSIGN(const AvroIndex index, element(branch, space, depth + 1));
      if (schema_.at(index).kind == AvroKind::kUnion) return wrong("a union in a union");
      node.children.push_back(index);
    }
    if (node.children.empty()) return wrong("a union of nothing");
    return add(std::move(node));
  }

  Result<AvroIndex> complex(const dom::object& object, const std::string& space, int depth) {
    dom::element type;
    if (object["type"].get(type) != simdjson::SUCCESS) return wrong("an object without 'type'");
    std::string_view name;
    if (type.get(name) != simdjson::SUCCESS) return element(type, space, depth + 1);
    if (name == "record" || name == "error") return a_record(object, space, depth);
    if (name == "enum") return an_enum(object, space);
    if (name == "fixed") return a_fixed(object, space);
    if (name == "array") return a_list(object, "items", AvroKind::kArray, space, depth);
    if (name == "map") return a_list(object, "values", AvroKind::kMap, space, depth);
    LEAT_ASSIGN(const AvroIndex index, named(std::string(name), space));
    take_logical(object, schema_.nodes[index]);
    return index;
  }

  /// The name with its namespace, which is that of the names inside.
  static std::pair<std::string, std::string> full_name(const dom::object& object, const std::string& space) {
    const std::string name = text_member(object, "name");
    if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) return {name, name.substr(0, dot)};
    std::string_view own;
    const std::string inside = object["namespace"].get(own) == simdjson::SUCCESS ? std::string(own) : space;
    return {inside.empty() ? name : inside + "." + name, inside};
  }

  Result<AvroIndex> declare(AvroNode node) {
    if (node.name.empty()) return wrong("a record, an enum or a fixed without a name");
    const std::string name = node.name;
    const AvroIndex index = add(std::move(node));
    if (!declared_.emplace(name, index).second) return wrong("'" + name + "' is declared twice");
    return index;
  }

  Result<AvroIndex> a_record(const dom::object& object, const std::string& space, int depth) {
    const auto [name, inside] = full_name(object, space);
    LEAT_ASSIGN(const AvroIndex index, declare({.kind = AvroKind::kRecord, .name = name}));
    dom::array fields;
    if (object["fields"].get(fields) != simdjson::SUCCESS)
      return wrong("record '" + name + "' has no fields");
    std::unordered_set<std::string> names;
    for (const dom::element field : fields) {
      dom::object members;
      dom::element type;
      if (field.get(members) != simdjson::SUCCESS || members["type"].get(type) != simdjson::SUCCESS ||
          text_member(members, "name").empty())
        return wrong("a field of '" + name + "' without a name or a type");
      LEAT_ASSIGN(const AvroIndex child, element(type, inside, depth + 1));
      std::string field_name = text_member(members, "name");
      if (!names.insert(field_name).second)
        return wrong("record '" + name + "' has two fields '" + field_name + "'");
      schema_.nodes[index].names.push_back(std::move(field_name));
      schema_.nodes[index].children.push_back(child);
    }
    return index;
  }

  Result<AvroIndex> an_enum(const dom::object& object, const std::string& space) {
    AvroNode node{.kind = AvroKind::kEnum, .name = full_name(object, space).first};
    dom::array symbols;
    std::unordered_set<std::string> names;
    if (object["symbols"].get(symbols) == simdjson::SUCCESS)
      for (const dom::element symbol : symbols) {
        std::string_view text;
        if (symbol.get(text) != simdjson::SUCCESS) return wrong("a symbol of '" + node.name + "' is no text");
        if (!names.emplace(text).second)
          return wrong("enum '" + node.name + "' has the symbol '" + std::string(text) + "' twice");
        node.names.emplace_back(text);
      }
    if (node.names.empty()) return wrong("enum '" + node.name + "' has no symbols");
    return declare(std::move(node));
  }

  Result<AvroIndex> a_fixed(const dom::object& object, const std::string& space) {
    AvroNode node{.kind = AvroKind::kFixed, .name = full_name(object, space).first};
    std::uint64_t size = 0;
    if (object["size"].get(size) != simdjson::SUCCESS || size > kLargestFixed)
      return wrong("fixed '" + node.name + "' has no size of at most 1 MiB");
    node.size = static_cast<std::uint32_t>(size);
    take_logical(object, node);
    return declare(std::move(node));
  }

  Result<AvroIndex> a_list(const dom::object& object, const char* member, AvroKind kind,
                           const std::string& space, int depth) {
    dom::element inside;
    if (object[member].get(inside) != simdjson::SUCCESS)
      return wrong(std::string("an array or map without '") + member + "'");
    LEAT_ASSIGN(const AvroIndex child, element(inside, space, depth + 1));
    return add({.kind = kind, .children = {child}});
  }

  static void take_logical(const dom::object& object, AvroNode& node) {
    const std::string name = text_member(object, "logicalType");
    const bool is_int = node.kind == AvroKind::kInt;
    const bool is_long = node.kind == AvroKind::kLong;
    if (name == "date" && is_int) node.logical = AvroLogical::kDate;
    if (name == "time-millis" && is_int) node.logical = AvroLogical::kTimeMillis;
    if (name == "time-micros" && is_long) node.logical = AvroLogical::kTimeMicros;
    node.local = name.starts_with("local-");
    if (is_long && (name == "timestamp-millis" || name == "local-timestamp-millis"))
      node.logical = AvroLogical::kTimestampMillis;
    if (is_long && (name == "timestamp-micros" || name == "local-timestamp-micros"))
      node.logical = AvroLogical::kTimestampMicros;
    if (name == "decimal" && (node.kind == AvroKind::kBytes || node.kind == AvroKind::kFixed))
      take_decimal(object, node);
  }

  /// One that is wrong is none, by the specification.
  static void take_decimal(const dom::object& object, AvroNode& node) {
    std::int64_t precision = 0;
    std::int64_t scale = 0;
    if (object["precision"].get(precision) != simdjson::SUCCESS) return;
    if (object["scale"].get(scale) != simdjson::SUCCESS) scale = 0;
    if (precision < 1 || precision > kMaxDecimalPrecision || scale < 0 || scale > precision) return;
    node.logical = AvroLogical::kDecimal;
    node.precision = static_cast<std::int32_t>(precision);
    node.scale = static_cast<std::int32_t>(scale);
  }

  /// Records that hold only what is empty are so, too; those that hold themselves are not.
  void mark_empty() {
    for (bool changed = true; changed;) {
      changed = false;
      for (AvroNode& node : schema_.nodes) {
        const bool nothing =
            node.kind == AvroKind::kNull || (node.kind == AvroKind::kFixed && node.size == 0) ||
            (node.kind == AvroKind::kRecord &&
             std::ranges::all_of(node.children, [&](AvroIndex i) { return schema_.at(i).empty; }));
        changed = changed || (nothing && !node.empty);
        node.empty = nothing;
      }
    }
  }

  AvroSchema schema_;
  std::map<std::string, AvroIndex, std::less<>> declared_;
};

/// Flink's AvroSchemaConverter.
class Deriver {
 public:
  explicit Deriver(AvroTimestamps timestamps) : timestamps_(timestamps) {}

  Result<AvroSchema> derive(const Schema& columns) {
    LEAT_ASSIGN(schema_.root, record(columns.fields));
    return std::move(schema_);
  }

 private:
  AvroIndex add(AvroNode node) {
    schema_.nodes.push_back(std::move(node));
    return static_cast<AvroIndex>(schema_.nodes.size() - 1);
  }

  Result<AvroIndex> record(const Type::Fields& fields) {
    AvroNode node{.kind = AvroKind::kRecord, .name = "record"};
    for (const Type::Field& field : fields) {
      LEAT_ASSIGN(const AvroIndex child, value(field.type));
      node.names.push_back(field.name);
      node.children.push_back(child);
    }
    return add(std::move(node));
  }

  Result<AvroIndex> value(const Type& type) {
    LEAT_ASSIGN(const AvroIndex index, not_null(type));
    if (!type.nullable()) return index;
    const AvroIndex null = add({.kind = AvroKind::kNull, .empty = true});
    return add({.kind = AvroKind::kUnion, .children = {null, index}});
  }

  Result<AvroIndex> not_null(const Type& type) {
    switch (type.kind()) {
      case TypeKind::kRow:
        return record(type.fields());
      case TypeKind::kArray:
        return list(AvroKind::kArray, type.element());
      case TypeKind::kMap:
        if (!type.key().is_character()) return unknown(type);
        return list(AvroKind::kMap, type.value());
      case TypeKind::kMultiset:
        if (!type.fields()[0].type.is_character()) return unknown(type);
        return list(AvroKind::kMap, Type::integer().with_nullable(false));
      default:
        return scalar(type);
    }
  }

  Result<AvroIndex> list(AvroKind kind, const Type& inside) {
    LEAT_ASSIGN(const AvroIndex child, value(inside));
    return add({.kind = kind, .children = {child}});
  }

  Result<AvroIndex> scalar(const Type& type) {
    switch (type.kind()) {
      case TypeKind::kBoolean:
        return add({.kind = AvroKind::kBoolean});
      case TypeKind::kTinyInt:
      case TypeKind::kSmallInt:
      case TypeKind::kInteger:
        return add({.kind = AvroKind::kInt});
      case TypeKind::kBigInt:
        return add({.kind = AvroKind::kLong});
      case TypeKind::kFloat:
        return add({.kind = AvroKind::kFloat});
      case TypeKind::kDouble:
        return add({.kind = AvroKind::kDouble});
      case TypeKind::kChar:
      case TypeKind::kVarChar:
        return add({.kind = AvroKind::kString});
      case TypeKind::kBinary:
      case TypeKind::kVarBinary:
        return add({.kind = AvroKind::kBytes});
      case TypeKind::kDate:
        return add({.kind = AvroKind::kInt, .logical = AvroLogical::kDate});
      default:
        return time(type);
    }
  }

  Result<AvroIndex> time(const Type& type) {
    constexpr std::int32_t kMillis = 3;
    const bool micros = type.precision() > kMillis;
    if (type.kind() == TypeKind::kDecimal)
      return add({.kind = AvroKind::kBytes,
                  .logical = AvroLogical::kDecimal,
                  .precision = type.precision(),
                  .scale = type.scale()});
    if (type.kind() == TypeKind::kTime && !micros)
      return add({.kind = AvroKind::kInt, .logical = AvroLogical::kTimeMillis});
    const bool zoned = type.kind() == TypeKind::kTimestampLtz;
    if (!type.is_timestamp() || (zoned && timestamps_ == AvroTimestamps::kLegacy)) return unknown(type);
    return add({.kind = AvroKind::kLong,
                .logical = micros ? AvroLogical::kTimestampMicros : AvroLogical::kTimestampMillis,
                .local = !zoned && timestamps_ == AvroTimestamps::kByZone});
  }

  static tl::unexpected<Error> unknown(const Type& type) {
    const bool zoned = type.kind() == TypeKind::kTimestampLtz;
    return fail(ErrorCode::kInvalid, "Avro has no type for " + type.with_nullable(true).to_string() +
                                         (zoned ? " unless 'avro.timestamp_mapping.legacy' is 'false'" : ""));
  }

  AvroTimestamps timestamps_;
  AvroSchema schema_;
};

std::string spelled_logical(const AvroNode& node) {
  const std::string local = node.local ? "local-" : "";
  switch (node.logical) {
    case AvroLogical::kDecimal:
      return " (decimal " + std::to_string(node.precision) + ", " + std::to_string(node.scale) + ")";
    case AvroLogical::kDate:
      return " (date)";
    case AvroLogical::kTimeMillis:
      return " (time-millis)";
    case AvroLogical::kTimeMicros:
      return " (time-micros)";
    case AvroLogical::kTimestampMillis:
      return " (" + local + "timestamp-millis)";
    case AvroLogical::kTimestampMicros:
      return " (" + local + "timestamp-micros)";
    default:
      return "";
  }
}

}  // namespace

Result<AvroSchema> parse_avro_schema(std::string_view json) {
  return Parser().parse(json);
}

Result<AvroSchema> derive_avro_schema(const Schema& columns, AvroTimestamps timestamps) {
  return Deriver(timestamps).derive(columns);
}

std::string spelled(const AvroSchema& schema, AvroIndex index) {
  const AvroNode& node = schema.at(index);
  std::string text;
  switch (node.kind) {
    case AvroKind::kRecord:
      return "record " + node.name;
    case AvroKind::kEnum:
      return "enum " + node.name;
    case AvroKind::kArray:
      return "array of " + spelled(schema, node.children[0]);
    case AvroKind::kMap:
      return "map of " + spelled(schema, node.children[0]);
    case AvroKind::kUnion:
      for (const AvroIndex branch : node.children)
        text += (text.empty() ? "" : " or ") + spelled(schema, branch);
      return text;
    case AvroKind::kFixed:
      return "fixed " + node.name + spelled_logical(node);
    default:
      return std::string(kPrimitives[static_cast<std::size_t>(node.kind)].first) + spelled_logical(node);
  }
}

}  // namespace leat::formats
