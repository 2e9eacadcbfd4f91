#include "daemon/runtime/sink_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "daemon/runtime/format_files.h"
#include "pipelines/column/text.h"
#include "pipelines/formats/nested_json.h"
#include "pipelines/plan/common_options.h"

namespace leat::runtime {
namespace {

/// Collects the records of an encoder by row: keys, whose rows the value encoder may leave out.
class KeyCollector final : public formats::EncodedSink {
 public:
  explicit KeyCollector(std::vector<std::string>& keys) : keys_(keys) {}
  void record(std::size_t row, std::string_view bytes) override { keys_[row] = bytes; }

 private:
  std::vector<std::string>& keys_;
};

/// Rows without -U: a sink that takes updates sees them as +U alone.
Batch without_update_before(const Batch& batch) {
  if (batch.kinds.empty()) return batch;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < batch.size; ++row)
    if (batch.kinds[row] != RowKind::kUpdateBefore) rows.push_back(row);
  return rows.size() == batch.size ? batch : gather(batch, rows);
}

/// In the order of the rows, and of several reasons for one row the first.
void keep_one_reason_each(std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  std::sort(bad.begin(), bad.end());
  const auto of_one_row = [](const auto& a, const auto& b) { return a.first == b.first; };
  bad.erase(std::unique(bad.begin(), bad.end(), of_one_row), bad.end());
}

/// `batch` without the rows that `bad` names.
Batch without(const Batch& batch, const std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  std::vector<bool> gone(batch.size);
  for (const auto& [row, reason] : bad) gone[row] = true;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < batch.size; ++row)
    if (!gone[row]) rows.push_back(row);
  return gather(batch, rows);
}

}  // namespace

SinkWriter::SinkWriter(const plan::SinkNode& sink, const sinks::SinkConnector& connector)
    : sink_(sink), connector_(connector) {}

Result<std::unique_ptr<SinkWriter>> SinkWriter::create(const plan::SinkNode& sink,
                                                       const std::string& time_zone) {
  const sinks::SinkConnector* connector = sinks::find_sink(sink.connector);
  if (connector == nullptr)
    return fail(ErrorCode::kInvalid, fmt::format("there is no sink connector '{}'", sink.connector));
  std::unique_ptr<SinkWriter> writer(new SinkWriter(sink, *connector));
  writer->time_zone_ = time_zone;
  const sinks::BatchLimits limits =
      connector->batch_limits ? connector->batch_limits(sink.options) : sinks::BatchLimits{};
  writer->block_records_ = std::max<std::uint64_t>(limits.max_rows, 1);
  std::vector<OptionError> judged_by_the_planner;
  const plan::DeliveryOptions delivery =
      plan::delivery_options().read(sink.options, {}, judged_by_the_planner);
  // A policy drops whole blocks: of a small buffer one must not be all.
  writer->block_bytes_ = static_cast<std::size_t>(std::min<std::uint64_t>(
      {limits.max_bytes.bytes, sinks::kMaxBlockBytes, delivery.buffer_max_bytes.bytes / 8}));
  if (connector->encoding == sinks::Encoding::kTable)
    writer->table_ = std::make_shared<const sources::LocalTable>(
        connector->declare(sink.options, sink.table, sink.schema, sink.primary_key));
  if (connector->encoding == sinks::Encoding::kStream)
    writer->stream_ = std::make_shared<const sources::LocalStream>(
        sources::local_stream(sink.table, sink.options, sink.schema));
  if (connector->encoding != sinks::Encoding::kFormat) return writer;
  LEAT_TRY(writer->make_value_encoder());
  LEAT_TRY(writer->make_key_encoder());
  return writer;
}

Status SinkWriter::make_value_encoder() {
  const std::string prefix = sink_.options.contains("value.format") ? "value." : "";
  const auto name = sink_.options.find(prefix + "format");
  format_ = name == sink_.options.end() ? nullptr : formats::find_format(name->second);
  if (format_ == nullptr || !format_->make_encoder)
    return fail(ErrorCode::kInvalid,
                fmt::format("table '{}' has no format that can be written", sink_.table));
  Schema schema = sink_.schema;
  const bool partitioned = !sink_.partitions.empty();
  if (partitioned || connector_.value_columns(sink_.options) == sinks::ValueColumns::kExceptKey) {
    LEAT_ASSIGN(const std::vector<std::size_t> key, find_key_columns());
    schema.fields.clear();
    for (std::size_t i = 0; i < sink_.schema.fields.size(); ++i) {
      if (std::ranges::find(key, i) != key.end()) continue;
      value_columns_.push_back(i);
      schema.fields.push_back(sink_.schema.fields[i]);
    }
  }
  LEAT_ASSIGN(const OptionMap options, read_files(*format_, plan::options_behind(sink_.options, prefix)));
  LEAT_ASSIGN(encoder_, format_->make_encoder(options, schema));
  // Only who asks for one is told of a name that fits none ('file.header').
  if (format_->make_header) header_ = format_->make_header(options, schema).value_or("");
  return {};
}

