// Fingerprints: how the state of a node is found again after a restart, or in a changed pipeline.
//
// A node's text says what its rows are, never how the plan gets them. Each column is written as what it is in
// terms of the tables' own columns, so that aliases, views, merged projections, pushed-down filters and
// columns that other INSERTs read make no difference:
//
//   relation    := "scan" table | relation " where " condition… (sorted) | "union(" relation "; " … ")"
//                | relation " window " window | relation " aggregate(" window; keys; calls ")" | "values(" …
//                ")" | name "(" relation "; " … identity ")"   (operator_node.h)
//   column      := name ":" type (physical) | "metadata " key ":" type | expression over columns
//                | relation-hash "." "key" n | "call" n | "window_start" … (of an aggregate)
//   fingerprint := 32 hex digits of the 128-bit FNV-1a hash of relation (and, for a scan, its watermark),
//                  "#2", "#3" … behind it for equal nodes of one plan, in the order of the sinks.
#include <absl/numeric/int128.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "pipelines/plan/node_build.h"
#include "pipelines/plan/operator_node.h"
#include "pipelines/plan/rewrite.h"

namespace leat::plan {
namespace {

/// 128-bit FNV-1a (draft-eastlake-fnv), in hex: stable for ever and on every machine.
std::string hash_text(std::string_view text) {
  absl::uint128 hash = absl::MakeUint128(0x6c62272e07bb0142, 0x62b821756295c58d);
  const absl::uint128 prime = absl::MakeUint128(0x0000000001000000, 0x000000000000013b);
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= prime;
  }
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex(32, '0');
  for (std::size_t i = 32; i-- > 0; hash >>= 4)
    hex[i] = kDigits[static_cast<std::size_t>(absl::Uint128Low64(hash) & 15)];
  return hex;
}

/// Texts of views over views would double with every reference; long ones stand as their hash.
std::string bounded(std::string text) {
  return text.size() <= 200 ? text : "#" + hash_text(text);
}

struct Meaning {
  std::string relation;
  std::vector<std::string> conditions;  ///< Filters above the relation, sorted when written.
  std::vector<std::string> columns;

