// Changing what runs: what is asked for and what comes of it. Plain data, and the two pure questions of a
// deployment: what of the running version's state the new one takes over, and whether the text's name is the
// one it is deployed under.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/pipeline_store.h"
#include "pipelines/base/result.h"
#include "pipelines/exec/dataflow.h"
#include "pipelines/plan/planner.h"

namespace leat::runtime {

/// Where a pipeline's text comes from, and with it who may change it.
enum class Origin : std::uint8_t {
  kFile,      ///< A file of the pipeline folder: whoever keeps that folder.
  kDeployed,  ///< The store: the API.
};
std::string_view to_string(Origin origin);

/// The text that a pipeline runs.
struct PipelineText {
  Origin origin = Origin::kFile;
  std::uint64_t version = 0;       ///< Of a deployed one; files are not counted.
  PipelineName identity;           ///< What brokers and receivers call it: part of client ids and keys.
  std::optional<std::string> sql;  ///< None: the file could not be read.
};

struct DeployRequest {
  PipelineName pipeline;
  std::string sql;
  enum class Cold : std::uint8_t {
    kRefuse,  ///< Not when an operator would begin without the state that it might have.
    kAccept,
  };
  Cold cold = Cold::kRefuse;
  enum class Run : std::uint8_t {
    kReal,
    kDry,  ///< Says what would happen.
  };
  Run run = Run::kReal;
};

/// What becomes of the state when one version takes over from another.
struct StateReport {
  struct Kept {
    std::string name;  ///< Of the operator in the new version.
    std::uint64_t keys = 0;
  };
  struct Cold {
    std::string name;
    std::string why;
  };
  std::vector<Kept> kept;
  std::vector<Cold> cold;
  std::vector<std::string> dropped;  ///< Operators of the version before whose state goes.
};

struct Deployed {
  std::uint64_t version = 1;
  bool created = false;  ///< There was no pipeline of this name.
  bool changed = false;  ///< False: it runs this text already, nothing was done.
  StateReport state;
  std::vector<std::string> warnings;
  std::vector<std::string> sessions;  ///< What is to say of sessions at brokers that were to end.
};

struct DeployRefusal {
  Error error;
  std::vector<plan::Message> messages;  ///< Not empty: the text is wrong.
  std::optional<StateReport> state;     ///< Set: operators would start cold.
};
using DeployOutcome = tl::expected<Deployed, DeployRefusal>;

/// Parts of a pipeline that stay in the store and on the disk when it is removed.
enum class Part : std::uint8_t {
  kJournal,  ///< Messages that were acknowledged and not processed.
  kState,    ///< Operators' state, counters, positions of sources without a journal.
  kOutbox,   ///< Results on their way.
  kTables,   ///< Local tables that no other pipeline uses.
};
std::string_view to_string(Part part);
inline constexpr Part kAllParts[] = {Part::kJournal, Part::kState, Part::kOutbox, Part::kTables};

struct Removed {
  bool was_there = false;             ///< False: only parts of it were left.
  std::vector<std::string> kept;      ///< "journal", …: what there is of it still,
  std::vector<std::string> purged;    ///< and what is gone.
  std::vector<std::string> notes;     ///< Why something that was to be purged is kept, or is not published.
  std::vector<std::string> sessions;  ///< As in Deployed.
};

struct OutboxPurged {
  std::uint64_t dropped = 0;    ///< Records.
  std::uint64_t remaining = 0;  ///< Of a shipment that may have arrived, or that came meanwhile.
};

/// EXPLAIN's words about each operator, by its name.
using OperatorLines = std::map<std::string, std::string>;
struct PlanLines {
  OperatorLines now;
  OperatorLines before;
};

/// What a new version with these operators takes over. `before` are those of the version that runs, empty if
/// there is none that could; `parts` is what the store has.
StateReport compare_state(const std::vector<exec::Dataflow::OperatorInfo>& operators,
                          const std::vector<exec::Dataflow::OperatorInfo>& before,
                          const store::KeptParts& parts, const PlanLines& lines = {});

/// What the text's SET 'pipeline.name' says; none: nothing.
std::optional<std::string> name_in_text(std::string_view sql);
/// An error at the text's SET 'pipeline.name' if it names another pipeline than `name`.
std::optional<plan::Message> name_conflict(const std::string& file, std::string_view sql,
                                           const PipelineName& name);
/// The text with `name` in its SET 'pipeline.name'; unchanged if it has none.
std::string with_name(const std::string& sql, const PipelineName& name);
/// Errors: invalid (what is wrong with the name).
Status check_name(const PipelineName& name);

}  // namespace leat::runtime
