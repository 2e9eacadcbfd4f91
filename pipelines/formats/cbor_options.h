// The options of the format cbor.
#pragma once

#include <cstdint>

#include "pipelines/base/options.h"

namespace leat::formats {

/// How times are written; all are read.
enum class CborTimes : std::uint8_t {
  kEpoch,  ///< Seconds since 1970 (tag 1), days since 1970 (tag 100).
  kText,   ///< RFC 3339 (tag 0; without a zone, no tag), 2026-01-05 (tag 1004).
};

struct CborOptions {
  bool fail_on_missing_field = false;
  bool ignore_parse_errors = false;
  CborTimes times = CborTimes::kEpoch;
  bool ignore_null_fields = false;
};

const OptionTable<CborOptions>& cbor_options();

}  // namespace leat::formats
