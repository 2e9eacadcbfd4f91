#include "pipelines/formats/sparkplug_json.h"

#include <cmath>
#include <vector>

#include "pipelines/column/text.h"
#include "pipelines/formats/utf8.h"
#include "pipelines/formats/write_scalar.h"

namespace leat::formats {
namespace {

using sparkplug::Datatype;
using Kind = SparkplugValue::Kind;

constexpr int kDeepest = 16;

bool append_template_at(std::string_view bytes, int depth, std::string& out);
bool append_properties_at(std::string_view bytes, int depth, std::string& out);

bool append_text(std::string_view text, std::string& out) {
  append_json_string(text, out);
  return valid_utf8(text);
}

bool append_real(double value, std::string& out) {
  if (std::isfinite(value))
    append_double(value, out);
  else
    out += "null";
  return true;
}

bool append_whole(const SparkplugValue& value, Datatype type, std::string& out) {
  const sparkplug::Whole whole = sparkplug::whole_of(type, value.whole_bits());
  if (whole.exact)
    append_integer(*whole.exact, out);
  else
    out += std::to_string(value.bits);
  return true;
}

/// A value that is no scalar has `depth` others around it.
bool append_value(const SparkplugValue& value, Datatype type, int depth, std::string& out) {
  switch (value.kind) {
    case Kind::kInt:
    case Kind::kLong:
      return append_whole(value, type, out);
    case Kind::kFloat:
    case Kind::kDouble:
      return append_real(value.real(), out);
    case Kind::kBoolean:
      out += value.bits != 0 ? "true" : "false";
      return true;
    case Kind::kString:
      return append_text(value.bytes, out);
    case Kind::kBytes:
      out.push_back('"');
      append_base64(value.bytes, out);
      out.push_back('"');
      return true;
    case Kind::kDataSet:
      return append_data_set(value.bytes, out);
    case Kind::kTemplate:
      return append_template_at(value.bytes, depth + 1, out);
    default:
      out += "null";
      return true;
  }
}

/// Between members of an object or list that was opened right before, or holds one already.
void separate(std::string& out) {
  if (out.back() != '{' && out.back() != '[') out.push_back(',');
}

void append_key(std::string_view key, std::string& out) {
  separate(out);
  append_json_string(key, out);
  out.push_back(':');
}

Datatype datatype_of(std::uint64_t number) {
  return number > static_cast<std::uint64_t>(sparkplug::kLastDatatype) ? Datatype::kUnknown
                                                                       : static_cast<Datatype>(number);
}

// ---- DataSet ---------------------------------------------------------------------------------------------

using Types = std::vector<Datatype>;

bool append_names(std::string_view set, std::string& out) {
  append_key("columns", out);
  out.push_back('[');
  const bool read = visit_fields(set, [&](const WireField& field) {
    if (field.tag() != bytes_tag(2)) return true;
    separate(out);
    return append_text(field.bytes, out);
  });
  out.push_back(']');
  return read;
}

/// One by one, or packed: readers take both.
bool read_types(std::string_view set, Types& types) {
  return visit_fields(set, [&](const WireField& field) {
    if (field.tag() == varint_tag(3)) types.push_back(datatype_of(field.bits));
    if (field.tag() != bytes_tag(3)) return true;
    WireReader packed(field.bytes);
    while (!packed.done()) {
      std::uint64_t number = 0;
      if (!packed.varint(number)) return false;
      types.push_back(datatype_of(number));
    }
    return true;
  });
}

void append_types(const Types& types, std::string& out) {
  append_key("types", out);
  out.push_back('[');
  for (const Datatype type : types) {
    separate(out);
    append_json_string(sparkplug::name_of(type), out);
  }
  out.push_back(']');
}

bool append_row(std::string_view row, const Types& types, std::string& out) {
  std::size_t column = 0;
  separate(out);
  out.push_back('[');
  const bool read = visit_fields(row, [&](const WireField& field) {
    if (field.tag() != bytes_tag(1)) return true;
    const Datatype type = column < types.size() ? types[column] : Datatype::kUnknown;
    ++column;
    SparkplugValue value;
    const bool is_cell = visit_fields(field.bytes, [&](const WireField& part) {
      if (part.number <= 6) (void)value.take(part, 1);
      return true;
    });
    separate(out);
    return is_cell && append_value(value, type, kDeepest, out);
  });
  out.push_back(']');
  return read;
}

// ---- Properties ------------------------------------------------------------------------------------------

bool append_property_list(std::string_view list, int depth, std::string& out) {
  out.push_back('[');
  const bool read = visit_fields(list, [&](const WireField& field) {
    if (field.tag() != bytes_tag(1)) return true;
    separate(out);
    return append_properties_at(field.bytes, depth + 1, out);
  });
  out.push_back(']');
  return read;
}

bool append_property(std::string_view bytes, int depth, std::string& out) {
  SparkplugValue value;
  Datatype type = Datatype::kUnknown;
  bool is_null = false;
  WireField nested;
  const bool read = visit_fields(bytes, [&](const WireField& field) {
    if (field.tag() == varint_tag(1)) type = datatype_of(field.bits);
    if (field.tag() == varint_tag(2)) is_null = field.bits != 0;
    if (field.number >= 3 && field.number <= 8 && value.take(field, 3)) nested = {};
    if (field.tag() == bytes_tag(9) || field.tag() == bytes_tag(10)) nested = field;
    return true;
  });
  if (!read) return false;
  if (is_null) value = {};
  if (!is_null && nested.number == 9) return append_properties_at(nested.bytes, depth + 1, out);
  if (!is_null && nested.number == 10) return append_property_list(nested.bytes, depth, out);
  return append_value(value, type, kDeepest, out);
}

/// Keys and values are lists of their own: the nth key has the nth value.
bool append_properties_at(std::string_view bytes, int depth, std::string& out) {
  if (depth > kDeepest) return false;
  std::vector<std::string_view> keys;
  bool read = visit_fields(bytes, [&](const WireField& field) {
    if (field.tag() == bytes_tag(1)) keys.push_back(field.bytes);
    return field.tag() != bytes_tag(1) || valid_utf8(field.bytes);
  });
  std::size_t next = 0;
  out.push_back('{');
  read = read && visit_fields(bytes, [&](const WireField& field) {
           if (field.tag() != bytes_tag(2)) return true;
           if (next == keys.size()) return false;
           append_key(keys[next++], out);
           return append_property(field.bytes, depth, out);
         });
  out.push_back('}');
  return read && next == keys.size();
}

// ---- Template --------------------------------------------------------------------------------------------

bool append_parameter(std::string_view bytes, std::string& out) {
  std::string_view name;
  Datatype type = Datatype::kUnknown;
  SparkplugValue value;
  const bool read = visit_fields(bytes, [&](const WireField& field) {
    if (field.tag() == bytes_tag(1)) name = field.bytes;
    if (field.tag() == varint_tag(2)) type = datatype_of(field.bits);
    if (field.number >= 3 && field.number <= 8) (void)value.take(field, 3);
    return true;
  });
  append_key(name, out);
  return read && valid_utf8(name) && append_value(value, type, kDeepest, out);
}

bool append_member(std::string_view bytes, int depth, std::string& out) {
  SparkplugMetric metric;
  if (!read_metric(bytes, metric) || !valid_utf8(metric.name)) return false;
  append_key(metric.name, out);
  if (metric.is_null) metric.value = {};
  return append_value(metric.value, metric.datatype(), depth, out);
}

/// `{` key: of each field of this number what `append` writes, `}`; nothing where there is no such field.
template <class Append>
bool append_object(std::string_view message, std::uint32_t number, std::string_view key, Append append,
                   std::string& out) {
  bool any = false;
  const bool read = visit_fields(message, [&](const WireField& field) {
    if (field.tag() != bytes_tag(number)) return true;
    if (!any) append_key(key, out);
    if (!any) out.push_back('{');
    any = true;
    return append(field.bytes);
  });
  if (any) out.push_back('}');
  return read;
}

bool append_template_at(std::string_view bytes, int depth, std::string& out) {
  if (depth > kDeepest) return false;
  WireField version;
  WireField reference;
  bool is_definition = false;
  const bool read = visit_fields(bytes, [&](const WireField& field) {
    if (field.tag() == bytes_tag(1)) version = field;
    if (field.tag() == bytes_tag(4)) reference = field;
    if (field.tag() == varint_tag(5)) is_definition = field.bits != 0;
    return true;
  });
  out.push_back('{');
  for (const auto& [key, field] : {std::pair("ref", reference), std::pair("version", version)}) {
    if (field.number == 0) continue;
    append_key(key, out);
    if (!append_text(field.bytes, out)) return false;
  }
  if (is_definition) append_key("definition", out);
  if (is_definition) out += "true";
  const auto parameter = [&](std::string_view each) { return append_parameter(each, out); };
  const auto metric = [&](std::string_view each) { return append_member(each, depth, out); };
  const bool written = read && append_object(bytes, 3, "parameters", parameter, out) &&
                       append_object(bytes, 2, "metrics", metric, out);
  out.push_back('}');
  return written;
}

}  // namespace

bool append_data_set(std::string_view bytes, std::string& out) {
  Types types;
  out.push_back('{');
  if (!append_names(bytes, out) || !read_types(bytes, types)) return false;
  append_types(types, out);
  append_key("rows", out);
  out.push_back('[');
  const bool read = visit_fields(bytes, [&](const WireField& field) {
    return field.tag() != bytes_tag(4) || append_row(field.bytes, types, out);
  });
  out += "]}";
  return read;
}

bool append_template(std::string_view bytes, std::string& out) {
  return append_template_at(bytes, 0, out);
}

bool append_properties(std::string_view bytes, std::string& out) {
  return append_properties_at(bytes, 0, out);
}

}  // namespace leat::formats