Result<std::vector<std::size_t>> SinkWriter::find_key_columns() const {
  if (!sink_.partitions.empty()) return sink_.partitions;
  if (connector_.keying == sinks::Keying::kPrimaryKey) return sink_.primary_key;
  std::vector<std::size_t> columns;
  for (const std::string& name : connector_.key_fields(sink_.options)) {
    const auto column = sink_.schema.find(name);
    if (!column)
      return fail(ErrorCode::kInvalid,
                  fmt::format("table '{}': key field '{}' is no column of it", sink_.table, name));
    columns.push_back(*column);
  }
  return columns;
}

Status SinkWriter::make_key_encoder() {
  if (!sink_.partitions.empty()) {
    const auto name = sink_.options.find("partition.default-name");
    folders_.emplace(sink_.schema, sink_.partitions,
                     name == sink_.options.end() ? std::string(formats::kDefaultPartition) : name->second);
    return {};
  }
  if (!connector_.key_fields) return {};
  LEAT_ASSIGN(key_columns_, find_key_columns());
  Schema schema;
  for (const std::size_t column : key_columns_) schema.fields.push_back(sink_.schema.fields[column]);
  const std::string format = connector_.key_format ? connector_.key_format(sink_.options) : std::string();
  if (key_columns_.empty() || format != "json") return {};
  LEAT_ASSIGN(key_encoder_, formats::find_format("json")->make_encoder({}, schema));
  return {};
}

/// `bad` gets the rows whose key the format cannot hold; those keys stay empty.
void SinkWriter::encode_keys(const Batch& batch, BadRows& bad) {
  keys_.clear();
  if (key_columns_.empty()) return;
  keys_.resize(batch.size);
  if (!key_encoder_) {
    const Column& column = *batch.columns[key_columns_[0]];
    const TextStyle style{time_zone_, ""};
    for (std::size_t row = 0; row < batch.size; ++row) append_text(column, row, style, keys_[row]);
    return;
  }
  Batch keys{.size = batch.size};
  for (const std::size_t column : key_columns_) keys.columns.push_back(batch.columns[column]);
  KeyCollector collector(keys_);
  key_encoder_->encode(keys, collector, bad);
}

void SinkWriter::write_changelog(const Batch& batch) {
  const TextStyle style{time_zone_, "null"};
  std::string line;
  for (std::size_t row = 0; row < batch.size; ++row) {
    line.clear();
    append_row_text(batch, row, style, line);
    record(row, line);
  }
}

void SinkWriter::write(const Batch& all, std::int64_t now, std::vector<store::DeadLetter>& dead) {
  counters_.rows += all.size;
  now_ = now;
  if (connector_.encoding == sinks::Encoding::kNothing) return;
  if (connector_.encoding == sinks::Encoding::kChangelog) return write_changelog(all);
  const Batch batch = format_ != nullptr && format_->changelog ? all : without_update_before(all);
  counters_.rows -= all.size - batch.size;
  if (table_) return write_rows(batch, dead);
  if (stream_) return write_stream(batch, dead);
  if (folders_) return write_partitions(batch, dead);
  if (connector_.keying == sinks::Keying::kPrimaryKey) return write_upserts(batch, dead);
  BadRows bad;
  encode_keys(batch, bad);
  bad.clear();  // A record may have no key.
  encode(batch, bad);
  bury(batch, bad, dead);
}

void SinkWriter::encode(const Batch& batch, BadRows& bad) {
  if (value_columns_.empty()) return encoder_->encode(batch, *this, bad);
  Batch values{.size = batch.size, .kinds = batch.kinds};
  for (const std::size_t column : value_columns_) values.columns.push_back(batch.columns[column]);
  encoder_->encode(values, *this, bad);
}

void SinkWriter::write_partitions(Batch batch, std::vector<store::DeadLetter>& dead) {
  BadRows bad;
  keys_.clear();
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    if (const auto folder = folders_->folder_of(batch, row))
      keys_.emplace_back(*folder);
    else
      bad.emplace_back(row, folder.error().message);
  }
  bury(batch, bad, dead);
  if (!bad.empty()) batch = without(batch, bad);
  bad.clear();
  encode(batch, bad);
  bury(batch, bad, dead);
}

/// In pieces, so that values and tombstones keep their order.
void SinkWriter::write_upserts(Batch batch, std::vector<store::DeadLetter>& dead) {
  BadRows bad;
  encode_keys(batch, bad);
  bury(batch, bad, dead);
  if (!bad.empty()) {
    batch = without(batch, bad);
    encode_keys(batch, bad);
  }
  for (std::uint32_t row = 0; row < batch.size;) {
    if (batch.kind(row) == RowKind::kDelete) {
      builder_.add_tombstone(keys_[row++]);
      added();
      continue;
    }
    std::vector<std::uint32_t> piece;
    first_row_ = row;
    while (row < batch.size && batch.kind(row) != RowKind::kDelete) piece.push_back(row++);
    const Batch values = piece.size() == batch.size ? batch : gather(batch, piece);
    BadRows unwritable;
    encode(values, unwritable);
    bury(values, unwritable, dead);
  }
  first_row_ = 0;
}

