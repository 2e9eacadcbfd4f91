#include "pipelines/exec/sparkplug.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace leat::exec {
namespace {

using sparkplug::Datatype;
using sparkplug::Role;
using Own = plan::SparkplugNode::Own;

constexpr int kSeqCount = 256;
constexpr std::int64_t kLastBdSeq = 255;

std::string_view name_of_event(std::size_t event) {
  constexpr std::array<std::string_view, 6> kNames = {"ONLINE", "VALUE",   "OFFLINE",
                                                      "STALE",  "UNKNOWN", "REBIRTH"};
  return kNames[event];
}

bool is_birth(SparkplugMessage message) {
  return message == SparkplugMessage::kNodeBirth || message == SparkplugMessage::kDeviceBirth;
}
bool is_data(SparkplugMessage message) {
  return message == SparkplugMessage::kNodeData || message == SparkplugMessage::kDeviceData;
}

void append_text_or_null(std::string_view text, ColumnBuilder& out) {
  if (text.empty()) return out.append_null();
  out.append_string(text);
}

/// What a number is of which only the birth told the datatype.
void append_whole(Datatype type, std::int64_t bits, ColumnBuilder& out) {
  const auto exact = sparkplug::whole_of(type, bits).exact;
  if (!exact) return out.append_null();
  out.append(*exact);
}

/// The same of a number that was read as a double; one that is no whole number stays as it is.
void append_real(Datatype type, double value, ColumnBuilder& out) {
  constexpr double kBeyond = 9.2e18;
  if (sparkplug::is_whole(type) && value > -kBeyond && value < kBeyond && std::trunc(value) == value)
    value = sparkplug::whole_of(type, static_cast<std::int64_t>(value)).nearest;
  out.append(value);
}

/// What the payload says is in each of its rows already, and is shared by those that are given out: a body of
/// 500 kB is not copied into each of 5,000.
std::vector<std::optional<Role>> rows_own(std::vector<std::optional<Role>> roles) {
  for (auto& role : roles)
    if (role && *role <= Role::kMetricIndex) role.reset();
  return roles;
}

}  // namespace

Sparkplug::Sparkplug(const plan::SparkplugNode& node, OperatorContext context)
    : fingerprint_(node.fingerprint),
      own_(node.own),
      passed_(node.passed),
      roles_(rows_own(node.roles)),
      topic_column_(node.topic),
      column_of_(static_cast<std::size_t>(Role::kBytesValue) + 1),
      rebirth_interval_(node.rebirth_interval.count()) {
  (void)context;
  for (const Role role : plan::kSparkplugNeeds)
    column_of_[static_cast<std::size_t>(role)] = node.column_of(role);
  ts_is_rowtime_ =
      node.inputs[0]->time_attributes[node.column_of(Role::kTs)] == plan::TimeAttribute::kRowTime;
  for (std::size_t i = 0; i < node.schema.size(); ++i)
    (i < own_.size() ? own_cells_ : cells_).emplace_back(node.schema.fields[i].type);
}

Status Sparkplug::process(std::size_t input, const Batch& batch, Output& out) {
  (void)input;
  counters_.rows_in += batch.size;
  for (std::uint32_t row = 0; row < batch.size; ++row) take_row(batch, row);
  return out.emit(take(batch));
}

Status Sparkplug::advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) {
  (void)input;
  return out.advance(watermark, now);
}

Status Sparkplug::loaded() {
  births_.loaded();
  return {};
}

// ---- The row at hand -------------------------------------------------------------------------------------

const Column& Sparkplug::column(const At& at, Role role) const {
  return *at.batch.columns[column_of_[static_cast<std::size_t>(role)]];
}

std::optional<std::int64_t> Sparkplug::whole(const At& at, Role role) const {
  const Column& cells = column(at, role);
  if (cells.is_null(at.row)) return std::nullopt;
  if (cells.type().layout() == Layout::kI32) return cells.values<std::int32_t>()[at.row];
  return cells.values<std::int64_t>()[at.row];
}

/// Empty: NULL.
std::string_view Sparkplug::text(const At& at, Role role) const {
  return column(at, role).strings()[at.row];
}

