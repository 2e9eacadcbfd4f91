#include "pipelines/formats/sparkplug_payload.h"

#include <fmt/format.h>

#include <bit>

#include "pipelines/formats/row_bound.h"
#include "pipelines/formats/utf8.h"

namespace leat::formats {
namespace {

constexpr std::uint64_t kLastMillisecond = 253'402'300'799'999;  // Of the year 9999.
constexpr std::uint64_t kLastSeq = 255;

/// Behind the int, from which a value's numbers are counted.
constexpr std::uint32_t kValueKinds = 9;

bool is_text(const SparkplugValue& value) {
  return value.kind == SparkplugValue::Kind::kString;
}

/// What the metric holds that no row can; empty: nothing.
std::string fault_of(const SparkplugMetric& metric) {
  if (!valid_utf8(metric.name)) return "its name is invalid UTF-8";
  if (is_text(metric.value) && !valid_utf8(metric.value.bytes)) return "its value is invalid UTF-8";
  if (metric.timestamp > kLastMillisecond)
    return fmt::format("the timestamp {} is behind the year 9999", metric.timestamp);
  return {};
}

std::string fault_of(const SparkplugPayload& payload) {
  if (payload.timestamp > kLastMillisecond)
    return fmt::format("the timestamp {} is behind the year 9999", payload.timestamp);
  if (payload.seq > kLastSeq) return fmt::format("seq: expected 0 to 255, found {}", payload.seq);
  if (!valid_utf8(payload.uuid)) return "uuid: invalid UTF-8";
  return {};
}

bool take(const WireField& field, SparkplugPayload& payload, std::string& reason) {
  switch (field.tag()) {
    case varint_tag(1):
      payload.has_timestamp = true;
      payload.timestamp = field.bits;
      return true;
    case bytes_tag(2): {
      SparkplugMetric& metric = payload.metrics.emplace_back();
      reason = read_metric(field.bytes, metric) ? fault_of(metric) : "it breaks off";
      if (!reason.empty()) reason = fmt::format("metric {}: {}", payload.metrics.size() - 1, reason);
      // Its row is told from that of a payload without metrics by a name that is empty.
      metric.has_name |= !metric.has_alias;
      return reason.empty();
    }
    case varint_tag(3):
      payload.has_seq = true;
      payload.seq = field.bits;
      return true;
    case bytes_tag(4):
      payload.has_uuid = true;
      payload.uuid = field.bytes;
      return true;
    case bytes_tag(5):
      payload.has_body = true;
      payload.body = field.bytes;
      return true;
    default:
      return true;
  }
}

}  // namespace

bool SparkplugValue::take(const WireField& field, std::uint32_t first) {
  if (field.number < first || field.number >= first + kValueKinds) return false;
  const auto found = static_cast<Kind>(field.number - first + static_cast<std::uint32_t>(Kind::kInt));
  WireType type = WireType::kBytes;
  if (found == Kind::kInt || found == Kind::kLong || found == Kind::kBoolean) type = WireType::kVarint;
  if (found == Kind::kFloat) type = WireType::kFixed32;
  if (found == Kind::kDouble) type = WireType::kFixed64;
  if (field.type != type) return false;
  kind = found;
  bits = field.bits;
  bytes = field.bytes;
  return true;
}

std::int64_t SparkplugValue::whole_bits() const {
  return kind == Kind::kInt ? static_cast<std::int64_t>(static_cast<std::uint32_t>(bits))
                            : std::bit_cast<std::int64_t>(bits);
}

double SparkplugValue::real() const {
  return kind == Kind::kFloat ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
                              : std::bit_cast<double>(bits);
}

bool read_metric(std::string_view bytes, SparkplugMetric& metric) {
  return visit_fields(bytes, [&](const WireField& field) {
    switch (field.tag()) {
      case bytes_tag(1):
        metric.has_name = true;
        metric.name = field.bytes;
        return true;
      case varint_tag(2):
        metric.has_alias = true;
        metric.alias = field.bits;
        return true;
      case varint_tag(3):
        metric.has_timestamp = true;
        metric.timestamp = field.bits;
        return true;
      case varint_tag(4):
        metric.type_number = static_cast<std::uint32_t>(field.bits);
        return true;
      case varint_tag(5):
        metric.is_historical = field.bits != 0;
        return true;
      case varint_tag(6):
        metric.is_transient = field.bits != 0;
        return true;
      case varint_tag(7):
        metric.is_null = field.bits != 0;
        return true;
      case bytes_tag(9):
        metric.has_properties = true;
        metric.properties = field.bytes;
        return true;
      default:
        (void)metric.value.take(field, 10);
        return true;
    }
  });
}

bool read_payload(std::string_view bytes, SparkplugPayload& payload, std::string& reason) {
  payload.timestamp = payload.seq = 0;
  payload.uuid = payload.body = {};
  payload.has_timestamp = payload.has_seq = payload.has_uuid = payload.has_body = false;
  payload.metrics.clear();
  reason.clear();
  const std::size_t most = most_rows(bytes.size(), 1);
  const bool read = visit_fields(bytes, [&](const WireField& field) {
    if (payload.metrics.size() <= most) return take(field, payload, reason);
    reason = kTooManyRows;
    return false;
  });
  if (read) reason = fault_of(payload);
  if (!read && reason.empty())
    reason = "not a payload of Sparkplug B: its bytes are no message of Protocol Buffers";
  return reason.empty();
}

}  // namespace leat::formats
