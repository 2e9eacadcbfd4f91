#include "pipelines/formats/format_options.h"

namespace leat::formats {

OptionMap options_with_prefix(const OptionMap& all, std::string_view prefix) {
  OptionMap own;
  for (auto at = all.lower_bound(prefix); at != all.end() && at->first.starts_with(prefix); ++at)
    own.insert(*at);
  return own;
}

}  // namespace leat::formats