std::int64_t Sparkplug::event_time(const At& at) const {
  const auto to_millis = [](std::int64_t micros) {
    return floor_div(micros, kMicrosPerMilli) * kMicrosPerMilli;
  };
  const std::int64_t time = to_millis(at.batch.intake_times[at.row]);
  const std::int64_t watermark = at.batch.watermarks[at.row];
  if (!ts_is_rowtime_ || watermark < time || watermark == kMaxWatermark) return time;
  return saturating_add(to_millis(watermark), kMicrosPerMilli);
}

std::int64_t Sparkplug::row_time(const At& at) const {
  const auto time = whole(at, Role::kTs);
  return time ? *time : event_time(at);
}

// ---- Payloads --------------------------------------------------------------------------------------------

void Sparkplug::take_row(const Batch& batch, std::uint32_t row) {
  const std::string_view topic = batch.columns[topic_column_]->strings()[row];
  if (topic != topic_text_) {
    topic_text_ = topic;
    const bool ours = read_topic(topic_text_, topic_);
    node_ = ours ? &births_.node(topic_.group, topic_.node) : nullptr;
    device_ = ours ? &SparkplugBirths::device(*node_, topic_.device) : nullptr;
  }
  if (node_ == nullptr) {
    ++counters_.filtered;
    return;
  }
  ++counters_.applied;
  const At at{batch, row, topic_, *node_, *device_};
  if (begins_payload(at)) begin(at);
  const bool is_metric = !column(at, Role::kMetric).is_null(at.row) || whole(at, Role::kAlias);
  if (is_metric) take_metric(at);
}

/// The rows of a payload have one topic and one seq, and their metric_index grows.
bool Sparkplug::begins_payload(const At& at) {
  const auto index = whole(at, Role::kMetricIndex);
  if (!index) return false;
  const auto seq = whole(at, Role::kSeq);
  PayloadAtHand& payload = at.node.payload;
  const bool goes_on = payload.message == at.topic.message && payload.device == at.device.id &&
                       payload.seq == seq && payload.metric_index < *index;
  if (!goes_on) {
    payload.message = at.topic.message;
    payload.device = at.device.id;
    payload.seq = seq;
  }
  payload.metric_index = *index;
  births_.touch(at.node);
  return !goes_on;
}

void Sparkplug::begin(const At& at) {
  if (at.topic.message == SparkplugMessage::kNodeBirth || ends_session(at)) {
    at.node.birth_wanted = false;
    births_.touch(at.node);
  }
  if (at.node.birth_wanted) ask(at, "the births that are wanted have not come");
  switch (at.topic.message) {
    case SparkplugMessage::kNodeBirth:
    case SparkplugMessage::kDeviceBirth:
      return begin_birth(at);
    case SparkplugMessage::kNodeData:
    case SparkplugMessage::kDeviceData:
      return check_data(at);
    case SparkplugMessage::kNodeDeath:
      return end_node(at);
    case SparkplugMessage::kDeviceDeath:
      return end_device(at);
  }
}

void Sparkplug::begin_birth(const At& at) {
  if (at.topic.message == SparkplugMessage::kNodeBirth) {
    const auto bd_seq = whole(at, Role::kBdSeq);
    if (bd_seq != at.node.bd_seq) at.node.bd_seq_before = std::exchange(at.node.bd_seq, bd_seq);
    at.node.next_seq = EdgeNode::kAnySeq;
    SparkplugBirths::forget_aliases(at.node);
    for (auto& [id, device] : at.node.devices)
      if (device.standing == Standing::kOnline) births_.set_standing(at.node, device, Standing::kAwaited);
  }
  check_seq(at);
  if (at.topic.message == SparkplugMessage::kDeviceBirth && at.node.own.standing != Standing::kOnline)
    ask(at, "the birth of its edge node was not seen");
  births_.forget_metrics(at.node, at.device);
  births_.set_standing(at.node, at.device, Standing::kOnline);
  emit(at, {.event = Event::kOnline, .device = at.device.id, .ts = row_time(at)});
}

void Sparkplug::check_data(const At& at) {
  check_seq(at);
  if (at.node.own.standing != Standing::kOnline)
    ask(at, "the birth of the edge node was not seen");
  else if (at.device.standing != Standing::kOnline)
    ask(at, "the birth of the device was not seen");
}

