#include "daemon/runtime/http_paths.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sources/http/http_source_options.h"

namespace leat::runtime {

void HttpPaths::add(const std::string& file, const plan::Plan& plan) {
  for (const auto& scan : plan.scans) {
    if (scan->connector != "http") continue;
    const sources::HttpSourceOptions options = sources::read_http_source_options(scan->options);
    const sources::HttpPortSettings settings = sources::port_settings_of(options);
    if (settings.address.port == 0) continue;
    tables_[listen::to_string(settings.address)].push_back(
        {fmt::format("'{}' of {}", scan->table, file), options.path, settings});
  }
}

std::vector<std::string> HttpPaths::clashes() const {
  std::vector<std::string> sentences;
  for (const auto& [address, tables] : tables_) {
    std::map<std::string, std::vector<std::string>> takers;
    for (const Table& table : tables) takers[table.path].push_back(table.place);
    for (const auto& [path, places] : takers)
      if (places.size() > 1)
        sentences.push_back(fmt::format("the tables {} all take {} at {}: give each a path of its own",
                                        fmt::join(places, " and "), path, address));
    const auto differs = std::ranges::find_if(
        tables, [&first = tables.front()](const Table& table) { return table.settings != first.settings; });
    if (differs != tables.end())
      sentences.push_back(
          fmt::format("the tables {} and {} share {}: they must agree on 'tls.*', 'max-body', "
                      "'max-connections' and 'request.timeout'",
                      tables.front().place, differs->place, address));
  }
  return sentences;
}

}  // namespace leat::runtime
