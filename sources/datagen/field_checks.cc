#include "sources/datagen/field_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "pipelines/base/nearest.h"
#include "sources/datagen/cell_generator.h"

namespace leat::sources {
namespace {

using Part = OptionError::Part;
using Errors = std::vector<OptionError>;
/// The types of columns and of what is in them, by path.
using PathTypes = std::map<std::string, Type>;

/// The attributes that are given for one path.
struct Field {
  std::string path;
  Type type;
  FieldSpec spec;
  std::vector<std::string> attributes;

  [[nodiscard]] std::string key(const std::string& attribute) const {
    return "fields." + path + "." + attribute;
  }
  [[nodiscard]] bool has(std::string_view attribute) const {
    return std::ranges::find(attributes, attribute) != attributes.end();
  }
};

void add_paths(const std::string& path, const Type& type, PathTypes& types) {
  types.emplace(path, type);
  for (const auto& [name, part] : generated_parts(type)) add_paths(path + "." + name, part, types);
}

/// What random values of a type take; 'kind' and 'null-rate' belong to all.
std::vector<std::string> random_attributes(const Type& type) {
  std::vector<std::string> names;
  const TypeKind kind = type.kind();
  const bool variable = kind == TypeKind::kVarChar || kind == TypeKind::kVarBinary;
  if (type.is_numeric() || kind == TypeKind::kIntervalDayTime || kind == TypeKind::kIntervalYearMonth)
    names = {"min", "max"};
  if (variable) names = {"length", "var-len"};
  if (kind == TypeKind::kArray || kind == TypeKind::kMap) names = {"length"};
  if (type.is_timestamp() || kind == TypeKind::kDate || kind == TypeKind::kTime) names = {"max-past"};
  names.insert(names.end(), {"null-rate", "kind"});
  return names;
}

std::string why_not(const Field& field, const std::string& attribute) {
  const std::string key = field.key(attribute);
  const std::string kind = field.key("kind");
  if (attribute == "start" || attribute == "end")
    return fmt::format("option '{}' needs '{}' = 'sequence'", key, kind);
  if (field.spec.kind == FieldKind::kSequence)
    return fmt::format("option '{}' is for random values, and '{}' is 'sequence'", key, kind);
  return fmt::format("option '{}' means nothing for the type {}; that takes {}", key, field.type.to_string(),
                     fmt::join(random_attributes(field.type), ", "));
}

/// What would be ignored is refused.
void check_meaning(const Field& field, Errors& errors) {
  const bool sequence = field.spec.kind == FieldKind::kSequence;
  const std::vector<std::string> taken = sequence
                                             ? std::vector<std::string>{"kind", "start", "end", "null-rate"}
                                             : random_attributes(field.type);
  for (const std::string& attribute : field.attributes)
    if (std::ranges::find(taken, attribute) == taken.end())
      errors.push_back({field.key(attribute), Part::kKey, why_not(field, attribute)});
}

/// True if the values can be made; else the generator's own reason at `attribute`.
bool can_make(const Field& field, const FieldSpec& spec, const std::string& attribute, Errors& errors) {
  const auto made = make_cell_generator(field.type, field.path, {{field.path, spec}});
  if (!made) errors.push_back({field.key(attribute), Part::kValue, made.error().message});
  return made.has_value();
}

void check_sequence(const Field& field, Errors& errors) {
  const auto at = [&](std::optional<std::int64_t> number) {
    FieldSpec spec;
    spec.kind = FieldKind::kSequence;
    spec.start = spec.end = number.value_or(0);
    return spec;
  };
  if (can_make(field, at(0), "kind", errors) && can_make(field, at(field.spec.start), "start", errors))
    can_make(field, at(field.spec.end), "end", errors);
}

/// Each attribute alone, so that the error stands at the one that is wrong; then the bounds together.
void check_values(const Field& field, Errors& errors) {
  FieldSpec alone;
  alone.null_rate = field.spec.null_rate;
  const bool may_be_null = can_make(field, alone, "null-rate", errors);
  if (field.spec.kind == FieldKind::kSequence) return check_sequence(field, errors);
  FieldSpec min, max, length;
  min.min = field.spec.min;
  max.max = field.spec.max;
  length.length = field.spec.length;
  bool good = can_make(field, length, "length", errors) && may_be_null;
  good = can_make(field, min, "min", errors) && good;
  good = can_make(field, max, "max", errors) && good;
  if (good) can_make(field, field.spec, "max", errors);
}

void unknown_path(const Field& field, const PathTypes& types, Errors& errors) {
  std::vector<std::string> known;
  for (const auto& [path, ignored] : types) known.push_back(path);
  for (const std::string& attribute : field.attributes)
    errors.push_back({field.key(attribute), Part::kKey,
                      fmt::format("option '{}': the table has no column '{}'{}", field.key(attribute),
                                  field.path, did_you_mean(field.path, known))});
}

/// The options by path, in their order.
std::vector<Field> fields_of(const DatagenOptions& options) {
  std::vector<Field> fields;
  for (const auto& [path, spec] : options.fields) fields.push_back({.path = path, .spec = spec});
  for (const auto& [key, ignored] : options.field_texts) {
    const std::size_t dot = key.rfind('.');
    const auto field = std::ranges::find(fields, key.substr(0, dot), &Field::path);
    if (dot != std::string::npos && field != fields.end()) field->attributes.push_back(key.substr(dot + 1));
  }
  return fields;
}

}  // namespace

void check_fields(const DatagenOptions& options, const Schema& schema, Errors& errors) {
  PathTypes types;
  for (const Type::Field& column : schema.fields) {
    const auto made = make_cell_generator(column.type, column.name, {});
    if (!made) errors.push_back({"connector", Part::kValue, made.error().message});
    add_paths(column.name, column.type, types);
  }
  if (!errors.empty()) return;
  for (Field& field : fields_of(options)) {
    const auto found = types.find(field.path);
    if (found == types.end()) {
      unknown_path(field, types, errors);
      continue;
    }
    field.type = found->second;
    const std::size_t before = errors.size();
    check_meaning(field, errors);
    if (errors.size() == before) check_values(field, errors);
  }
}

}  // namespace leat::sources
