#include "daemon/runtime/rehearsal.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "daemon/runtime/lookups.h"
#include "daemon/runtime/secrets.h"
#include "daemon/runtime/sink_writer.h"
#include "daemon/runtime/source_reader.h"
#include "pipelines/plan/node_build.h"
#include "sources/clients/local_stream.h"

namespace leat::runtime {
namespace {

/// A dataflow that nobody feeds.
class Silence final : public exec::Environment {
 public:
  Status output(std::size_t, const Batch&) override { return {}; }
  void dead(std::string_view, const Schema&, const Batch&, std::size_t, std::string_view) override {}
  void late(std::string_view, const Schema&, const Batch&, std::span<const std::uint32_t>) override {}
};

/// Without a journal's folder: the intake is a queue in memory.
ReaderContext reader_context(const PipelineName& name, const plan::Plan& plan,
                             const PipelineContext& context) {
  return {.pipeline = name,
          .identity = context.identity,
          .gateway_id = context.gateway_id,
          .store = context.store->id(),
          .journal_dir = {},
          .time_zone = time_zone_of(plan),
          .chunk_bytes = context.chunk_bytes,
          .now = [clock = context.clock] { return clock->wall(); },
          .wake = [] {},
          .tables = &context.store->tables(),
          .streams = &context.store->streams()};
}

Status build_sinks(const PipelineName& name, const plan::Plan& plan, const PipelineContext& context,
                   std::vector<store::TableDeclaration>& tables) {
  std::set<std::string> built;
  for (const auto& sink : plan.sinks) {
    if (sink->connector.empty() || !built.insert(sink->table).second) continue;
    LEAT_ASSIGN(const std::unique_ptr<SinkWriter> writer, SinkWriter::create(*sink, time_zone_of(plan)));
    if (writer->table()) tables.push_back({.table = writer->table(), .writes = true});
    if (!writer->delivers()) continue;
    const sinks::SinkConnector& connector = writer->connector();
    const auto options = with_secrets(sink->options, connector.info.validate_sink);
    if (!options) return fail(options.error(), fmt::format("table '{}'", sink->table));
    if (const auto made = connector.build(*options, sink_context(*writer, name, context)); !made)
      return fail(made.error(), fmt::format("table '{}'", sink->table));
  }
  return {};
}

Result<std::unique_ptr<exec::Dataflow>> build(const PipelineName& name, const plan::Plan& plan,
                                              const PipelineContext& context, Silence& environment,
                                              std::unique_ptr<Lookups>& lookups) {
  lookups = std::make_unique<Lookups>(context.store->tables(), reader_context(name, plan, context));
  exec::DataflowOptions options;
  options.lookups = lookups.get();
  return exec::build_dataflow(plan, options, environment);
}

}  // namespace

Result<Rehearsed> rehearse(const PipelineName& name, const plan::Plan& plan, const PipelineContext& context) {
  Rehearsed rehearsed;
  const ReaderContext reader = reader_context(name, plan, context);
  for (const auto& scan : plan.scans)
    LEAT_TRY(SourceReader::create(*scan, reader, {}).map([](const auto&) {}));
  LEAT_TRY(build_sinks(name, plan, context, rehearsed.tables));
  add_tables_read(plan, rehearsed.tables);
  LEAT_TRY(context.store->tables().rehearse(name, rehearsed.tables));
  rehearsed.streams = streams_of(plan);
  LEAT_TRY(context.store->streams().rehearse(name, rehearsed.streams));
  Silence environment;
  std::unique_ptr<Lookups> lookups;
  LEAT_ASSIGN(const auto dataflow, build(name, plan, context, environment, lookups));
  rehearsed.operators = dataflow->operators();
  return rehearsed;
}

std::vector<exec::Dataflow::OperatorInfo> operators_of(const PipelineName& name, const plan::Plan& plan,
                                                       const PipelineContext& context) {
  Silence environment;
  std::unique_ptr<Lookups> lookups;
  const auto dataflow = build(name, plan, context, environment, lookups);
  return dataflow ? (*dataflow)->operators() : std::vector<exec::Dataflow::OperatorInfo>();
}

void add_tables_read(const plan::Plan& plan, std::vector<store::TableDeclaration>& declared) {
  const auto reads = [&](sources::LocalTable table) {
    declared.push_back(
        {.table = std::make_shared<const sources::LocalTable>(std::move(table)), .reads = true});
  };
  for (const auto& scan : plan.scans)
    if (scan->connector == "sqlite")
      reads(sources::local_table(scan->table, scan->options, scan->physical, scan->primary_key));
  plan::for_each_node(plan, [&](const plan::NodePtr& node) {
    if (node->kind != plan::NodeKind::kLookupJoin) return;
    const auto& join = static_cast<const plan::LookupJoinNode&>(*node);
    if (join.table().scan->connector == "sqlite") reads(looked_up_table(join));
  });
}

std::vector<store::StreamUse> streams_of(const plan::Plan& plan) {
  std::vector<store::StreamUse> uses;
  const auto add = [&](const std::string& table, const OptionMap& options, const Schema& columns,
                       store::StreamUse::Role role) {
    auto stream =
        std::make_shared<const sources::LocalStream>(sources::local_stream(table, options, columns));
    uses.push_back({TableName{table}, std::move(stream), role});
  };
  for (const auto& scan : plan.scans)
    if (scan->connector == "stream")
      add(scan->table, scan->options, scan->physical, store::StreamUse::Role::kReads);
  for (const auto& sink : plan.sinks)
    if (sink->connector == "stream")
      add(sink->table, sink->options, sink->schema, store::StreamUse::Role::kWrites);
  return uses;
}

sinks::SinkContext sink_context(const SinkWriter& writer, const PipelineName& pipeline,
                                const PipelineContext& context) {
  const plan::SinkNode& sink = writer.node();
  const formats::Format* format = writer.format();
  return {.gateway_id = context.gateway_id,
          .store = context.store->id(),
          .pipeline = context.identity.value.empty() ? pipeline : context.identity,
          .table = TableName{sink.table},
          .schema = sink.schema,
          .primary_key = sink.primary_key,
          .format = format == nullptr ? "" : format->name,
          .separator = format == nullptr ? "\n" : format->separator,
          .content_type = format == nullptr ? "" : format->content_type,
          .header = writer.header(),
          .now = [clock = context.clock] { return clock->wall(); }};
}

}  // namespace leat::runtime
