#include "pipelines/formats/sparkplug_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "pipelines/base/time.h"

namespace leat::formats {
namespace {

using sparkplug::Datatype;
using sparkplug::Role;

constexpr int kFirstValue = 10;  // The number of a metric's int_value.

void put_number(int field, std::uint64_t number, std::string& out) {
  put_tag(field, WireType::kVarint, out);
  put_varint(number, out);
}
void put_text(int field, std::string_view bytes, std::string& out) {
  put_tag(field, WireType::kBytes, out);
  put_bytes(bytes, out);
}

std::int64_t whole_at(const Column& column, std::size_t row) {
  return column.values<std::int64_t>()[row];
}

/// Whether the number is one of the type: what its bits are read as is the number itself.
bool holds(Datatype type, std::int64_t value) {
  if (type == Datatype::kUInt64) return value >= 0;
  return sparkplug::whole_of(type, value).exact == value;
}

bool is_wide(Datatype type) {
  return type == Datatype::kInt64 || type == Datatype::kUInt64 || type == Datatype::kDateTime;
}

Role role_of(Datatype type) {
  if (sparkplug::is_whole(type)) return Role::kIntValue;
  if (sparkplug::is_array(type)) return Role::kBytesValue;
  switch (type) {
    case Datatype::kFloat:
    case Datatype::kDouble:
      return Role::kDoubleValue;
    case Datatype::kBoolean:
      return Role::kBooleanValue;
    case Datatype::kBytes:
    case Datatype::kFile:
      return Role::kBytesValue;
    default:
      return Role::kStringValue;
  }
}

}  // namespace

bool is_sparkplug_topic_column(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames = {"group_id", "node_id", "device_id", "message_type"};
  return std::ranges::find(kNames, name) != kNames.end();
}

SparkplugEncoder::SparkplugEncoder(const Schema& schema) : column_of_(kRoles) {
  for (std::size_t i = 0; i < schema.size(); ++i)
    if (const auto* rule = sparkplug::find_column(schema.fields[i].name))
      column_of_[static_cast<std::size_t>(rule->role)] = i;
}

void SparkplugEncoder::encode(const Batch& batch, EncodedSink& out,
                              std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  for (std::size_t row = 0; row < batch.size; ++row) {
    buffer_.clear();
    if (write_payload({batch, row}))
      out.record(row, buffer_);
    else
      bad.emplace_back(static_cast<std::uint32_t>(row), std::move(reason_));
  }
}

const Column* SparkplugEncoder::find(Place place, Role role) const {
  const auto column = column_of_[static_cast<std::size_t>(role)];
  if (!column) return nullptr;
  const Column& found = *place.batch.columns[*column];
  return found.is_null(place.row) ? nullptr : &found;
}

bool SparkplugEncoder::flag(Place place, Role role) const {
  const Column* column = find(place, role);
  return column != nullptr && column->values<std::uint8_t>()[place.row] != 0;
}

bool SparkplugEncoder::refuse(std::string reason) {
  reason_ = std::move(reason);
  return false;
}

bool SparkplugEncoder::write_payload(Place place) {
  const Column* time = find(place, Role::kTs);
  if (time == nullptr) return refuse("'ts' is NULL, and a payload needs its time");
  const std::int64_t millis = floor_div(whole_at(*time, place.row), kMicrosPerMilli);
  if (millis < 0) return refuse("'ts' is before 1970, which Sparkplug does not know");
  put_number(1, static_cast<std::uint64_t>(millis), buffer_);
  metric_.clear();
  if (!write_metric(place)) return false;
  put_text(2, metric_, buffer_);
  if (const Column* seq = find(place, Role::kSeq)) {
    const std::int32_t number = seq->values<std::int32_t>()[place.row];
    if (number < 0 || number > 255) return refuse(fmt::format("seq: expected 0 to 255, found {}", number));
    put_number(3, static_cast<std::uint64_t>(number), buffer_);
  }
  if (const Column* uuid = find(place, Role::kUuid)) put_text(4, uuid->strings()[place.row], buffer_);
  if (const Column* body = find(place, Role::kBody)) put_text(5, body->strings()[place.row], buffer_);
  return true;
}

bool SparkplugEncoder::write_metric(Place place) {
  const Column* name = find(place, Role::kMetric);
  const Column* alias = find(place, Role::kAlias);
  if (name == nullptr && alias == nullptr)
    return refuse("a metric needs its name in 'metric', or its 'alias'");
  if (name != nullptr) put_text(1, name->strings()[place.row], metric_);
  if (alias != nullptr) put_number(2, std::bit_cast<std::uint64_t>(whole_at(*alias, place.row)), metric_);
  const std::int64_t micros = whole_at(*find(place, Role::kTs), place.row);
  put_number(3, static_cast<std::uint64_t>(floor_div(micros, kMicrosPerMilli)), metric_);
  Datatype type = Datatype::kUnknown;
  if (!choose_datatype(place, type)) return false;
  if (type != Datatype::kUnknown) put_number(4, static_cast<std::uint64_t>(type), metric_);
  if (flag(place, Role::kIsHistorical)) put_number(5, 1, metric_);
  if (flag(place, Role::kIsTransient)) put_number(6, 1, metric_);
  const bool has_value = type != Datatype::kUnknown && find(place, role_of(type)) != nullptr;
  if (has_value && !flag(place, Role::kIsNull)) return write_value(place, type);
  put_number(7, 1, metric_);
  return true;
}

/// What the row says, or else what its value is. A row may say nothing and have no value.
bool SparkplugEncoder::choose_datatype(Place place, Datatype& type) {
  if (const Column* column = find(place, Role::kDatatype)) {
    const std::string_view name = column->strings()[place.row];
    type = sparkplug::datatype_named(name);
    if (type == Datatype::kUnknown) return refuse(fmt::format("'{}' is no datatype of Sparkplug", name));
    const bool nested = (type >= Datatype::kPropertySet && type < Datatype::kInt8Array) ||
                        type == Datatype::kDataSet || type == Datatype::kTemplate;
    return !nested || refuse(fmt::format("a {} cannot be written", name));
  }
  constexpr auto kBySlot =
      std::to_array<std::pair<Role, Datatype>>({{Role::kBooleanValue, Datatype::kBoolean},
                                                {Role::kIntValue, Datatype::kInt64},
                                                {Role::kDoubleValue, Datatype::kDouble},
                                                {Role::kStringValue, Datatype::kString},
                                                {Role::kBytesValue, Datatype::kBytes}});
  const auto found =
      std::ranges::find_if(kBySlot, [&](const auto& each) { return find(place, each.first) != nullptr; });
  if (found != kBySlot.end()) type = found->second;
  return true;
}

bool SparkplugEncoder::write_value(Place place, Datatype type) {
  const Role role = role_of(type);
  const Column& column = *find(place, role);
  switch (role) {
    case Role::kIntValue:
      return write_whole(place, type);
    case Role::kBooleanValue:
      put_number(kFirstValue + 4, column.values<std::uint8_t>()[place.row], metric_);
      return true;
    case Role::kDoubleValue:
      return write_real(column.values<double>()[place.row], type);
    default:
      put_text(kFirstValue + (role == Role::kStringValue ? 5 : 6), column.strings()[place.row], metric_);
      return true;
  }
}

bool SparkplugEncoder::write_real(double value, Datatype type) {
  if (type != Datatype::kFloat) {
    put_tag(kFirstValue + 3, WireType::kFixed64, metric_);
    put_fixed(std::bit_cast<std::uint64_t>(value), 8, metric_);
    return true;
  }
  const auto narrow = static_cast<float>(value);
  if (std::isinf(narrow) && !std::isinf(value)) return refuse(fmt::format("{} is beyond Float", value));
  put_tag(kFirstValue + 2, WireType::kFixed32, metric_);
  put_fixed(std::bit_cast<std::uint32_t>(narrow), 4, metric_);
  return true;
}

bool SparkplugEncoder::write_whole(Place place, Datatype type) {
  const std::int64_t value = whole_at(*find(place, Role::kIntValue), place.row);
  if (!holds(type, value)) return refuse(fmt::format("{} is no {}", value, sparkplug::name_of(type)));
  if (is_wide(type))
    put_number(kFirstValue + 1, std::bit_cast<std::uint64_t>(value), metric_);
  else
    put_number(kFirstValue, static_cast<std::uint32_t>(value), metric_);
  return true;
}

}  // namespace leat::formats
