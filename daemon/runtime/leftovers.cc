#include "daemon/runtime/leftovers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace leat::runtime {
namespace {

/// File names take letters, digits and a few signs; everything else becomes %XX, so that names stay distinct.
std::string file_name(std::string_view name) {
  std::string safe;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    safe += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return safe;
}

bool serves(const Served& one, const store::OutboxStatus& outbox) {
  if (one.pipeline != outbox.pipeline) return false;
  return !one.planned || std::ranges::find(one.sinks, outbox.sink) != one.sinks.end();
}

bool serves(const Served& one, const std::string& journal) {
  if (!one.planned) return journal.starts_with(file_name(one.pipeline.value) + ".");
  return std::ranges::find(one.journals, journal) != one.journals.end();
}

}  // namespace

std::string journal_file_name(const PipelineName& pipeline, const TableName& source) {
  return fmt::format("{}.{}.journal", file_name(pipeline.value), file_name(source.value));
}

std::vector<std::string> find_leftovers(const std::vector<Served>& served,
                                        const std::vector<store::OutboxStatus>& outboxes,
                                        const std::vector<std::string>& journals) {
  std::vector<std::string> sentences;
  const auto by_nobody = [&](const auto& what) {
    return std::ranges::none_of(served, [&](const Served& one) { return serves(one, what); });
  };
  for (const store::OutboxStatus& outbox : outboxes)
    if (outbox.records > 0 && by_nobody(outbox))
      sentences.push_back(
          fmt::format("{} records wait for sink '{}' of pipeline '{}', which no pipeline file has any more: "
                      "give both their "
                      "former names back to deliver them",
                      outbox.records, outbox.sink.value, outbox.pipeline.value));
  for (const std::string& journal : journals)
    if (by_nobody(journal))
      sentences.push_back(fmt::format(
          "the journal '{}' belongs to no source of a pipeline file: acknowledged messages may wait in "
          "it; give the pipeline and the table their former names back, or delete it",
          journal));
  return sentences;
}

}  // namespace leat::runtime
