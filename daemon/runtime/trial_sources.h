// What stands in for the connectors of a trial's tables (trial.h).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/runtime/message_tap.h"
#include "pipelines/plan/node.h"
#include "sources/source.h"

namespace leat::runtime {

/// Gives out a text, cut between records, and ends.
sources::SourceConnector pasted_source(std::string text);
/// Gives out what comes through a tap; the connector's own source, which is built and never started, says
/// what a message's metadata are. `ended` as of MessageTap::connect.
sources::SourceConnector tapped_source(const sources::SourceConnector& own, std::shared_ptr<MessageTap> tap,
                                       MessageTap::Ended ended);
/// The connector as it is, over other local tables than those of the pipeline's store.
sources::SourceConnector over_tables(const sources::SourceConnector& own, sources::LocalTableReader& tables);

/// The declaration of a table in which rows are looked up, as a local table of the trial's own store.
std::shared_ptr<const plan::ScanNode> as_own_table(const plan::ScanNode& scan);

/// The scan of a table whose rows were pasted: metadata are columns behind the others, and it ends.
std::shared_ptr<const plan::ScanNode> as_pasted(const plan::ScanNode& scan);

}  // namespace leat::runtime
