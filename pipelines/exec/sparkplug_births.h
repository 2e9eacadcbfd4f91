// What SPARKPLUG remembers: which edge nodes and devices are there, and what their births said of metrics.
//
// State, under the node's fingerprint; a device without a name is the edge node itself:
//   "n" string group, string node                              => u8 standing, zigzag next seq (-1: any is
//                                                                 right), optional bdSeq, optional time of
//                                                                 the last request, u8 birth wanted
//                                                                 [, optional bdSeq before, payload]
//   "d" string group, string node, string device               => u8 standing
//   "m" string group, string node, string device, string name  => varint place in the birth, u8 datatype,
//                                                                 optional alias
//   payload  := u8 message, string device, optional seq, zigzag metric_index of its last row
//   optional := u8 there is one, zigzag
// What stands in brackets the first version did not write.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipelines/base/bytes.h"
#include "pipelines/column/sparkplug.h"
#include "pipelines/exec/operator.h"
#include "pipelines/exec/sparkplug_topic.h"

namespace leat::exec {

/// A metric as its birth tells of it.
struct BornMetric {
  std::string name;
  std::optional<std::int64_t> alias = {};
  sparkplug::Datatype type = sparkplug::Datatype::kUnknown;
  std::uint64_t place = 0;
};

enum class Standing : std::uint8_t {
  kUnseen,
  kOnline,
  kAwaited,  ///< A device: its edge node was born anew, its own birth is still to come.
  kOffline,
};

/// A device, or an edge node as far as it has metrics of its own.
struct BornDevice {
  std::string id;  ///< Empty: the edge node.
  Standing standing = Standing::kUnseen;
  std::deque<BornMetric> metrics;  ///< In the order of the birth.
  std::unordered_map<std::string_view, BornMetric*> by_name;
};

/// The payload of an edge node whose rows come at present: what tells its next row from that of the next one.
struct PayloadAtHand {
  static constexpr std::int64_t kNoneBefore = std::numeric_limits<std::int64_t>::max();

  SparkplugMessage message = SparkplugMessage::kNodeBirth;
  std::string device;  ///< Empty: of the edge node itself.
  std::optional<std::int64_t> seq;
  std::int64_t metric_index = kNoneBefore;  ///< Of its last row.
};

struct EdgeNode {
  static constexpr int kAnySeq = -1;
  struct Aliased {
    BornDevice* device = nullptr;
    BornMetric* metric = nullptr;
  };

  std::string group;
  std::string id;
  BornDevice own;
  std::map<std::string, BornDevice, std::less<>> devices;
  std::unordered_map<std::int64_t, Aliased> aliases;  ///< Of all that are online; each means one metric.
  std::optional<std::int64_t> bd_seq;                 ///< Of the last NBIRTH.
  std::optional<std::int64_t> bd_seq_before;          ///< Of the last NBIRTH that had another one.
  int next_seq = kAnySeq;
  std::optional<std::int64_t> asked_at;  ///< The gateway's clock when its births were last asked for.
  bool birth_wanted = false;             ///< Something was missed; until the next NBIRTH.
  PayloadAtHand payload;
  bool dirty = false;
};

class SparkplugBirths {
 public:
  /// Made when they are not known. References stay good.
  EdgeNode& node(std::string_view group, std::string_view id);
  /// An empty id: the edge node itself.
  static BornDevice& device(EdgeNode& node, std::string_view id);

  /// The last of several of one name in a birth counts, as does the last one that has an alias.
  void add_metric(EdgeNode& node, BornDevice& device, BornMetric metric);
  void forget_metrics(EdgeNode& node, BornDevice& device);
  /// No alias means anything until births say so.
  static void forget_aliases(EdgeNode& node) { node.aliases.clear(); }
  void set_standing(EdgeNode& node, BornDevice& device, Standing standing);
  /// Something of the edge node itself has changed.
  void touch(EdgeNode& node);

  /// As Operator::save and so on.
  void save(std::string_view fingerprint, StateChanges& changes);
  Status load(std::string_view key, std::string_view value);
  void loaded();
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

 private:
  static std::string key_of(char tag, const EdgeNode& node);
  static std::string key_of(char tag, const EdgeNode& node, const BornDevice& device);
  void write_metric(const EdgeNode& node, const BornDevice& device, const BornMetric& metric);
  static void release_alias(EdgeNode& node, const BornMetric& metric);
  void claim_alias(EdgeNode& node, BornDevice& device, BornMetric& metric);
  void index(EdgeNode& node, BornDevice& device);
  void load_metric(BornDevice& device, std::string_view name, ByteReader& value);
  static void load_node(EdgeNode& node, ByteReader& value);
  static void load_payload(PayloadAtHand& payload, ByteReader& value);

  std::unordered_map<std::string, std::unique_ptr<EdgeNode>> nodes_;  // By key_of.
  std::vector<EdgeNode*> dirty_;
  /// Entries of devices and metrics that have changed; none: erased.
  std::map<std::string, std::optional<std::string>> changed_;
  std::size_t metric_bytes_ = 0;
  std::string scratch_;
};

}  // namespace leat::exec
