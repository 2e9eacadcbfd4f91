// A small world for the planner's tests: a catalog that is data, and verbs that plan a text.
#pragma once

#include <string>
#include <string_view>

#include "pipelines/plan/planner.h"

namespace leat::plan::testing {

/// Connectors: 'stream' (reads, with a format, metadata 'topic' and 'qos'; key 'url' is required), 'file'
/// (reads and writes, bounded unless 'follow' is set, has partitions), 'out' (writes, no format, metadata
/// 'headers' is writable, 'sent' is not), 'kept' (the same, keeps one row per key). Formats: 'json' (key
/// 'json.strict'), 'lines' (only written).
const Catalog& catalog();

/// `readings` (device, temperature, humidity, ts with a watermark of 5 s), `alerts` and `results` to write
/// to.
std::string tables();

PlanOutcome plan_text(std::string_view text);
/// `text` behind the declarations of `tables()`.
PlanOutcome plan_query(std::string_view text);
/// The plan of `tables()` and `text`; fails the test when there is an error.
Plan planned(std::string_view text);
std::string explained(std::string_view text);
/// All messages as they are shown.
std::string rendered(const PlanOutcome& outcome);
/// The messages of `tables()` and `text`, without file and line: "[column] text".
std::string errors_of(std::string_view text);

/// The type of the only column of `SELECT <expression> FROM readings`.
std::string type_of(std::string_view expression);
/// The bound expression of that column.
std::string bound(std::string_view expression);

/// The first node of that kind below the sink, in the order of EXPLAIN; null: none.
const Node* find_node(const Plan& plan, NodeKind kind);
template <class NodeType>
const NodeType* find(const Plan& plan, NodeKind kind) {
  return static_cast<const NodeType*>(find_node(plan, kind));
}

}  // namespace leat::plan::testing