  [[nodiscard]] std::string filtered() const {
    std::vector<std::string> sorted = conditions;
    std::ranges::sort(sorted);
    std::string text = relation;
    for (const std::string& condition : sorted) text += " where " + condition;
    return text;
  }
};

std::string expr_text(const Expr& expr, const std::vector<std::string>& columns) {
  return bounded(to_string(expr, {.column_text = [&](const Expr& c) { return columns[c.column]; },
                                  .literals = ExprTextStyle::Literals::kTyped}));
}

void add_conditions(Meaning& meaning, const ExprPtr& predicate) {
  for (const ExprPtr& conjunct : conjuncts_of(predicate))
    meaning.conditions.push_back(expr_text(*conjunct, meaning.columns));
}

std::vector<std::string> decoded_texts(const ScanNode& scan) {
  std::vector<std::string> texts;
  for (const std::size_t i : scan.physical_wanted) {
    const Type::Field& field = scan.physical.fields[i];
    texts.push_back("`" + field.name + "`:" + field.type.to_string());
  }
  for (const ScanNode::Metadata& metadata : scan.metadata)
    texts.push_back("metadata `" + metadata.key + "`:" + metadata.type.to_string());
  return texts;
}

std::vector<std::string> row_texts(const ScanNode& scan) {
  const std::vector<std::string> decoded = decoded_texts(scan);
  std::vector<std::string> rows;
  for (const ExprPtr& row : scan.rows) rows.push_back(expr_text(*row, decoded));
  return rows;
}

Meaning scan_meaning(const ScanNode& scan) {
  Meaning meaning{.relation = "scan `" + scan.table + "`", .columns = row_texts(scan)};
  add_conditions(meaning, scan.filter);
  std::vector<std::string> output;
  for (const std::size_t row : scan.output) output.push_back(meaning.columns[row]);
  meaning.columns = std::move(output);
  return meaning;
}

/// The watermark's own state: the time-outs may change without losing it, the expression may not.
std::string watermark_text(const ScanNode& scan) {
  const std::vector<std::string> rows = row_texts(scan);
  std::string text = "watermark `" + scan.table + "` " + rows[scan.watermark->column] + " as " +
                     expr_text(*scan.watermark->expr, rows);
  if (scan.watermark->partition_by) text += " by " + rows[*scan.watermark->partition_by];
  return text;
}

std::string window_text(const WindowSpec& window, const std::vector<std::string>& columns) {
  std::string text = std::to_string(static_cast<int>(window.kind)) + "(" + columns[window.time_column];
  for (const Micros micros : {window.size, window.step, window.offset})
    text += ", " + std::to_string(micros.count());
  if (window.local_time) text += ", " + window.time_zone;
  for (const std::size_t column : window.partition_by) text += ", by " + columns[column];
  return text + ")";
}

Meaning project_meaning(const ProjectNode& project, const Meaning& input) {
  Meaning meaning{.relation = input.relation, .conditions = input.conditions};
  for (const ExprPtr& expr : project.exprs) meaning.columns.push_back(expr_text(*expr, input.columns));
  return meaning;
}

Meaning assign_meaning(const WindowAssignNode& assign, const Meaning& input) {
  const std::string window = window_text(assign.window, input.columns);
  Meaning meaning{.relation = bounded(input.filtered()) + " window " + window, .columns = input.columns};
  for (const std::string_view name : {kWindowStart, kWindowEnd, kWindowTime})
    meaning.columns.push_back(std::string(name) + " of " + bounded(window));
  return meaning;
}

std::string call_text(const AggregateCall& call, const Node& input, const std::vector<std::string>& columns) {
  std::string text = call.kind + "(";
  for (const std::size_t argument : call.arguments)
    text += columns[argument] + ":" + input.schema.fields[argument].type.to_string() + ",";
  text += ")" + call.function->result_type().to_string();
  if (call.filter) text += " filter " + columns[*call.filter];
  return text;
}

Meaning aggregate_meaning(const WindowAggregateNode& aggregate, const Meaning& input) {
  std::string text = bounded(input.filtered()) + " aggregate(";
  if (aggregate.attached)
    text +=
        "of " + input.columns[aggregate.attached->first] + " to " + input.columns[aggregate.attached->second];
  else
    text += window_text(aggregate.window, input.columns);
  for (const std::size_t key : aggregate.keys)
    text += "; key " + input.columns[key] + ":" + aggregate.inputs[0]->schema.fields[key].type.to_string();
  for (const AggregateCall& call : aggregate.calls)
    text += "; " + call_text(call, *aggregate.inputs[0], input.columns);
  if (aggregate.emit) text += "; early and late";  // The times may change without losing the windows.
  Meaning meaning{.relation = text + ")"};
  const std::string self = hash_text(meaning.relation);
  const std::size_t plain = aggregate.keys.size() + aggregate.calls.size();
  for (std::size_t i = 0; i < plain; ++i) meaning.columns.push_back(self + "." + std::to_string(i));
  for (const WindowProperty property : aggregate.properties)
    meaning.columns.push_back(self + "." + std::string(window_property_name(property)));
  return meaning;
}

Meaning union_meaning(const UnionAllNode& node, const std::vector<const Meaning*>& inputs) {
  Meaning meaning{.relation = "union("};
  for (const Meaning* input : inputs) meaning.relation += bounded(input->filtered()) + "; ";
  meaning.relation += ")";
  for (std::size_t c = 0; c < node.schema.size(); ++c) {
    std::string column = "one of ";
    for (const Meaning* input : inputs) column += input->columns[c] + " | ";
    meaning.columns.push_back(bounded(std::move(column)));
  }
  return meaning;
}

Meaning values_meaning(const ValuesNode& values) {
  Meaning meaning{.relation = "values("};
  for (const auto& row : values.rows)
    for (const ExprPtr& cell : row) meaning.relation += expr_text(*cell, {}) + ", ";
  meaning.relation += ")";
  for (std::size_t c = 0; c < values.schema.size(); ++c)
    meaning.columns.push_back("value " + std::to_string(c));
  return meaning;
}

Meaning operator_meaning(const OperatorNode& node, const std::vector<const Meaning*>& inputs) {
  std::vector<std::vector<std::string>> columns;
  Meaning meaning{.relation = std::string(node.operator_name()) + "("};
  for (const Meaning* input : inputs) {
    meaning.relation += bounded(input->filtered()) + "; ";
    columns.push_back(input->columns);
  }
  meaning.relation += node.identity(columns) + ")";
  const std::string self = hash_text(meaning.relation);
  for (std::size_t i = 0; i < node.schema.size(); ++i)
    meaning.columns.push_back(self + "." + std::to_string(i));
  return meaning;
}

Meaning meaning_of(const Node& node, const std::vector<const Meaning*>& inputs) {
  switch (node.kind) {
    case NodeKind::kScan:
      return scan_meaning(static_cast<const ScanNode&>(node));
    case NodeKind::kValues:
      return values_meaning(static_cast<const ValuesNode&>(node));
    case NodeKind::kFilter: {
      Meaning meaning = *inputs[0];
      add_conditions(meaning, static_cast<const FilterNode&>(node).predicate);
      return meaning;
    }
    case NodeKind::kProject:
      return project_meaning(static_cast<const ProjectNode&>(node), *inputs[0]);
    case NodeKind::kWindowAssign:
      return assign_meaning(static_cast<const WindowAssignNode&>(node), *inputs[0]);
    case NodeKind::kWindowAggregate:
      return aggregate_meaning(static_cast<const WindowAggregateNode&>(node), *inputs[0]);
    case NodeKind::kUnionAll:
      return union_meaning(static_cast<const UnionAllNode&>(node), inputs);
    case NodeKind::kSink:
      return inputs.empty() ? Meaning{} : *inputs[0];
    default:  // An OperatorNode.
      break;
  }
  return operator_meaning(as_operator_node(node), inputs);
}

/// What is hashed for the node's own state; empty: it has none.
std::string state_text(const Node& node, const Meaning& meaning) {
  switch (node.kind) {
    case NodeKind::kScan: {
      const auto& scan = static_cast<const ScanNode&>(node);
      return scan.watermark ? watermark_text(scan) : "";
    }
    case NodeKind::kWindowAggregate:
      return meaning.relation;
    case NodeKind::kWindowAssign: {
      if (static_cast<const WindowAssignNode&>(node).window.kind != WindowKind::kSession) return "";
      std::string text = meaning.relation;  // It keeps whole rows: their columns are part of the state.
      for (std::size_t i = 0; i < meaning.columns.size(); ++i)
        text += ", " + meaning.columns[i] + ":" + node.schema.fields[i].type.to_string();
      return text;
    }
    default:
      return is_operator_node(node) && as_operator_node(node).has_state() ? meaning.relation : "";
  }
}

}  // namespace

