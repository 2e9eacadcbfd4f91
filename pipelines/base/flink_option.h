// Keys of Flink's that change nothing here (how many parallel tasks write, how partitions are announced):
// they are read, so that tables made for Flink can be used as they are, and the planner warns that they have
// no effect.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "pipelines/base/options.h"

namespace leat {

/// What the documented type of such a key ends in.
inline constexpr std::string_view kNoEffect = ", no effect";

/// `Value` is what Flink would take.
template <class Options, class Value>
Option<Options> flink_option(std::string key, std::string doc) {
  std::string type(option_text::name_of(static_cast<const Value*>(nullptr)));
  return {{std::move(key), type.append(kNoEffect), "", Necessity::kOptional, std::move(doc)},
          [](Options&, std::string_view, std::string_view text) {
            Value ignored{};
            return option_text::read(text, ignored);
          }};
}

inline bool has_no_effect(const OptionDoc& doc) {
  return doc.type.ends_with(kNoEffect);
}

}  // namespace leat
