#include "pipelines/plan/catalog.h"

#include <algorithm>

namespace leat::plan {

const ConnectorInfo* Catalog::find_connector(std::string_view name) const {
  const auto found = std::ranges::find(connectors, name, &ConnectorInfo::name);
  return found == connectors.end() ? nullptr : &*found;
}

const FormatInfo* Catalog::find_format(std::string_view name) const {
  const auto found = std::ranges::find(formats, name, &FormatInfo::name);
  return found == formats.end() ? nullptr : &*found;
}

}  // namespace leat::plan