/// A number that is due nowhere is a message that was missed; what came is taken all the same.
void Sparkplug::check_seq(const At& at) {
  const auto seq = whole(at, Role::kSeq);
  if (!seq) return;
  const int due = at.node.next_seq;
  at.node.next_seq = static_cast<int>(floor_mod(*seq + 1, kSeqCount));
  births_.touch(at.node);
  if (due == EdgeNode::kAnySeq || due == *seq) return;
  ask(at, fmt::format("seq {} came where {} was due", *seq, due));
}

bool Sparkplug::ends_session(const At& at) const {
  return at.topic.message == SparkplugMessage::kNodeDeath && !is_of_earlier_connection(at);
}

/// bdSeq numbers the connections of an edge node, from 0 again behind 255
/// (tck-id-topics-nbirth-bdseq-matching and -increment). A broker that is slow to miss a connection speaks
/// its will when the birth of the next one has come; it has the number before the birth's, or, where the
/// count began anew, that of the birth before. Every other number is of a connection whose birth was missed,
/// as NBIRTHs are of QoS 0: it came behind the one that was seen, so both are over. An edge node that lives
/// all the same is asked for its births at its next data; one that is dead would stay online for ever.
bool Sparkplug::is_of_earlier_connection(const At& at) const {
  const auto bd_seq = whole(at, Role::kBdSeq);
  const auto present = at.node.bd_seq;
  if (!bd_seq || !present || bd_seq == present) return false;
  return *bd_seq == (*present == 0 ? kLastBdSeq : *present - 1) || bd_seq == at.node.bd_seq_before;
}

void Sparkplug::end_node(const At& at) {
  if (!ends_session(at)) return;
  at.node.next_seq = EdgeNode::kAnySeq;
  const std::int64_t ts = event_time(at);
  take_off(at, at.node.own, ts);
  births_.touch(at.node);
  for (auto& [id, device] : at.node.devices)
    if (device.standing != Standing::kUnseen) take_off(at, device, ts);
}

void Sparkplug::end_device(const At& at) {
  check_seq(at);
  if (at.node.own.standing != Standing::kOnline) ask(at, "the birth of the edge node was not seen");
  take_off(at, at.device, row_time(at));
}

void Sparkplug::take_off(const At& at, BornDevice& device, std::int64_t ts) {
  if (device.standing == Standing::kOffline) return;
  emit(at, {.event = Event::kOffline, .device = device.id, .ts = ts});
  for (const BornMetric& metric : device.metrics)
    emit(at, {.event = Event::kStale, .device = device.id, .metric = &metric, .ts = ts});
  births_.forget_metrics(at.node, device);
  births_.set_standing(at.node, device, Standing::kOffline);
}

void Sparkplug::ask(const At& at, std::string_view reason) {
  const std::int64_t now = at.batch.intake_times[at.row];
  const auto before = at.node.asked_at;
  const bool too_soon = before && now >= *before && now - *before < rebirth_interval_;
  at.node.birth_wanted = true;
  births_.touch(at.node);
  if (too_soon) return;
  at.node.asked_at = now;
  emit(at, {.event = Event::kRebirth, .device = {}, .ts = event_time(at), .reason = reason});
}

// ---- Metrics ---------------------------------------------------------------------------------------------

void Sparkplug::take_metric(const At& at) {
  if (is_birth(at.topic.message)) return take_born(at);
  if (is_data(at.topic.message)) return take_data(at);
}

void Sparkplug::take_born(const At& at) {
  const std::string_view name = text(at, Role::kMetric);
  if (name.empty()) {
    emit(at,
         {.event = Event::kUnknown, .device = at.device.id, .reason = "a birth without the metric's name"});
    return;
  }
  births_.add_metric(at.node, at.device,
                     {.name = std::string(name),
                      .alias = whole(at, Role::kAlias),
                      .type = sparkplug::datatype_named(text(at, Role::kDatatype))});
  emit(at, {.event = Event::kValue, .device = at.device.id, .metric = at.device.by_name.find(name)->second});
}

void Sparkplug::take_data(const At& at) {
  const std::string_view name = text(at, Role::kMetric);
  Made made{.event = Event::kValue, .device = at.device.id};
  if (!name.empty()) {
    const auto known = at.device.by_name.find(name);
    if (known != at.device.by_name.end()) made.metric = known->second;
    return emit(at, made);
  }
  const auto alias = whole(at, Role::kAlias);
  if (!alias) {
    made.event = Event::kUnknown;
    made.reason = "a metric with neither name nor alias";
    return emit(at, made);
  }
  const auto known = at.node.aliases.find(*alias);
  if (known != at.node.aliases.end() && known->second.device == &at.device) {
    made.metric = known->second.metric;
    return emit(at, made);
  }
  const std::string reason = fmt::format("alias {} is in no birth that was seen", *alias);
  ask(at, reason);
  emit(at, {.event = Event::kUnknown, .device = at.device.id, .reason = reason});
}

