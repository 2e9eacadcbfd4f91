#include "daemon/cli/stream_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "daemon/runtime/rehearsal.h"

namespace leat::cli {

void StreamColumns::add(const std::string& file, const plan::Plan& plan) {
  for (const store::StreamUse& use : runtime::streams_of(plan)) {
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

}  // namespace leat::cli
