#include "pipelines/exec/sparkplug_births.h"

#include <algorithm>

#include "pipelines/exec/state_entries.h"

namespace leat::exec {
namespace {

constexpr char kNodeTag = 'n';
constexpr char kDeviceTag = 'd';
constexpr char kMetricTag = 'm';
constexpr std::size_t kNodeOfAMap = 64;  // Bytes around an entry, about.

void write_optional(std::optional<std::int64_t> value, ByteWriter& out) {
  out.u8(value ? 1 : 0);
  out.zigzag(value.value_or(0));
}

std::optional<std::int64_t> read_optional(ByteReader& in) {
  const bool has = in.u8() != 0;
  const std::int64_t value = in.zigzag();
  return has ? std::optional(value) : std::nullopt;
}

void write_payload(const PayloadAtHand& payload, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(payload.message));
  out.string(payload.device);
  write_optional(payload.seq, out);
  out.zigzag(payload.metric_index);
}

/// A number that stands for none: unseen.
Standing read_standing(ByteReader& in) {
  const std::uint8_t number = in.u8();
  return number > static_cast<std::uint8_t>(Standing::kOffline) ? Standing::kUnseen
                                                                : static_cast<Standing>(number);
}

std::size_t bytes_of(const BornMetric& metric) {
  return sizeof(BornMetric) + metric.name.capacity() + 2 * kNodeOfAMap;
}

void write_names(std::string_view group, std::string_view node, std::string& out) {
  ByteWriter writer(out);
  writer.string(group);
  writer.string(node);
}

}  // namespace

std::string SparkplugBirths::key_of(char tag, const EdgeNode& node) {
  std::string key(1, tag);
  write_names(node.group, node.id, key);
  return key;
}

std::string SparkplugBirths::key_of(char tag, const EdgeNode& node, const BornDevice& device) {
  std::string key = key_of(tag, node);
  ByteWriter(key).string(device.id);
  return key;
}

EdgeNode& SparkplugBirths::node(std::string_view group, std::string_view id) {
  scratch_.clear();
  write_names(group, id, scratch_);
  std::unique_ptr<EdgeNode>& found = nodes_[scratch_];
  if (!found) {
    found = std::make_unique<EdgeNode>();
    found->group = group;
    found->id = id;
  }
  return *found;
}

BornDevice& SparkplugBirths::device(EdgeNode& node, std::string_view id) {
  if (id.empty()) return node.own;
  const auto found = node.devices.find(id);
  if (found != node.devices.end()) return found->second;
  BornDevice& made = node.devices[std::string(id)];
  made.id = id;
  return made;
}

void SparkplugBirths::write_metric(const EdgeNode& node, const BornDevice& device, const BornMetric& metric) {
  std::string key = key_of(kMetricTag, node, device);
  ByteWriter(key).string(metric.name);
  std::string value;
  ByteWriter writer(value);
  writer.varint(metric.place);
  writer.u8(static_cast<std::uint8_t>(metric.type));
  write_optional(metric.alias, writer);
  changed_[std::move(key)] = std::move(value);
}

void SparkplugBirths::release_alias(EdgeNode& node, const BornMetric& metric) {
  if (!metric.alias) return;
  const auto aliased = node.aliases.find(*metric.alias);
  if (aliased != node.aliases.end() && aliased->second.metric == &metric) node.aliases.erase(aliased);
}

/// Whoever had it before has none any more.
void SparkplugBirths::claim_alias(EdgeNode& node, BornDevice& device, BornMetric& metric) {
  if (!metric.alias || device.standing != Standing::kOnline) return;
  EdgeNode::Aliased& holder = node.aliases[*metric.alias];
  if (holder.metric != nullptr && holder.metric != &metric) {
    holder.metric->alias.reset();
    write_metric(node, *holder.device, *holder.metric);
  }
  holder = {&device, &metric};
}

void SparkplugBirths::add_metric(EdgeNode& node, BornDevice& device, BornMetric metric) {
  const auto known = device.by_name.find(metric.name);
  BornMetric* added = known == device.by_name.end() ? nullptr : known->second;
  if (added != nullptr) {
    release_alias(node, *added);
    added->alias = metric.alias;
    added->type = metric.type;
  } else {
    metric.place = device.metrics.size();
    metric_bytes_ += bytes_of(metric);
    added = &device.metrics.emplace_back(std::move(metric));
    device.by_name[added->name] = added;
  }
  claim_alias(node, device, *added);
  write_metric(node, device, *added);
}

void SparkplugBirths::forget_metrics(EdgeNode& node, BornDevice& device) {
  const std::string prefix = key_of(kMetricTag, node, device);
  for (const BornMetric& metric : device.metrics) {
    std::string key = prefix;
    ByteWriter(key).string(metric.name);
    changed_[std::move(key)] = std::nullopt;
    metric_bytes_ -= std::min(metric_bytes_, bytes_of(metric));
    release_alias(node, metric);
  }
  device.by_name.clear();
  device.metrics.clear();
}