// ---- Rows ------------------------------------------------------------------------------------------------

void Sparkplug::emit(const At& at, const Made& made) {
  append_own(at, made);
  for (std::size_t i = 0; i < passed_.size(); ++i)
    if (const auto role = roles_[passed_[i]])
      append_cell(at, made, *role, *at.batch.columns[passed_[i]], cells_[i]);
  rows_.push_back(at.row);
}

void Sparkplug::append_own(const At& at, const Made& made) {
  for (std::size_t i = 0; i < own_.size(); ++i) {
    ColumnBuilder& out = own_cells_[i];
    switch (own_[i]) {
      case Own::kGroup:
        out.append_string(at.topic.group);
        break;
      case Own::kNode:
        out.append_string(at.topic.node);
        break;
      case Own::kDevice:
        append_text_or_null(made.device, out);
        break;
      case Own::kMessageType:
        out.append_string(name_of(at.topic.message));
        break;
      case Own::kEvent:
        out.append_string(name_of_event(static_cast<std::size_t>(made.event)));
        break;
      case Own::kReason:
        append_text_or_null(made.reason, out);
        break;
    }
  }
}

void Sparkplug::append_cell(const At& at, const Made& made, Role role, const Column& from,
                            ColumnBuilder& out) {
  const bool of_metric = made.event == Event::kValue || made.event == Event::kUnknown;
  if (!of_metric) return append_event_cell(made, role, out);
  if (made.metric != nullptr && append_born_cell(at, *made.metric, role, from, out)) return;
  out.append_cell(from, at.row);
}

void Sparkplug::append_event_cell(const Made& made, Role role, ColumnBuilder& out) {
  const BornMetric* const metric = made.metric;
  if (role == Role::kTs) return out.append(made.ts);
  if (metric == nullptr) return out.append_null();
  switch (role) {
    case Role::kMetric:
      return out.append_string(metric->name);
    case Role::kDatatype:
      return append_text_or_null(sparkplug::name_of(metric->type), out);
    case Role::kIsNull:
      return out.append<std::uint8_t>(1);
    case Role::kAlias:
      if (metric->alias) return out.append(*metric->alias);
      return out.append_null();
    default:
      return out.append_null();
  }
}

/// False: the cell is as it came.
bool Sparkplug::append_born_cell(const At& at, const BornMetric& metric, Role role, const Column& from,
                                 ColumnBuilder& out) const {
  const bool is_null = from.is_null(at.row);
  const bool untyped_number = !is_null && text(at, Role::kDatatype).empty();
  switch (role) {
    case Role::kMetric:
      out.append_string(metric.name);
      return true;
    case Role::kAlias:
      if (is_null && metric.alias) out.append(*metric.alias);
      return is_null && metric.alias;
    case Role::kDatatype:
      if (is_null) append_text_or_null(sparkplug::name_of(metric.type), out);
      return is_null;
    case Role::kIntValue:
      if (untyped_number) append_whole(metric.type, from.values<std::int64_t>()[at.row], out);
      return untyped_number;
    case Role::kDoubleValue:
      if (untyped_number) append_real(metric.type, from.values<double>()[at.row], out);
      return untyped_number;
    default:
      return false;
  }
}

Batch Sparkplug::take(const Batch& batch) {
  Batch made = only_time(batch.watermark_after);
  made.size = rows_.size();
  if (rows_.empty()) return made;
  counters_.rows_out += rows_.size();
  for (ColumnBuilder& cells : own_cells_) made.columns.push_back(cells.finish());
  for (std::size_t i = 0; i < passed_.size(); ++i)
    made.columns.push_back(roles_[passed_[i]] ? cells_[i].finish()
                                              : gather(batch.columns[passed_[i]], rows_));
  for (const std::uint32_t row : rows_) {
    made.watermarks.push_back(batch.watermarks[row]);
    made.intake_times.push_back(batch.intake_times[row]);
  }
  rows_.clear();
  return made;
}

}  // namespace leat::exec
