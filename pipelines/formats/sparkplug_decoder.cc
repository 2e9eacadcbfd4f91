#include "pipelines/formats/sparkplug_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <optional>
#include <utility>

#include "pipelines/base/time.h"
#include "pipelines/formats/read_cell.h"
#include "pipelines/formats/sparkplug_json.h"

namespace leat::formats {
namespace {

using sparkplug::Datatype;
using sparkplug::Role;
using Kind = SparkplugValue::Kind;

constexpr std::string_view kBdSeq = "bdSeq";
/// The specification knows no compression; Eclipse Tahu, its reference, does: in a payload of this uuid the
/// body is another one, compressed as the metric `algorithm` says.
constexpr std::string_view kCompressed = "SPBV1.0_COMPRESSED";
constexpr std::string_view kAlgorithm = "algorithm";

bool is_whole(const SparkplugValue& value) {
  return value.kind == Kind::kInt || value.kind == Kind::kLong;
}
bool is_real(const SparkplugValue& value) {
  return value.kind == Kind::kFloat || value.kind == Kind::kDouble;
}

/// Of the first metric of that name; nothing: there is none, or it is no whole number.
std::optional<std::int64_t> bd_seq_of(const SparkplugPayload& payload) {
  const auto found = std::ranges::find(payload.metrics, kBdSeq, &SparkplugMetric::name);
  if (found == payload.metrics.end() || found->is_null || !is_whole(found->value)) return std::nullopt;
  return found->value.whole_bits();
}

bool equals_ignoring_case(std::string_view text, std::string_view upper) {
  return std::ranges::equal(text, upper, {}, [](unsigned char c) { return std::toupper(c); });
}

/// Where nothing says it, Tahu means DEFLATE, and others gzip, which begins unmistakably. None: another one.
std::optional<Compression> compression_of_body(const SparkplugPayload& outer) {
  const auto algorithm = std::ranges::find(outer.metrics, kAlgorithm, &SparkplugMetric::name);
  if (algorithm == outer.metrics.end()) {
    const bool is_gzip = compression_of(outer.body, Compression::kGzip) == Compression::kGzip;
    return is_gzip ? Compression::kGzip : Compression::kZlib;
  }
  if (equals_ignoring_case(algorithm->value.bytes, "GZIP")) return Compression::kGzip;
  if (equals_ignoring_case(algorithm->value.bytes, "DEFLATE")) return Compression::kZlib;
  return std::nullopt;
}

/// What the inner payload does not say.
void take_over(const SparkplugPayload& outer, SparkplugPayload& inner) {
  if (!inner.has_timestamp) inner.timestamp = outer.timestamp;
  if (!inner.has_seq) inner.seq = outer.seq;
  inner.has_timestamp |= outer.has_timestamp;
  inner.has_seq |= outer.has_seq;
}

bool append_flag(bool flag, ColumnBuilder& out) {
  out.append<std::uint8_t>(flag ? 1 : 0);
  return true;
}

/// False: there is none.
bool append_bytes(bool has, std::string_view bytes, ColumnBuilder& out) {
  if (has) out.append_view(bytes);
  return has;
}

}  // namespace

SparkplugDecoder::SparkplugDecoder(const SparkplugOptions& options, const DecodeRequest& request)
    : options_(options) {
  for (const std::size_t index : request.wanted) {
    const Type::Field& field = request.schema.fields[index];
    slots_.push_back({sparkplug::find_column(field.name)->role, field.type, field.name});
  }
}

DecodeCount SparkplugDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                     std::vector<BadRecord>& bad) {
  if (payload.empty()) return {.empty = 1};
  const std::size_t before = columns.empty() ? 0 : columns[0]->size();
  bool good = read(payload, columns);
  const std::size_t rows = std::max<std::size_t>(payload_.metrics.size(), 1);
  if (good && payload_.metrics.empty()) payload_.metrics.emplace_back();  // The row of the payload itself.
  bd_seq_ = bd_seq_of(payload_);
  for (std::size_t i = 0; i < slots_.size() && good; ++i) good = append_column(slots_[i], *columns[i]);
  if (good) return {.decoded = 1, .rows = rows};
  for (ColumnBuilder* const column : columns) column->truncate(before);
  if (options_.ignore_parse_errors) return {.skipped = 1};
  bad.push_back({payload, std::move(reason_)});
  return {};
}

/// False: it is bad, which `reason_` says.
bool SparkplugDecoder::read(std::string_view payload, std::span<ColumnBuilder* const> columns) {
  if (!read_payload(payload, payload_, reason_)) return false;
  if (payload_.uuid != kCompressed || read_body(columns)) return true;
  reason_ = fmt::format("the payload in its body: {}", reason_);
  return false;
}

/// The payload is from now on what its body holds.
bool SparkplugDecoder::read_body(std::span<ColumnBuilder* const> columns) {
  const auto compression = compression_of_body(payload_);
  if (!compression) {
    reason_ = "it is compressed neither by GZIP nor by DEFLATE, as its metric 'algorithm' says";
    return false;
  }
  const Status done = decompress(payload_.body, *compression, options_.max_decompressed.bytes, scratch_);
  if (!done) {
    reason_ = why_not(done.error());
    return false;
  }
  if (!read_payload(heap_.keep(scratch_, columns), inner_, reason_)) return false;
  if (inner_.uuid == kCompressed) {
    reason_ = "it is compressed once more";
    return false;
  }
  take_over(payload_, inner_);
  std::swap(payload_, inner_);
  return true;
}