void SparkplugBirths::set_standing(EdgeNode& node, BornDevice& device, Standing standing) {
  device.standing = standing;
  if (device.id.empty()) return touch(node);
  changed_[key_of(kDeviceTag, node, device)] = std::string(1, static_cast<char>(standing));
}

void SparkplugBirths::touch(EdgeNode& node) {
  if (!std::exchange(node.dirty, true)) dirty_.push_back(&node);
}

// ---- State -----------------------------------------------------------------------------------------------

void SparkplugBirths::save(std::string_view fingerprint, StateChanges& changes) {
  EntryBuffer value;
  for (EdgeNode* const node : dirty_) {
    node->dirty = false;
    ByteWriter& writer = value.begin();
    writer.u8(static_cast<std::uint8_t>(node->own.standing));
    writer.zigzag(node->next_seq);
    write_optional(node->bd_seq, writer);
    write_optional(node->asked_at, writer);
    writer.u8(node->birth_wanted ? 1 : 0);
    write_optional(node->bd_seq_before, writer);
    write_payload(node->payload, writer);
    changes.put(fingerprint, key_of(kNodeTag, *node), value.bytes());
  }
  dirty_.clear();
  for (const auto& [key, entry] : changed_) {
    if (entry)
      changes.put(fingerprint, key, *entry);
    else
      changes.erase(fingerprint, key);
  }
  changed_.clear();
}

void SparkplugBirths::load_node(EdgeNode& node, ByteReader& value) {
  node.own.standing = read_standing(value);
  const std::int64_t next = value.zigzag();
  node.next_seq = next >= 0 && next <= 255 ? static_cast<int>(next) : EdgeNode::kAnySeq;
  node.bd_seq = read_optional(value);
  node.asked_at = read_optional(value);
  node.birth_wanted = value.u8() != 0;
  if (value.at_end()) return;
  node.bd_seq_before = read_optional(value);
  load_payload(node.payload, value);
}

void SparkplugBirths::load_payload(PayloadAtHand& payload, ByteReader& value) {
  const std::uint8_t message = value.u8();
  if (message <= static_cast<std::uint8_t>(SparkplugMessage::kDeviceDeath))
    payload.message = static_cast<SparkplugMessage>(message);
  payload.device = value.string();
  payload.seq = read_optional(value);
  payload.metric_index = value.zigzag();
}

void SparkplugBirths::load_metric(BornDevice& device, std::string_view name, ByteReader& value) {
  BornMetric metric{.name = std::string(name)};
  metric.place = value.varint();
  const std::uint8_t type = value.u8();
  if (type <= static_cast<std::uint8_t>(sparkplug::kLastDatatype))
    metric.type = static_cast<sparkplug::Datatype>(type);
  metric.alias = read_optional(value);
  metric_bytes_ += bytes_of(metric);
  device.metrics.push_back(std::move(metric));
}

Status SparkplugBirths::load(std::string_view key, std::string_view value) {
  ByteReader names(key.substr(std::min<std::size_t>(key.size(), 1)));
  ByteReader cells(value);
  const char tag = key.empty() ? '\0' : key[0];
  const std::string_view group = names.string();
  EdgeNode& edge = node(group, names.string());
  if (tag == kNodeTag) load_node(edge, cells);
  if (tag == kDeviceTag) device(edge, names.string()).standing = read_standing(cells);
  if (tag == kMetricTag) {
    BornDevice& owner = device(edge, names.string());
    load_metric(owner, names.string(), cells);
  }
  const bool known = tag == kNodeTag || tag == kDeviceTag || tag == kMetricTag;
  if (known && names.ok() && names.at_end() && cells.ok() && cells.at_end()) return {};
  return fail(ErrorCode::kCorrupt, "a state entry of SPARKPLUG is damaged");
}

/// What `load` could not, as entries come in any order.
void SparkplugBirths::index(EdgeNode& node, BornDevice& device) {
  std::ranges::sort(device.metrics, {},
                    [](const BornMetric& metric) { return std::pair(metric.place, metric.name); });
  for (std::size_t i = 0; i < device.metrics.size(); ++i) {
    BornMetric& metric = device.metrics[i];
    metric.place = i;
    device.by_name[metric.name] = &metric;
    claim_alias(node, device, metric);
  }
}

void SparkplugBirths::loaded() {
  for (auto& [key, node] : nodes_) {
    index(*node, node->own);
    for (auto& [id, device] : node->devices) index(*node, device);
  }
}

std::size_t SparkplugBirths::memory_bytes() const {
  std::size_t devices = 0;
  for (const auto& [key, node] : nodes_) devices += node->devices.size();
  return metric_bytes_ + nodes_.size() * (sizeof(EdgeNode) + kNodeOfAMap) +
         devices * (sizeof(BornDevice) + kNodeOfAMap);
}

}  // namespace leat::exec
