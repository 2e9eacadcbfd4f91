// EXPLAIN: the plan as a tree, one node per line, sinks first. A node that several read is printed once, with
// a number, and named by it elsewhere.
#include "pipelines/plan/explain.h"

#include <map>
#include <string_view>
#include <unordered_map>

#include "pipelines/plan/node_build.h"
#include "pipelines/plan/operator_names.h"
#include "pipelines/plan/operator_node.h"
#include "pipelines/plan/planner.h"

namespace leat::plan {
namespace {

std::string joined(const std::vector<std::string>& parts, std::string_view separator = ", ") {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string_view attribute_text(TimeAttribute attribute) {
  switch (attribute) {
    case TimeAttribute::kRowTime:
      return " *ROWTIME*";
    case TimeAttribute::kProcTime:
      return " *PROCTIME*";
    case TimeAttribute::kNone:
      return "";
  }
  return "";
}

std::string column_name(const Schema& schema, std::size_t index) {
  return schema.fields[index].name;
}

std::string window_text(const WindowSpec& window, std::string_view time_column) {
  const auto duration = [](Micros micros) { return ", " + format_duration(micros); };
  std::string text;
  switch (window.kind) {
    case WindowKind::kTumble:
      text = "TUMBLE(" + std::string(time_column) + duration(window.size);
      break;
    case WindowKind::kHop:
      text = "HOP(" + std::string(time_column) + duration(window.step) + duration(window.size);
      break;
    case WindowKind::kCumulate:
      text = "CUMULATE(" + std::string(time_column) + duration(window.step) + duration(window.size);
      break;
    case WindowKind::kSession:
      text = "SESSION(" + std::string(time_column) + duration(window.size);
      break;
  }
  if (window.offset.count() != 0) text += ", offset " + format_duration(window.offset);
  if (window.local_time) text += ", in " + window.time_zone;
  return text + ")";
}

std::string fields_text(const Schema& schema, const std::vector<std::size_t>& columns) {
  std::vector<std::string> fields;
  for (const std::size_t column : columns)
    fields.push_back(schema.fields[column].name + " " + schema.fields[column].type.to_string());
  return joined(fields);
}

std::string watermark_text(const ScanNode& scan) {
  const WatermarkSpec& watermark = *scan.watermark;
  std::string text = " watermark(" + scan.row_names[watermark.column] + " AS " + to_string(*watermark.expr);
  if (watermark.idle_timeout.count() > 0) text += ", idle after " + format_duration(watermark.idle_timeout);
  if (watermark.partition_by) text += ", per " + scan.row_names[*watermark.partition_by];
  if (watermark.max_ahead) text += ", at most " + format_duration(*watermark.max_ahead) + " ahead";
  return text + ")";
}

std::string scan_text(const ScanNode& scan) {
  std::string text = "Scan " + scan.table + " (" + scan.connector + (scan.bounded ? ", bounded" : "") +
                     (scan.updating ? ", changes)" : ")");
  text += " decode(" + fields_text(scan.physical, scan.physical_wanted) + ")";
  std::vector<std::string> metadata;
  for (const ScanNode::Metadata& item : scan.metadata)
    metadata.push_back("'" + item.key + "' " + item.type.to_string());
  if (!metadata.empty()) text += " metadata(" + joined(metadata) + ")";
  std::vector<std::string> computed;
  for (std::size_t i = 0; i < scan.rows.size(); ++i)
    if (scan.rows[i]->kind != ExprKind::kColumn)
      computed.push_back(scan.row_names[i] + " AS " + to_string(*scan.rows[i]));
  if (!computed.empty()) text += " compute(" + joined(computed) + ")";
  if (scan.watermark) text += watermark_text(scan);
  if (scan.filter) text += " filter(" + to_string(*scan.filter) + ")";
  return text;
}

std::string values_text(const ValuesNode& values) {
  std::vector<std::string> rows;
  for (const auto& row : values.rows) {
    std::vector<std::string> cells;
    for (const ExprPtr& cell : row) cells.push_back(to_string(*cell));
    rows.push_back("(" + joined(cells) + ")");
  }
  return "Values " + joined(rows);
}

std::string project_text(const ProjectNode& project) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < project.exprs.size(); ++i) {
    const std::string text = to_string(*project.exprs[i]);
    const std::string& name = project.schema.fields[i].name;
    items.push_back(text == name ? text : text + " AS " + name);
  }
  return "Project " + joined(items);
}

std::string assign_text(const WindowAssignNode& assign) {
  const Schema& input = assign.inputs[0]->schema;
  std::string text =
      "WindowAssign " + window_text(assign.window, column_name(input, assign.window.time_column));
  if (!assign.window.partition_by.empty()) text += " by(" + names_of(input, assign.window.partition_by) + ")";
  return text;
}

std::string emit_text(const EmitStrategy& emit) {
  const auto when = [](Micros delay) {
    return delay.count() > 0 ? " every " + format_duration(delay) : " with each row";
  };
  std::vector<std::string> parts;
  if (emit.early) parts.push_back("early" + when(*emit.early));
  if (emit.late) parts.push_back("late" + when(*emit.late) + " for " + format_duration(emit.lateness));
  return " emit(" + joined(parts) + ")";
}

std::string aggregate_text(const WindowAggregateNode& aggregate) {
  const Schema& input = aggregate.inputs[0]->schema;
  std::string text = "WindowAggregate ";
  if (aggregate.attached)
    text += "by(" + column_name(input, aggregate.attached->first) + ", " +
            column_name(input, aggregate.attached->second) + ")";
  else
    text += window_text(aggregate.window, column_name(input, aggregate.window.time_column));
  if (!aggregate.keys.empty()) text += " keys(" + names_of(input, aggregate.keys) + ")";
  std::vector<std::string> calls;
  for (const AggregateCall& call : aggregate.calls) calls.push_back(call.name);
  text += " compute(" + joined(calls) + ")";
  return aggregate.emit ? text + emit_text(*aggregate.emit) : text;
}

std::string sink_text(const SinkNode& sink) {
  std::string text = sink.table.empty() ? "Output" : "Sink " + sink.table + " (" + sink.connector + ")";
  if (sink.inputs.empty()) text += " of late rows";
  if (!sink.primary_key.empty()) text += " key(" + names_of(sink.schema, sink.primary_key) + ")";
  for (const std::size_t column : sink.partitions) text += " folder " + column_name(sink.schema, column);
  for (const auto& [column, key] : sink.metadata)
    text += " " + column_name(sink.schema, column) + " as metadata '" + key + "'";
  return text;
}

std::string node_text(const Node& node) {
  switch (node.kind) {
    case NodeKind::kScan:
      return scan_text(static_cast<const ScanNode&>(node));
    case NodeKind::kValues:
      return values_text(static_cast<const ValuesNode&>(node));
    case NodeKind::kFilter:
      return "Filter " + to_string(*static_cast<const FilterNode&>(node).predicate);
    case NodeKind::kProject:
      return project_text(static_cast<const ProjectNode&>(node));
    case NodeKind::kWindowAssign:
      return assign_text(static_cast<const WindowAssignNode&>(node));
    case NodeKind::kWindowAggregate:
      return aggregate_text(static_cast<const WindowAggregateNode&>(node));
    case NodeKind::kUnionAll:
      return "UnionAll";
    case NodeKind::kSink:
      return sink_text(static_cast<const SinkNode&>(node));
    default:  // An OperatorNode.
      break;
  }
  return as_operator_node(node).line();
}

std::string schema_text(const Node& node) {
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < node.schema.size(); ++i)
    fields.push_back(node.schema.fields[i].name + " " + node.schema.fields[i].type.to_string() +
                     std::string(attribute_text(node.time_attributes[i])));
  return "[" + joined(fields) + "]";
}

