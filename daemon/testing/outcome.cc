#include "daemon/testing/outcome.h"

#include "pipelines/column/text.h"
#include "pipelines/formats/format.h"

namespace leat::testing {
Outcome::Outcome(const plan::Plan& plan, const TestFolder& test, std::string time_zone)
    : time_zone_(std::move(time_zone)) {
  for (const auto& sink : plan.sinks) {
    names_.push_back(sink->table);
    Table& table = tables_[sink->table];
    table.primary_key = sink->primary_key;
    if (const auto expected = test.expected.find(sink->table); expected != test.expected.end())
      table.form = expected->second.form;
  }
}

Status Outcome::rows(std::size_t sink, const Schema& schema, const Batch& batch) {
  Table& table = tables_[names_[sink]];
  if (table.form != RowFile::kChangelog) return add_encoded(table, schema, batch);
  add_changelog(table, batch);
  return {};
}

void Outcome::add_changelog(Table& table, const Batch& batch) const {
  for (std::size_t row = 0; row < batch.size; ++row) {
    std::string line;
    append_row_text(batch, row, {time_zone_, "null"}, line);
    table.lines.push_back(std::move(line));
  }
}

Status Outcome::add_encoded(Table& table, const Schema& schema, const Batch& batch) {
  const formats::Format* format = formats::find_format(table.form == RowFile::kCsv ? "csv" : "json");
  std::vector<OptionError> lost;  // JSON has a text for everything.
  if (table.form == RowFile::kCsv) format->validate({}, schema, lost);
  if (!lost.empty())
    return fail(ErrorCode::kInvalid,
                lost.front().message + "; give what is expected as a .jsonl or a .txt file");
  LEAT_ASSIGN(const auto encoder, format->make_encoder({}, schema));
  runtime::EncodedChanges changes(batch, table.records, table.primary_key);
  std::vector<std::pair<std::uint32_t, std::string>> bad;
  encoder->encode(batch, changes, bad);
  return bad.empty() ? Status{} : fail(ErrorCode::kInvalid, bad.front().second);
}

std::vector<std::string> Outcome::lines_of(const std::string& name) const {
  const Table& table = tables_.at(name);
  if (table.form == RowFile::kChangelog) return table.lines;
  std::vector<std::string> lines;
  for (const runtime::FinalTable::Row& record : table.records.rows()) lines.push_back(record[0]);
  return lines;
}

std::vector<std::string> Outcome::tables() const {
  std::vector<std::string> names;
  for (const auto& [name, table] : tables_) names.push_back(name);
  return names;
}

}  // namespace leat::testing
