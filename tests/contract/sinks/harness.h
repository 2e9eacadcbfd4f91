// What the contract suite needs of a sink and of the world it delivers to.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "sinks/sink.h"

namespace leat::contract {

using Payloads = std::vector<std::string>;

/// A context of pipeline "pumps", table "upstream", gateway "gw1", format json.
sinks::SinkContext test_context();

/// A shipment with one block per payload.
sinks::Shipment make_shipment(std::uint64_t number, const Payloads& payloads, std::string sink_state = {});

/// A block of one record that goes to a folder of PARTITIONED BY.
std::string record_in(const std::string& folder, const std::string& payload);

/// Validates (an error fails the test) and builds.
std::unique_ptr<sinks::Sink> build_sink(const std::string& connector, const OptionMap& options,
                                        const sinks::SinkContext& context = test_context());

/// Delivers as delivery does: the same shipment with rising attempts until it is no Retry, or patience ends.
sinks::Delivery deliver_until_settled(sinks::Sink& sink, sinks::Shipment shipment);

/// The same while it is to be tried again without anybody's help: mosquitto closes the connection behind a
/// message that it denies when more have come meanwhile, and its answer may be lost with it.
sinks::Delivery deliver_until_paused(sinks::Sink& sink, sinks::Shipment shipment);

/// Calls `deliver` on a thread of its own, interrupts it once `under_way` says so, and gives how long it then
/// took.
std::chrono::milliseconds time_to_interrupt(sinks::Sink& sink, const sinks::Shipment& shipment,
                                            const std::function<bool()>& under_way, sinks::Delivery& outcome);

/// Waits until `what` is true, with the suite's patience; false when that ends.
bool eventually(const std::function<bool()>& what);

bool delivered(const sinks::Delivery& outcome);
/// A Retry that is (not) paused.
bool retried(const sinks::Delivery& outcome);
bool paused(const sinks::Delivery& outcome);
/// For messages.
std::string shown(const sinks::Delivery& outcome);

/// A sink together with the other side. `build` makes a new sink for the same other side.
class SinkHarness {
 public:
  virtual ~SinkHarness() = default;
  virtual std::unique_ptr<sinks::Sink> build() = 0;
  /// What has arrived, each record once (as a receiver that uses the sink's identities sees it), in order.
  virtual Payloads arrived() = 0;
};

/// A harness whose other side can be away, and come back at the same place.
class RemoteHarness : public SinkHarness {
 public:
  virtual std::unique_ptr<sinks::Sink> build_for_nobody() = 0;  ///< The other side was never there.
  virtual void go_away() = 0;
  virtual void come_back() = 0;
  /// A sink that the other side will not take anything from until a human acts.
  virtual std::unique_ptr<sinks::Sink> build_unwelcome() = 0;
};

}  // namespace leat::contract