class TreePrinter {
 public:
  TreePrinter(const Plan& plan, ExplainDetail detail) : plan_(plan) {
    if (detail == ExplainDetail::kWithNames) names_ = operator_names(plan);
    for_each_node(plan, [&](const NodePtr& node) {
      for (const NodePtr& input : node->inputs) ++readers_[input.get()];
    });
  }

  std::string print() {
    for (const auto& sink : plan_.sinks) print(*sink, "", "");
    return std::move(out_);
  }

 private:
  void print(const Node& node, const std::string& first_indent, const std::string& indent) {
    out_ += first_indent;
    if (const auto seen = numbers_.find(&node); seen != numbers_.end()) {
      out_ += "see #" + std::to_string(seen->second) + "\n";
      return;
    }
    if (readers_[&node] > 1) {
      numbers_.emplace(&node, numbers_.size() + 1);
      out_ += "#" + std::to_string(numbers_.size()) + " ";
    }
    out_ += node_text(node) + " " + schema_text(node);
    if (!node.fingerprint.empty()) out_ += " state=" + short_fingerprint(node.fingerprint);
    if (const auto name = names_.find(&node); name != names_.end()) out_ += " '" + name->second + "'";
    out_ += "\n";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool last = i + 1 == node.inputs.size();
      print(*node.inputs[i], indent + (last ? "└─ " : "├─ "), indent + (last ? "   " : "│  "));
    }
  }

  /// The first digits of the hash and the suffix, if there is one.
  static std::string short_fingerprint(const std::string& fingerprint) {
    const std::size_t suffix = fingerprint.find('#');
    return fingerprint.substr(0, 8) + (suffix == std::string::npos ? "" : fingerprint.substr(suffix));
  }

  const Plan& plan_;  // Lives as long as `explain`.
  std::unordered_map<const Node*, std::string> names_;
  std::unordered_map<const Node*, int> readers_;
  std::unordered_map<const Node*, std::size_t> numbers_;
  std::string out_;
};

}  // namespace

std::map<std::string, std::string> operator_lines(const Plan& plan) {
  std::map<std::string, std::string> lines;
  for (const auto& [node, name] : operator_names(plan)) lines[name] = node_text(*node);
  return lines;
}

std::string explain(const Plan& plan, ExplainDetail detail) {
  return TreePrinter(plan, detail).print();
}

std::string explain(const Plan& plan) {
  return explain(plan, ExplainDetail::kWithNames);
}

}  // namespace leat::plan
