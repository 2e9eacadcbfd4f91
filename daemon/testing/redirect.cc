#include "daemon/testing/redirect.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/lookup_node.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/rewrite.h"
#include "pipelines/plan/table.h"

namespace leat::testing {
namespace {

std::string_view format_name(RowFile form) {
  return form == RowFile::kCsv ? "csv" : "json";
}

/// The file's path and format; options of the table's own format hold if it is the same.
OptionMap file_options(const plan::ScanNode& scan, const Rows& rows) {
  const std::string format(format_name(rows.form));
  OptionMap options{{"path", rows.path.string()}, {"format", format}};
  const auto own = scan.options.find("format");
  const auto value = scan.options.find("value.format");
  const bool same = (own != scan.options.end() && own->second == format) ||
                    (value != scan.options.end() && value->second == format);
  for (const auto& [key, text] : scan.options)
    if (same && key.starts_with(format + ".")) options[key] = text;
  return options;
}

/// A file has no metadata of a broker: what the table reads of it are columns behind the others.
void take_metadata_from_rows(plan::ScanNode& scan) {
  for (const plan::ScanNode::Metadata& metadata : scan.metadata) {
    scan.physical_wanted.push_back(scan.physical.size());
    scan.physical.fields.push_back({metadata.key, metadata.type});
  }
  scan.metadata.clear();
  scan.partitions = {};
}

std::shared_ptr<const plan::ScanNode> from_file(const plan::ScanNode& original, const Rows& rows) {
  auto scan = std::make_shared<plan::ScanNode>(original);
  scan->connector = "filesystem";
  scan->options = file_options(original, rows);
  scan->bounded = true;
  plan::without_splits(*scan);
  take_metadata_from_rows(*scan);
  return scan;
}

/// Tables that are read, and those in which rows are looked up.
std::vector<std::string> tables_read(const plan::Plan& plan) {
  std::vector<std::string> read;
  for (const auto& scan : plan.scans) read.push_back(scan->table);
  plan::for_each_node(plan, [&](const plan::NodePtr& node) {
    if (node->kind == plan::NodeKind::kLookupTable)
      read.push_back(static_cast<const plan::LookupTableNode&>(*node).scan->table);
  });
  return read;
}

Status check_inputs(const plan::Plan& plan, const TestFolder& test) {
  const std::vector<std::string> read = tables_read(plan);
  for (const std::string& table : read)
    if (!test.inputs.contains(table))
      return fail(ErrorCode::kInvalid,
                  fmt::format("{}: there is no input for '{}': expected {}.jsonl or .csv",
                              test.folder.string(), table, (test.folder / "input" / table).string()));
  for (const auto& [table, rows] : test.inputs)
    if (std::ranges::find(read, table) == read.end())
      return fail(ErrorCode::kInvalid, fmt::format("{}: the pipeline reads no table '{}'{}",
                                                   rows.path.string(), table, did_you_mean(table, read)));
  return {};
}

Status check_outputs(const plan::Plan& plan, const TestFolder& test) {
  std::vector<std::string> written;
  for (const auto& sink : plan.sinks) written.push_back(sink->table);
  for (const auto& [table, rows] : test.expected)
    if (std::ranges::find(written, table) == written.end())
      return fail(ErrorCode::kInvalid, fmt::format("{}: the pipeline writes no table '{}'{}",
                                                   rows.path.string(), table, did_you_mean(table, written)));
  return {};
}

}  // namespace

Status redirect(plan::Plan& plan, const TestFolder& test) {
  LEAT_TRY(check_inputs(plan, test));
  LEAT_TRY(check_outputs(plan, test));
  plan::rewrite_nodes(plan, [&](const plan::NodePtr& node) -> plan::NodePtr {
    if (node->kind == plan::NodeKind::kScan) {
      const auto& scan = static_cast<const plan::ScanNode&>(*node);
      return from_file(scan, test.inputs.at(scan.table));
    }
    if (node->kind == plan::NodeKind::kLookupTable) {
      auto table = std::make_shared<plan::LookupTableNode>(static_cast<const plan::LookupTableNode&>(*node));
      table->scan = from_file(*table->scan, test.inputs.at(table->scan->table));
      return table;
    }
    if (node->kind != plan::NodeKind::kSink) return nullptr;
    auto sink = std::make_shared<plan::SinkNode>(static_cast<const plan::SinkNode&>(*node));
    sink->connector.clear();  // As a bare SELECT's: its rows are given out.
    return sink;
  });
  return {};
}

}  // namespace leat::testing
