#include "sinks/blackhole/blackhole_sink.h"

#include <atomic>

#include "sinks/connector.h"

namespace leat::sinks {

namespace {

struct BlackholeOptions {};

const OptionTable<BlackholeOptions>& blackhole_options() {
  static const OptionTable<BlackholeOptions> table{};
  return table;
}

class BlackholeSink final : public Sink {
 public:
  Delivery deliver(const Shipment&) override {
    if (interrupted_) return Retry{"interrupted", std::nullopt};
    return Delivered{};
  }
  void interrupt() override { interrupted_ = true; }

 private:
  std::atomic<bool> interrupted_ = false;
};

}  // namespace

SinkConnector blackhole_connector() {
  SinkConnector connector =
      sink_connector<BlackholeOptions>("blackhole", "Takes every row and keeps none.", blackhole_options);
  connector.info.changes = plan::SinkChanges::kRetract;
  connector.encoding = Encoding::kNothing;
  connector.build = [](const OptionMap&, const SinkContext&) -> Result<std::unique_ptr<Sink>> {
    return std::make_unique<BlackholeSink>();
  };
  return connector;
}

}  // namespace leat::sinks