bool SparkplugDecoder::append_column(const Slot& slot, ColumnBuilder& out) {
  for (std::size_t i = 0; i < payload_.metrics.size(); ++i) {
    reason_.clear();
    if (append_cell(slot, i, out)) continue;
    if (reason_.empty() && slot.type.nullable()) {
      out.append_null();
      continue;
    }
    if (reason_.empty()) reason_ = fmt::format("'{}' is NOT NULL, but there is none", slot.name);
    reason_ = fmt::format("metric {}: {}", i, reason_);
    return false;
  }
  return true;
}

/// False: NULL, or the payload is bad, which `reason_` says.
bool SparkplugDecoder::append_cell(const Slot& slot, std::size_t index, ColumnBuilder& out) {
  const SparkplugMetric& metric = payload_.metrics[index];
  switch (slot.role) {
    case Role::kMetricIndex:
      out.append(static_cast<std::int32_t>(index));
      return true;
    case Role::kMetric:
      return append_bytes(metric.has_name, metric.name, out);
    case Role::kAlias:
      if (metric.has_alias) out.append(std::bit_cast<std::int64_t>(metric.alias));
      return metric.has_alias;
    case Role::kTs:
      return append_ts(metric, out);
    case Role::kDatatype:
      return append_datatype(metric, out);
    case Role::kIsHistorical:
      return append_flag(metric.is_historical, out);
    case Role::kIsTransient:
      return append_flag(metric.is_transient, out);
    case Role::kIsNull:
      return append_flag(metric.is_null, out);
    case Role::kProperties:
      return metric.has_properties && append_json(metric, slot.role, out);
    case Role::kIntValue:
    case Role::kDoubleValue:
    case Role::kBooleanValue:
    case Role::kStringValue:
    case Role::kBytesValue:
      return !metric.is_null && append_value(metric, slot.role, out);
    default:
      return append_payload_cell(slot.role, out);
  }
}

bool SparkplugDecoder::append_payload_cell(Role role, ColumnBuilder& out) const {
  switch (role) {
    case Role::kPayloadTs:
      return payload_.has_timestamp && append_time(payload_.timestamp, out);
    case Role::kSeq:
      if (payload_.has_seq) out.append(static_cast<std::int32_t>(payload_.seq));
      return payload_.has_seq;
    case Role::kBdSeq:
      if (bd_seq_) out.append(*bd_seq_);
      return bd_seq_.has_value();
    case Role::kUuid:
      return append_bytes(payload_.has_uuid, payload_.uuid, out);
    default:
      return append_bytes(payload_.has_body, payload_.body, out);
  }
}

bool SparkplugDecoder::append_ts(const SparkplugMetric& metric, ColumnBuilder& out) const {
  if (metric.has_timestamp) return append_time(metric.timestamp, out);
  if (payload_.has_timestamp) return append_time(payload_.timestamp, out);
  return received_ && append_time_cell(*received_, out.type().precision(), out);
}

bool SparkplugDecoder::append_time(std::uint64_t millis, ColumnBuilder& out) {
  const auto micros = static_cast<std::int64_t>(millis) * kMicrosPerMilli;
  return append_time_cell(micros, out.type().precision(), out);
}

/// A number that is no datatype as it is.
bool SparkplugDecoder::append_datatype(const SparkplugMetric& metric, ColumnBuilder& out) const {
  if (metric.type_number == 0) return false;
  const std::string_view name = sparkplug::name_of(metric.datatype());
  if (name.empty())
    out.append_string(std::to_string(metric.type_number));
  else
    out.append_view(name);
  return true;
}

bool SparkplugDecoder::append_value(const SparkplugMetric& metric, Role role, ColumnBuilder& out) {
  const SparkplugValue& value = metric.value;
  switch (role) {
    case Role::kIntValue: {
      if (!is_whole(value)) return false;
      const auto exact = sparkplug::whole_of(metric.datatype(), value.whole_bits()).exact;
      if (exact) out.append(*exact);
      return exact.has_value();
    }
    case Role::kDoubleValue:
      if (is_whole(value)) out.append(sparkplug::whole_of(metric.datatype(), value.whole_bits()).nearest);
      if (is_real(value)) out.append(value.real());
      return is_whole(value) || is_real(value);
    case Role::kBooleanValue:
      return value.kind == Kind::kBoolean && append_flag(value.bits != 0, out);
    case Role::kBytesValue:
      return append_bytes(value.kind == Kind::kBytes, value.bytes, out);
    default:
      if (value.kind == Kind::kDataSet || value.kind == Kind::kTemplate)
        return append_json(metric, role, out);
      return append_bytes(value.kind == Kind::kString, value.bytes, out);
  }
}

bool SparkplugDecoder::append_json(const SparkplugMetric& metric, Role role, ColumnBuilder& out) {
  json_.clear();
  bool good = false;
  std::string_view what = "DataSet";
  if (role == Role::kProperties) {
    what = "PropertySet";
    good = append_properties(metric.properties, json_);
  } else if (metric.value.kind == Kind::kTemplate) {
    what = "Template";
    good = append_template(metric.value.bytes, json_);
  } else {
    good = append_data_set(metric.value.bytes, json_);
  }
  if (good) out.append_string(json_);
  if (!good)
    reason_ = fmt::format("its {} cannot be read: it breaks off, is no UTF-8, or goes too deep", what);
  return good;
}

}  // namespace leat::formats
