#include "tests/contract/sinks/harness.h"

#include <doctest/doctest.h>

#include <future>
#include <thread>

#include "tests/contract/sinks/external_process.h"

namespace leat::contract {

using namespace leat::sinks;

SinkContext test_context() {
  SinkContext context;
  context.gateway_id = "gw1";
  context.store = {"0123456789abcdef0123456789abcdef"};
  context.pipeline = {"pumps"};
  context.table = {"upstream"};
  context.format = "json";
  context.separator = "\n";
  context.content_type = "application/json";
  return context;
}

Shipment make_shipment(std::uint64_t number, const Payloads& payloads, std::string sink_state) {
  Shipment shipment;
  shipment.store = test_context().store;
  shipment.number = {number};
  shipment.sink_state = std::move(sink_state);
  for (const std::string& payload : payloads) {
    BlockBuilder builder;
    builder.add("", payload);
    shipment.blocks.push_back(builder.seal());
  }
  return shipment;
}

std::string record_in(const std::string& folder, const std::string& payload) {
  BlockBuilder builder;
  builder.add(folder, payload);
  return builder.seal();
}

std::unique_ptr<Sink> build_sink(const std::string& connector, const OptionMap& options,
                                 const SinkContext& context) {
  std::vector<OptionError> errors;
  find_sink(connector)->info.validate_sink(options, {{.key = "format"}}, errors);
  for (const OptionError& error : errors) FAIL(error.message);
  auto sink = find_sink(connector)->build(options, context);
  if (!sink) FAIL(sink.error().message);
  return std::move(*sink);
}

namespace {

Delivery deliver_while(Sink& sink, Shipment shipment, const std::function<bool(const Delivery&)>& goes_on) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  Delivery outcome = sink.deliver(shipment);
  while (goes_on(outcome) && std::chrono::steady_clock::now() < deadline) {
    ++shipment.attempt;
    std::this_thread::yield();
    outcome = sink.deliver(shipment);
  }
  return outcome;
}

}  // namespace

Delivery deliver_until_settled(Sink& sink, Shipment shipment) {
  return deliver_while(sink, std::move(shipment),
                       [](const Delivery& outcome) { return std::holds_alternative<Retry>(outcome); });
}

Delivery deliver_until_paused(Sink& sink, Shipment shipment) {
  return deliver_while(sink, std::move(shipment), retried);
}

std::chrono::milliseconds time_to_interrupt(Sink& sink, const Shipment& shipment,
                                            const std::function<bool()>& under_way, Delivery& outcome) {
  auto delivery = std::async(std::launch::async, [&] { return sink.deliver(shipment); });
  CHECK(eventually(under_way));
  const auto before = std::chrono::steady_clock::now();
  sink.interrupt();
  outcome = delivery.get();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - before);
}

bool eventually(const std::function<bool()>& what) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!what()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

bool delivered(const Delivery& outcome) {
  return std::holds_alternative<Delivered>(outcome);
}

bool retried(const Delivery& outcome) {
  const auto* retry = std::get_if<Retry>(&outcome);
  return retry != nullptr && !retry->paused;
}

std::string shown(const Delivery& outcome) {
  if (const auto* retry = std::get_if<Retry>(&outcome))
    return (retry->paused ? "paused: " : "to be tried again: ") + retry->reason;
  const auto* rejected = std::get_if<Rejected>(&outcome);
  return rejected != nullptr ? "rejected: " + rejected->reason : "delivered";
}

bool paused(const Delivery& outcome) {
  const auto* retry = std::get_if<Retry>(&outcome);
  return retry != nullptr && retry->paused;
}

}  // namespace leat::contract
