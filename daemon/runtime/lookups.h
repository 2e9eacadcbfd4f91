// The tables that a pipeline's lookup joins ask: those of the store, and files that are read whole. One
// object per pipeline, on its loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/runtime/source_reader.h"
#include "daemon/store/table_store.h"
#include "pipelines/exec/lookup_table.h"

namespace leat::runtime {

class Lookups final : public exec::LookupTables {
 public:
  /// `tables` outlives the object and what it opens.
  Lookups(store::TableStore& tables, ReaderContext reader) : tables_(tables), reader_(std::move(reader)) {}

  Result<std::unique_ptr<exec::LookupTable>> open(const plan::LookupJoinNode& join) override;

 private:
  store::TableStore& tables_;
  ReaderContext reader_;
};

/// The declaration of a table that is looked up by these keys, which become an index.
sources::LocalTable looked_up_table(const plan::LookupJoinNode& join);

}  // namespace leat::runtime
