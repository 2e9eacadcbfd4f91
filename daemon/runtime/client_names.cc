#include "daemon/runtime/client_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace leat::runtime {

void ClientNames::add(const std::string& file, const plan::Plan& plan) {
  for (const auto& scan : plan.scans) add_table(file, scan->table, scan->options);
  for (const auto& sink : plan.sinks) add_table(file, sink->table, sink->options);
}

void ClientNames::add_table(const std::string& file, const std::string& table, const OptionMap& options) {
  const auto url = options.find("url");
  const auto name = options.find("client-id");
  if (url == options.end() || name == options.end() || name->second.empty()) return;
  std::vector<std::string>& tables = tables_[{url->second, name->second}];
  // Several INSERTs into a table share its connection.
  std::string place = fmt::format("'{}' of {}", table, file);
  if (std::ranges::find(tables, place) == tables.end()) tables.push_back(std::move(place));
}

std::vector<std::string> ClientNames::clashes() const {
  std::vector<std::string> sentences;
  for (const auto& [name, tables] : tables_) {
    if (tables.size() < 2) continue;
    sentences.push_back(
        fmt::format("'client-id' = '{}' is the name of the tables {}: the broker lets one of them in at a "
                    "time; give each its own, or leave it out",
                    name.second, fmt::join(tables, " and ")));
  }
  return sentences;
}

}  // namespace leat::runtime
