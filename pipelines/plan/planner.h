// From the text of a pipeline file to its plan.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipelines/plan/catalog.h"
#include "pipelines/plan/node.h"

namespace leat::plan {

enum class Severity : std::uint8_t { kError, kWarning };

/// Something to say about the text, already rendered for people, with its place for machines.
struct Message {
  Severity severity = Severity::kError;
  std::size_t line = 1;    ///< From 1.
  std::size_t column = 1;  ///< From 1, in characters.
  std::size_t length = 0;  ///< What is marked of that line, in characters; 0: a place between two.
  std::string text;        ///< One sentence, without the place.
  std::string rendered;    ///< "file:line:column: error: …" with the line and the caret under it.
};

struct PlanRequest {
  std::string file;  ///< Name for messages: a path, or "<command line>".
  std::string_view text;
  /// `--set K=V`: win over the file's SET statements.
  OptionMap overrides;
  /// True for `leat run`: a bare SELECT is allowed and its rows are the output.
  bool allow_select = false;
  /// IANA name of the host's time zone, which 'table.local-time-zone' = 'default' stands for. The planner
  /// does not ask the operating system: the composition root does. Without that setting the zone is UTC.
  std::string host_time_zone = "UTC";
};

struct PlanOutcome {
  Plan plan;                           ///< Complete when no message is an error.
  std::vector<Message> messages;       ///< All errors of the file, in order of their place.
  std::vector<std::string> explained;  ///< Answers to the file's EXPLAIN statements, in order.
  [[nodiscard]] bool ok() const;
};

/// Pure: touches neither files nor network. `catalog` must stay alive during the call only.
PlanOutcome plan_pipeline(const PlanRequest& request, const Catalog& catalog);

/// The plan as a tree, one node per line, with types, windows, watermarks, pushed-down columns.
std::string explain(const Plan& plan);

}  // namespace leat::plan
