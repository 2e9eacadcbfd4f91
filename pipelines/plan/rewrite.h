// Rewrites: each makes a plan that gives the same rows, counted the same, with less work. They run in the
// order of this file, once, after binding; fingerprints are set last. Pure.
#pragma once

#include <functional>

#include "pipelines/plan/node.h"

namespace leat::plan {

/// All of them, then the fingerprints.
void rewrite(Plan& plan);

/// Filters go below projections, unions and window assignments as far as they can. A condition moves only if
/// it and all that it moves across is deterministic, and if no condition that guards it stays behind.
void push_filters(Plan& plan);
/// Adjacent projections become one when no work is doubled; those that change nothing go.
void merge_projects(Plan& plan);
/// A window aggregate right behind a window table function assigns the windows itself.
void fold_windows(Plan& plan);
/// Conditions that every reader of a scan begins with move into the scan, behind its watermark.
void push_into_scans(Plan& plan);
/// Drops columns and aggregates that nobody reads, not even late rows,, down to what the decoder decodes.
void prune_columns(Plan& plan);
/// Sets the identity of each node that has state; see fingerprint.cc.
void set_fingerprints(Plan& plan);

/// Replaces every node by what `rewrite_node` makes of it, inputs first; a node that is read twice is
/// rewritten once and stays shared. Null keeps the node.
void rewrite_nodes(Plan& plan, const std::function<NodePtr(const NodePtr&)>& rewrite_node);

}  // namespace leat::plan
