// What tables that are looked up understand, by Flink's names where it has them.
#pragma once

#include <cstdint>
#include <string>

#include "pipelines/base/options.h"

namespace leat::sources {

enum class LookupCacheKind : std::uint8_t {
  kNone,
  kPartial,  ///< Rows that were asked for.
};

struct LookupOptions {
  LookupCacheKind cache = LookupCacheKind::kPartial;
  std::uint64_t max_rows = 10'000;
  bool missing_keys = true;
};

/// The rows of an option table for `Options`, which is or has the fields of LookupOptions.
template <class Options>
Option<Options> lookup_cache_option() {
  return choice<Options, LookupCacheKind>(
      "lookup.cache", &Options::cache,
      {{"NONE", LookupCacheKind::kNone}, {"PARTIAL", LookupCacheKind::kPartial}}, Necessity::kOptional,
      "What a lookup join keeps in memory: nothing, or the rows that it was asked for. What is kept goes "
      "when the table changes, so that it is never outdated.");
}
template <class Options>
Option<Options> lookup_max_rows_option() {
  return option<Options, std::uint64_t>(
      "lookup.partial-cache.max-rows", &Options::max_rows, Necessity::kOptional,
      "Rows that each lookup join keeps at most; those that were not asked for the longest go first.");
}
template <class Options>
Option<Options> lookup_missing_keys_option() {
  return option<Options, bool>("lookup.partial-cache.cache-missing-key", &Options::missing_keys,
                               Necessity::kOptional,
                               "Whether keys that the table does not have are kept, too.");
}

/// Of a table with valid options.
LookupOptions read_lookup_options(const OptionMap& map);

}  // namespace leat::sources
