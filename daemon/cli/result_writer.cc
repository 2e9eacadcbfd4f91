#include "daemon/cli/result_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "daemon/cli/printable.h"
#include "pipelines/column/text.h"

namespace leat::cli {
namespace {

constexpr std::size_t kWidestColumn = 60;

/// Characters, not bytes: continuation bytes of UTF-8 take no room.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t used = width_of(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

/// One line, whatever is in the cell.
std::string cell_of(const Column& column, std::size_t row, const std::string& time_zone) {
  std::string cell;
  append_text(column, row, {time_zone, "NULL"}, cell);
  return printable(cell);
}

class LineCollector final : public formats::EncodedSink {
 public:
  explicit LineCollector(std::string& text) : text_(text) {}
  void record(std::size_t, std::string_view bytes) override {
    text_ += bytes;
    text_ += '\n';
  }

 private:
  std::string& text_;
};

}  // namespace

Result<OutputForm> parse_output_form(const std::string& name) {
  if (name == "table") return OutputForm::kTable;
  if (name == "jsonl") return OutputForm::kJsonLines;
  if (name == "csv") return OutputForm::kCsv;
  if (name == "changelog") return OutputForm::kChangelog;
  return fail(ErrorCode::kInvalid,
              fmt::format("--output: expected 'table', 'jsonl', 'csv' or 'changelog', found '{}'", name));
}

void ResultWriter::put(const std::string& text) {
  if (error_ != 0) return;
  if (before_output_) before_output_();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    error_ = errno;
}

Status ResultWriter::status() const {
  if (error_ == 0) return {};
  return fail(ErrorCode::kIo, fmt::format("writing to standard output: {}", std::strerror(error_)));
}

Status ResultWriter::rows(std::size_t sink, const Schema& schema, const Batch& batch) {
  if (batch.size == 0) return {};
  if (form_ != OutputForm::kChangelog && collected_.contains(sink)) {
    collect_rows(sink, schema, batch);
    return status();
  }
  if (form_ == OutputForm::kChangelog) {
    write_changelog(batch);
  } else if (form_ == OutputForm::kTable) {
    if (sink != sink_) header(schema, batch);
    write_table(schema, batch);
  } else {
    write_encoded(sink, schema, batch);
  }
  sink_ = sink;
  row_count_ += batch.size;
  return status();
}

void ResultWriter::write_changelog(const Batch& batch) {
  std::string text;
  for (std::size_t row = 0; row < batch.size; ++row) {
    append_row_text(batch, row, {time_zone_, "null"}, text);
    text += '\n';
  }
  put(text);
}

void ResultWriter::collect_rows(std::size_t sink, const Schema& schema, const Batch& batch) {
  Collected& collected = collected_.at(sink);
  collected.schema = schema;
  if (form_ == OutputForm::kTable) return collected.table.apply(batch, {time_zone_, "NULL"});
  runtime::EncodedChanges records(batch, collected.table);
  encode(sink, schema, batch, records);
  sink_ = sink;
}

void ResultWriter::write_encoded(std::size_t sink, const Schema& schema, const Batch& batch) {
  std::string text;
  LineCollector lines(text);
  encode(sink, schema, batch, lines);
  put(text);
}

/// `sink_` is the one that the encoder was made for.
void ResultWriter::encode(std::size_t sink, const Schema& schema, const Batch& batch,
                          formats::EncodedSink& out) {
  if (sink != sink_) encoder_.reset();
  if (!encoder_) {
    const formats::Format* format = formats::find_format(form_ == OutputForm::kCsv ? "csv" : "json");
    auto made = format->make_encoder({}, schema);
    if (!made) return put(fmt::format("leat run: {}\n", made.error().message));
    encoder_ = *std::move(made);
  }
  std::vector<std::pair<std::uint32_t, std::string>> bad;
  encoder_->encode(batch, out, bad);
  for (const auto& [row, reason] : bad) fmt::print(stderr, "leat run: a row cannot be written: {}\n", reason);
}

void ResultWriter::header(const Schema& schema, const Batch& batch) {
  widths_.clear();
  std::string names = row_count_ > 0 ? "\n" : "";
  std::string line;
  changelog_column_ = !batch.kinds.empty();
  names += changelog_column_ ? "op  " : "";
  line += changelog_column_ ? "--  " : "";
  for (std::size_t column = 0; column < schema.size(); ++column) {
    // The first batch's cells decide how wide a column is; later ones that are wider push their row to the
    // right.
    std::size_t width = width_of(schema.fields[column].name);
    for (std::size_t row = 0; row < batch.size; ++row) {
      const std::string cell = cell_of(*batch.columns[column], row, time_zone_);
      width = std::max(width, std::min(width_of(cell), kWidestColumn));
    }
    widths_.push_back(width);
    names += padded(schema.fields[column].name, width) + "  ";
    line += std::string(width, '-') + "  ";
  }
  put(names + "\n" + line + "\n");
}

void ResultWriter::write_table(const Schema& schema, const Batch& batch) {
  std::string text;
  for (std::size_t row = 0; row < batch.size; ++row) {
    if (changelog_column_) text += fmt::format("{}  ", to_string(batch.kind(row)));
    for (std::size_t column = 0; column < schema.size(); ++column)
      text += padded(cell_of(*batch.columns[column], row, time_zone_), widths_[column]) + "  ";
    text += '\n';
  }
  put(text);
}

void ResultWriter::write_collected() {
  for (const auto& [sink, collected] : collected_) {
    if (collected.schema.size() == 0) continue;  // No row ever came.
    const std::vector<runtime::FinalTable::Row> rows = collected.table.rows();
    if (form_ == OutputForm::kTable) {
      write_collected_table(collected.schema, rows);
      sink_ = sink;
    } else {
      for (const runtime::FinalTable::Row& row : rows) put(row[0] + "\n");
    }
    row_count_ += rows.size();
  }
}

void ResultWriter::write_collected_table(const Schema& schema,
                                         const std::vector<runtime::FinalTable::Row>& rows) {
  std::string names = sink_ != static_cast<std::size_t>(-1) ? "\n" : "";
  std::string line;
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < schema.size(); ++column) {
    std::size_t width = width_of(schema.fields[column].name);
    for (const runtime::FinalTable::Row& row : rows)
      width = std::max(width, std::min(width_of(printable(row[column])), kWidestColumn));
    widths.push_back(width);
    names += padded(schema.fields[column].name, width) + "  ";
    line += std::string(width, '-') + "  ";
  }
  std::string text = names + "\n" + line + "\n";
  for (const runtime::FinalTable::Row& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column)
      text += padded(printable(row[column]), widths[column]) + "  ";
    text += '\n';
  }
  put(text);
}

Status ResultWriter::finish() {
  if (form_ != OutputForm::kChangelog) write_collected();
  if (form_ == OutputForm::kTable && sink_ != static_cast<std::size_t>(-1))
    put(fmt::format("\n{} row{}\n", row_count_, row_count_ == 1 ? "" : "s"));
  return status();
}

}  // namespace leat::cli
