// What all connectors share: from a typed option table to the entry in sink_table.cc.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/option_judgement.h"
#include "sinks/sink.h"

namespace leat::sinks {

/// The options of a map that was validated before; keys of others are skipped.
template <class Options>
Options validated_options(const OptionTable<Options>& table, const OptionMap& map) {
  std::vector<OptionError> judged_before;
  return table.read(map, {}, judged_before);
}

/// What a table of single keys cannot say: keys that need or exclude each other, texts with an inner form.
/// An option that could not be read has its default, and what follows from that is not reported.
template <class Options>
using OptionCheck = void (*)(const Options&, const OptionMap&, std::vector<OptionError>&);

/// A connector that only writes, with its table's documentation and validation; the caller adds the rest.
template <class Options>
SinkConnector sink_connector(std::string name, std::string doc, const OptionTable<Options>& (*table)(),
                             OptionCheck<Options> check = nullptr) {
  SinkConnector connector;
  connector.info.name = std::move(name);
  connector.info.doc = std::move(doc);
  connector.info.can_write = true;
  connector.info.sink_options = [table] { return table().docs(); };
  connector.info.validate_sink = [table, check](const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                                std::vector<OptionError>& errors) {
    const Options options = table().read(map, foreign, errors);
    if (check == nullptr) return;
    judge_together(errors, [&](std::vector<OptionError>& found) { check(options, map, found); });
  };
  connector.info.metadata = [](const OptionMap&) { return std::vector<plan::MetadataColumn>(); };
  return connector;
}

/// How many records and bytes a shipment takes, and how long it may wait to fill: the same keys for every
/// sink that has them. The struct has the fields max_rows, max_bytes and linger; their initialisers are the
/// defaults.
template <class Options>
Option<Options> max_rows_option() {
  return option("sink.batch.max-rows", &Options::max_rows, Necessity::kOptional,
                "Records that a shipment takes at most.");
}
template <class Options>
Option<Options> max_bytes_option() {
  return option("sink.batch.max-bytes", &Options::max_bytes, Necessity::kOptional,
                "Bytes that a shipment takes at most; at least one block of the outbox goes, however large.");
}
template <class Options>
Option<Options> linger_option() {
  return option("sink.batch.linger", &Options::linger, Necessity::kOptional,
                "How long a shipment may wait to fill.");
}
template <class Options>
BatchLimits batch_limits_of(const Options& options) {
  return BatchLimits{options.max_rows, options.max_bytes, options.linger};
}

/// A name made of names that cannot be mistaken for one of other names: joined by `separator`, each part with
/// everything but letters, digits, '_', '-' and '.' written as %XX.
std::string joined_name(const std::vector<std::string_view>& parts, char separator);

/// What tells a shipment from every other one: "<store id>:<pipeline>:<table>:<number>", and
/// ":<first>+<count>" behind it for a slice.
std::string shipment_name(const SinkContext& context, const Shipment& shipment);

}  // namespace leat::sinks
