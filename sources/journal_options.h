// The options of a journal that sources which cannot rewind share: their keys, meaning and bounds.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/base/options.h"
#include "sources/intake.h"

namespace leat::sources {

struct JournalOptions {
  IntakeOptions::Durability journal = IntakeOptions::Durability::kOn;
  ByteSize journal_size{64U << 20};
  Micros journal_sync_interval{200 * kMicrosPerMilli};
};

/// The rows for an options struct that has JournalOptions as a base.
template <class Options>
struct JournalRows {
  static Option<Options> journal() {
    using Durability = IntakeOptions::Durability;
    return choice<Options, Durability>(
        "journal", &Options::journal,
        {{"on", Durability::kOn}, {"power", Durability::kPower}, {"none", Durability::kNone}},
        Necessity::kOptional,
        "'on' survives the process, and a power cut but for the last sync interval; 'power' syncs before "
        "each acknowledgement; 'none' keeps messages in memory only.");
  }
  static Option<Options> size() {
    return option<Options, ByteSize>("journal.size", &Options::journal_size, Necessity::kOptional,
                                     "Size of the preallocated journal, or of the queue in memory.");
  }
  static Option<Options> sync_interval() {
    return option<Options, Micros>("journal.sync-interval", &Options::journal_sync_interval,
                                   Necessity::kOptional, "How often the journal is synced.");
  }
};

inline IntakeOptions intake_options_of(const JournalOptions& options) {
  return {.durability = options.journal,
          .size = options.journal_size,
          .sync_interval = options.journal_sync_interval};
}

/// `largest_key` bounds one message by `largest`.
inline void check_journal(const JournalOptions& options, const std::string& largest_key, ByteSize largest,
                          std::vector<OptionError>& errors) {
  using Part = OptionError::Part;
  const auto wrong = [&](const std::string& key, const std::string& why) {
    errors.push_back({key, Part::kValue, fmt::format("option '{}': {}", key, why)});
  };
  if (options.journal_sync_interval.count() <= 0)
    wrong("journal.sync-interval", "expected more than 0; 'journal' = 'power' syncs each message");
  if (largest.bytes == 0 || largest.bytes > options.journal_size.bytes / 8)
    wrong(largest_key,
          fmt::format("expected at most an eighth of 'journal.size' ({}), so that what is in flight has room",
                      format_byte_size(options.journal_size.bytes / 8)));
}

}  // namespace leat::sources