void SinkWriter::bury(const Batch& batch, BadRows& bad, std::vector<store::DeadLetter>& dead) {
  for (auto& [row, reason] : bad) {
    store::DeadLetter letter;
    letter.origin = "sink " + sink_.table;
    letter.reason = std::move(reason);
    append_row_text(batch, row, {time_zone_, "null"}, letter.payload);
    letter.time = now_;
    dead.push_back(std::move(letter));
  }
  counters_.dead += bad.size();
}

namespace {

bool is_nan(const Column& column, std::size_t row) {
  if (column.type().kind() == TypeKind::kDouble) return std::isnan(column.values<double>()[row]);
  return column.type().kind() == TypeKind::kFloat && std::isnan(column.values<float>()[row]);
}

/// What the rows take in memory, about.
std::uint64_t bytes_of(const Batch& batch) {
  std::uint64_t bytes = 0;
  for (const ColumnPtr& column : batch.columns) {
    bytes += batch.size * std::max<std::size_t>(slot_width(column->type().layout()), 1);
    if (column->type().layout() == Layout::kBytes)
      for (const std::string_view text : column->strings()) bytes += text.size();
  }
  return bytes;
}

}  // namespace

/// A table's database would refuse the whole commit for them, and a stream's reader relies on the type. Of a
/// row that goes, only the key counts.
void SinkWriter::refuse_nulls(const Batch& batch, BadRows& bad) const {
  const Schema& columns = table_ ? table_->columns : sink_.schema;
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    const Type::Field& field = columns.fields[i];
    if (field.type.nullable()) continue;
    const bool key = std::ranges::find(sink_.primary_key, i) != sink_.primary_key.end();
    for (std::uint32_t row = 0; row < batch.size; ++row) {
      const bool null = batch.columns[i]->is_null(row);
      if (batch.kind(row) == RowKind::kDelete && !key) continue;
      if (null || (table_ && is_nan(*batch.columns[i], row)))
        bad.emplace_back(row, fmt::format("column '{}' is NOT NULL, but the row has {} there", field.name,
                                          null ? "NULL" : "NaN, which SQLite keeps as NULL"));
    }
  }
}

void SinkWriter::write_rows(const Batch& batch, std::vector<store::DeadLetter>& dead) {
  BadRows bad;
  Batch handed = batch;
  for (ColumnPtr& column : handed.columns) column = formats::nested_to_json(column, bad);
  refuse_nulls(batch, bad);
  keep_one_reason_each(bad);
  if (!bad.empty()) handed = without(handed, bad);
  bury(batch, bad, dead);
  counters_.emitted += handed.size;
  if (handed.size == 0) return;
  row_bytes_ += bytes_of(handed);
  rows_.push_back(std::move(handed));
}

void SinkWriter::write_stream(const Batch& batch, std::vector<store::DeadLetter>& dead) {
  BadRows bad;
  refuse_nulls(batch, bad);
  keep_one_reason_each(bad);
  const Batch handed = bad.empty() ? batch : without(batch, bad);
  bury(batch, bad, dead);
  counters_.emitted += handed.size;
  sources::append_rows(handed, stream_rows_);
  stream_row_count_ += handed.size;
  if (stream_rows_.size() >= sinks::kMaxBlockBytes) seal_stream();
}

void SinkWriter::seal_stream() {
  if (stream_row_count_ == 0) return;
  stream_blocks_.push_back(
      {stream_, stream_row_count_, sources::seal_block(stream_row_count_, stream_rows_)});
  sealed_bytes_ += stream_blocks_.back().bytes.size();
  stream_rows_.clear();
  stream_row_count_ = 0;
}

std::vector<store::StreamRows> SinkWriter::take_stream() {
  seal_stream();
  sealed_bytes_ = 0;
  return std::exchange(stream_blocks_, {});
}

std::optional<store::TableRows> SinkWriter::take_rows() {
  if (rows_.empty()) return std::nullopt;
  row_bytes_ = 0;
  return store::TableRows{table_, std::exchange(rows_, {})};
}

void SinkWriter::record(std::size_t row, std::string_view bytes) {
  builder_.add(keys_.empty() ? std::string_view() : std::string_view(keys_[first_row_ + row]), bytes);
  added();
}

void SinkWriter::added() {
  ++counters_.emitted;
  if (builder_.bytes() >= block_bytes_ || builder_.records() >= block_records_) seal(now_);
}

void SinkWriter::seal(std::int64_t now) {
  if (builder_.records() == 0) return;
  store::NewBlock block{.sink = TableName{sink_.table}, .records = builder_.records(), .created = now};
  block.bytes = builder_.seal();
  sealed_bytes_ += block.bytes.size();
  sealed_.push_back(std::move(block));
}

std::vector<store::NewBlock> SinkWriter::take_blocks(std::int64_t now) {
  seal(now);
  sealed_bytes_ = 0;
  return std::exchange(sealed_, {});
}

}  // namespace leat::runtime
