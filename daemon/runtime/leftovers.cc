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
  if (!one.planned) return is_journal_of(one.identity.value.empty() ? one.pipeline : one.identity, journal);
  return std::ranges::find(one.journals, journal) != one.journals.end();
}

/// Whose it is, as far as anybody knows; empty: nobody's.
std::string owner_of(const std::string& journal, const Owners& owners) {
  for (const auto& [identity, name] : owners)
    if (is_journal_of(identity, journal)) return name.value;
  return "";
}

std::string about_journal(const std::string& journal, const std::string& owner, bool is_there) {
  if (owner.empty())
    return fmt::format(
        "the journal '{}' belongs to no source of a pipeline: acknowledged messages may wait in it; give the "
        "pipeline and the table their former names back, purge it with the pipeline ('leat pipelines remove "
        "NAME --purge journal'), or delete it",
        journal);
  const std::string what = fmt::format(
      "the journal '{}' of pipeline '{}' belongs to no source of it: acknowledged messages may wait in it; ",
      journal, owner);
  if (is_there) return what + "give the table its former name back, or delete it";
  return what + fmt::format(
                    "deploy a pipeline of that name to process them, or throw them away with 'leat "
                    "pipelines remove {} --purge journal'",
                    owner);
}

}  // namespace

std::string sentence_of(const StillOpen& open) {
  constexpr std::size_t kNamed = 3;
  std::string files;
  for (std::size_t i = 0; i < std::min(kNamed, open.files.size()); ++i)
    files += fmt::format("{}'{}'", i == 0 ? "" : ", ", open.files[i]);
  if (open.files.size() > kNamed) files += fmt::format(" and {} others", open.files.size() - kNamed);
  return fmt::format(
      "rows that sink '{}' of pipeline '{}', which no pipeline has any more, has delivered are not "
      "published: "
      "they are in {}, as {}; mend that and reload ('leat reload'), or give both their former names back",
      open.sink.value, open.pipeline.value, files, open.why);
}

std::vector<store::OutboxStatus> unserved(const std::vector<Served>& served,
                                          const std::vector<store::OutboxStatus>& outboxes) {
  std::vector<store::OutboxStatus> left;
  for (const store::OutboxStatus& outbox : outboxes)
    if (std::ranges::none_of(served, [&](const Served& one) { return serves(one, outbox); }))
      left.push_back(outbox);
  return left;
}

std::string journal_file_name(const PipelineName& identity, const TableName& source) {
  return fmt::format("{}.{}.journal", file_name(identity.value), file_name(source.value));
}

bool is_journal_of(const PipelineName& identity, std::string_view file) {
  return file.starts_with(file_name(identity.value) + ".") && file.ends_with(".journal");
}

std::vector<std::string> find_leftovers(const std::vector<Served>& served,
                                        const std::vector<store::OutboxStatus>& outboxes,
                                        const std::vector<std::string>& journals,
                                        const std::vector<store::KeptParts>& kept, const Owners& owners) {
  std::vector<std::string> sentences;
  const auto by_nobody = [&](const auto& what) {
    return std::ranges::none_of(served, [&](const Served& one) { return serves(one, what); });
  };
  for (const store::OutboxStatus& outbox : unserved(served, outboxes))
    if (outbox.records > 0)
      sentences.push_back(fmt::format(
          "{0} records wait for sink '{1}' of pipeline '{2}', which no pipeline has any more: give both "
          "their "
          "former names back to deliver them, or throw them away with 'leat outbox purge {2} {1}'",
          outbox.records, outbox.sink.value, outbox.pipeline.value));
  for (const std::string& journal : journals) {
    if (!by_nobody(journal)) continue;
    const std::string owner = owner_of(journal, owners);
    const bool is_there =
        std::ranges::any_of(served, [&](const Served& one) { return one.pipeline.value == owner; });
    sentences.push_back(about_journal(journal, owner, is_there));
  }
  for (const store::KeptParts& parts : kept) {
    const bool is_served =
        std::ranges::any_of(served, [&](const Served& one) { return one.pipeline == parts.pipeline; });
    if (is_served || (parts.entries() == 0 && parts.positions.empty())) continue;
    sentences.push_back(
        fmt::format("state of pipeline '{0}', which is not there any more, is kept ({1} entries, positions "
                    "of {2} sources): "
                    "a pipeline of that name takes it up; 'leat pipelines remove {0} --purge all' throws "
                    "away all that is "
                    "left of it",
                    parts.pipeline.value, parts.entries(), parts.positions.size()));
  }
  return sentences;
}

}  // namespace leat::runtime
