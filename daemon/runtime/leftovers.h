// What a changed pipeline folder leaves behind in the store and among the journals: results and acknowledged
// messages that nobody serves any more, as their pipeline, sink or source has another name now, or none.
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/store.h"
#include "pipelines/base/ids.h"

namespace leat::runtime {

/// What a pipeline of the folder serves.
struct Served {
  PipelineName pipeline;
  PipelineName identity = {};  ///< Its journals' name; empty: the pipeline's.
  bool planned = true;         ///< False: its file is wrong, and all that carries its name may be its own.
  std::vector<TableName> sinks;
  std::vector<std::string> journals;  ///< Names of files.
};

/// What pipelines are called now, by the identity that their journals have from an earlier name.
using Owners = std::map<PipelineName, PipelineName>;

/// Delivered rows that a sink which nobody serves has not published.
struct StillOpen {
  PipelineName pipeline;
  TableName sink;
  std::vector<std::string> files;  ///< As people find them.
  std::string why;
};
/// With what to do.
std::string sentence_of(const StillOpen& open);

/// Those that nobody serves.
std::vector<store::OutboxStatus> unserved(const std::vector<Served>& served,
                                          const std::vector<store::OutboxStatus>& outboxes);

/// One sentence each, with what to do.
std::vector<std::string> find_leftovers(const std::vector<Served>& served,
                                        const std::vector<store::OutboxStatus>& outboxes,
                                        const std::vector<std::string>& journals,
                                        const std::vector<store::KeptParts>& kept = {},
                                        const Owners& owners = {});

/// The file of a source's journal, without its folder.
std::string journal_file_name(const PipelineName& identity, const TableName& source);
/// True if it is a journal of a pipeline with this identity, of whatever source.
bool is_journal_of(const PipelineName& identity, std::string_view file);

}  // namespace leat::runtime
