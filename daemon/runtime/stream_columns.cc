#include "daemon/runtime/stream_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "daemon/runtime/rehearsal.h"

namespace leat::runtime {

void StreamColumns::add(const std::string& file, const plan::Plan& plan) {
  for (const store::StreamUse& use : streams_of(plan)) {
    Stream& stream = streams_[use.stream->name];
    stream.tables[sources::describe_columns(use.stream->columns)].insert(
        fmt::format("'{}' of {}", use.table.value, file));
    (use.role == store::StreamUse::Role::kReads ? stream.readers : stream.writers).insert(file);
  }
}

std::vector<std::string> StreamColumns::clashes() const {
  std::vector<std::string> sentences;
  for (const auto& [name, stream] : streams_) {
    for (const std::string& file : stream.writers)
      if (stream.readers.contains(file))
        sentences.push_back(fmt::format(
            "{} reads the stream '{}' that it writes: it would wait for itself; put the two halves "
            "into two pipelines",
            file, name));
    if (const auto way = circle(name); !way.empty() && name == *std::ranges::min_element(way))
      sentences.push_back(fmt::format("the streams '{}' lead back to '{}': each row would go round for ever",
                                      fmt::join(way, "', '"), name));
    if (stream.tables.size() < 2) continue;
    std::vector<std::string> declared;
    for (const auto& [columns, tables] : stream.tables)
      declared.push_back(fmt::format("({}) in {}", columns, fmt::join(tables, ", ")));
    sentences.push_back(
        fmt::format("the stream '{}' has the columns {}: names, types, order and NOT NULL must "
                    "be the same",
                    name, fmt::join(declared, ", and ")));
  }
  return sentences;
}

std::vector<std::string> StreamColumns::loose_ends() const {
  std::vector<std::string> sentences;
  for (const auto& [name, stream] : streams_) {
    if (stream.readers.empty())
      sentences.push_back(
          fmt::format("{} writes the stream '{}', which none of these files reads: nothing is kept of it",
                      fmt::join(stream.writers, ", "), name));
    if (stream.writers.empty())
      sentences.push_back(fmt::format("{} reads the stream '{}', which none of these files writes",
                                      fmt::join(stream.readers, ", "), name));
  }
  return sentences;
}

std::vector<std::string> StreamColumns::circle(const std::string& name) const {
  std::vector<std::string> way;
  if (!find_way(name, name, way) || way.size() < 2) return {};
  return way;
}

/// Appends `from` and the streams behind it, up to the one before `to`.
bool StreamColumns::find_way(const std::string& from, const std::string& to,
                             std::vector<std::string>& way) const {
  if (std::ranges::find(way, from) != way.end()) return false;
  way.push_back(from);
  for (const std::string& file : streams_.at(from).readers)
    for (const auto& [next, stream] : streams_)
      if (stream.writers.contains(file) && (next == to || find_way(next, to, way))) return true;
  way.pop_back();
  return false;
}

}  // namespace leat::runtime
