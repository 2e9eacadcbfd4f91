#include "daemon/runtime/catalog.h"

#include <span>

#include "daemon/log/log.h"
#include "daemon/runtime/format_files.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/protobuf_format.h"
#include "sinks/sink.h"
#include "sources/source.h"

namespace leat::runtime {
namespace {

void add_sink(plan::Catalog& catalog, const plan::ConnectorInfo& sink) {
  for (plan::ConnectorInfo& known : catalog.connectors) {
    if (known.name != sink.name) continue;
    known.can_write = true;
    known.sink_options = sink.sink_options;
    known.validate_sink = sink.validate_sink;
    known.changes = sink.changes;
    known.delivered = sink.delivered;
    known.validate_sink_table = sink.validate_sink_table;
    // Only the source's metadata can be read; what a sink can write is listed by the sink.
    if (sink.metadata)
      known.metadata = [read = known.metadata, written = sink.metadata](const OptionMap& options) {
        auto columns = read ? read(options) : std::vector<plan::MetadataColumn>();
        for (auto& column : written(options)) columns.push_back(std::move(column));
        return columns;
      };
    return;
  }
  catalog.connectors.push_back(sink);
}

using Judge = std::function<void(const OptionMap&, const Schema&, std::vector<OptionError>&)>;

/// The format's own judgement, of what its files hold.
Judge with_contents(const formats::Format& format, const Judge& judge) {
  if (!judge) return nullptr;
  return [&format, judge](const OptionMap& options, const Schema& schema, std::vector<OptionError>& errors) {
    const auto read = with_files(format, options);
    const std::size_t before = errors.size();
    if (read)
      judge(*read, schema, errors);
    else
      errors.push_back({read.error().option, OptionError::Part::kValue, read.error().message});
    if (read) name_files(format, options, std::span(errors).subspan(before));
  };
}

plan::Catalog make_catalog() {
  formats::route_protobuf_notes([](const std::string& note) { log::warn("protobuf", {{"note", note}}); });
  plan::Catalog catalog;
  for (const sources::SourceConnector& source : sources::all_sources())
    catalog.connectors.push_back(source.info);
  for (const sinks::SinkConnector& sink : sinks::all_sinks()) add_sink(catalog, sink.info);
  for (const formats::Format& format : formats::all_formats())
    catalog.formats.push_back({.name = format.name,
                               .can_decode = format.make_decoder != nullptr,
                               .can_encode = format.make_encoder != nullptr,
                               .options = format.options,
                               .validate = with_contents(format, format.validate),
                               .validate_source = with_contents(format, format.validate_source),
                               .validate_sink = with_contents(format, format.validate_sink),
                               .changelog = format.changelog});
  return catalog;
}

}  // namespace

const plan::Catalog& catalog() {
  static const plan::Catalog made = make_catalog();
  return made;
}

}  // namespace leat::runtime
