// The explicit list of formats: adding one is its files, a line here, a line in CMakeLists.txt and its tests.
#include <algorithm>
#include <array>

#include "pipelines/formats/csv_format.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/json_format.h"
#include "pipelines/formats/raw_format.h"

namespace leat::formats {

std::span<const Format> all_formats() {
  static const std::array formats = {csv_format(), json_format(), raw_format()};
  return formats;
}

const Format* find_format(std::string_view name) {
  const std::span<const Format> formats = all_formats();
  const auto found = std::ranges::find(formats, name, &Format::name);
  return found == formats.end() ? nullptr : &*found;
}

}  // namespace leat::formats