void set_fingerprints(Plan& plan) {
  std::unordered_map<const Node*, Meaning> meanings;
  std::unordered_map<const Node*, std::string> fingerprints;
  std::set<std::string> taken;
  for_each_node(plan, [&](const NodePtr& node) {
    std::vector<const Meaning*> inputs;
    for (const NodePtr& input : node->inputs) inputs.push_back(&meanings.at(input.get()));
    const Meaning& meaning = meanings[node.get()] = meaning_of(*node, inputs);
    const std::string text = state_text(*node, meaning);
    if (text.empty()) return;
    const std::string hash = hash_text(text);
    std::string unique = hash;
    for (int n = 2; !taken.insert(unique).second; ++n) unique = hash + "#" + std::to_string(n);
    fingerprints[node.get()] = unique;
  });
  std::vector<const Node*> order;  // rewrite_nodes sees copies; it visits in the same order.
  for_each_node(plan, [&](const NodePtr& node) { order.push_back(node.get()); });
  std::size_t next = 0;
  rewrite_nodes(plan, [&](const NodePtr& node) -> NodePtr {
    const auto found = fingerprints.find(order[next++]);
    if (found == fingerprints.end()) return nullptr;
    auto copy = std::const_pointer_cast<Node>(with_inputs(*node, node->inputs));
    copy->fingerprint = found->second;
    return copy;
  });
}

}  // namespace leat::plan
