#include "sources/clients/local_stream.h"

#include "pipelines/base/bytes.h"
#include "pipelines/column/codec.h"

namespace leat::sources {
namespace {

template <class Options>
Option<Options> stream_row() {
  return option<Options, std::string>(
      "stream", &Options::stream, Necessity::kOptional,
      "Name of the stream, the same for who writes and who reads it; by default the table's.");
}

}  // namespace

const OptionTable<StreamSourceOptions>& stream_source_options() {
  static const OptionTable<StreamSourceOptions> table{stream_row<StreamSourceOptions>()};
  return table;
}

const OptionTable<StreamSinkOptions>& stream_sink_options() {
  using O = StreamSinkOptions;
  using plan::OnFull;
  static const OptionTable<O> table{
      stream_row<O>(),
      option<O, ByteSize>("sink.buffer.max-bytes", &O::max_bytes, Necessity::kOptional,
                          "How many bytes of rows that not every reader has read the store keeps; at least "
                          "64 kb."),
      option<O, std::optional<Micros>>(
          "sink.buffer.max-age", &O::max_age, Necessity::kOptional,
          "Rows that were not read for so long are dropped and counted. Default: "
          "never."),
      choice<O, OnFull>(
          "sink.buffer.on-full", &O::on_full,
          {{"block", OnFull::kBlock},
           {"drop-oldest", OnFull::kDropOldest},
           {"drop-newest", OnFull::kDropNewest}},
          Necessity::kOptional,
          "What happens when so much waits: the writing pipeline waits, or rows are dropped and "
          "counted.")};
  return table;
}

void check_stream_sink_options(const StreamSinkOptions& options, const OptionMap&,
                               std::vector<OptionError>& errors) {
  plan::DeliveryOptions bounds;
  bounds.buffer_max_bytes = options.max_bytes;
  bounds.buffer_max_age = options.max_age;
  plan::check_delivery_options(bounds, errors);
}

LocalStream local_stream(std::string_view declared_name, const OptionMap& map, const Schema& columns) {
  std::vector<OptionError> judged_before;
  const StreamSinkOptions options = stream_sink_options().read(map, {}, judged_before);
  return {.name = options.stream.empty() ? std::string(declared_name) : options.stream,
          .columns = columns,
          .max_bytes = options.max_bytes.bytes,
          .max_age = options.max_age,
          .on_full = options.on_full};
}

std::string describe_columns(const Schema& columns) {
  std::string text;
  for (const Type::Field& field : columns.fields)
    text += (text.empty() ? "" : ", ") + field.name + " " + field.type.to_string();
  return text;
}

void append_rows(const Batch& batch, std::string& rows) {
  ByteWriter out(rows);
  for (std::size_t row = 0; row < batch.size; ++row)
    for (const ColumnPtr& column : batch.columns) write_cell(*column, row, out);
}

std::string seal_block(std::uint64_t count, std::string_view rows) {
  std::string block;
  ByteWriter out(block);
  out.varint(count);
  out.raw(rows);
  return block;
}

Result<std::uint64_t> read_block(std::string_view block, std::span<ColumnBuilder* const> builders) {
  ByteReader in(block);
  const std::size_t before = builders.empty() ? 0 : builders[0]->size();
  const auto back = [&](const Error& error) {
    for (ColumnBuilder* const builder : builders) builder->truncate(before);
    return tl::unexpected<Error>(error);
  };
  const std::uint64_t rows = in.varint();
  for (std::uint64_t row = 0; row < rows; ++row)
    for (ColumnBuilder* const builder : builders)
      if (const Status read = read_cell(in, *builder); !read) return back(read.error());
  if (!in.ok() || !in.at_end())
    return back({ErrorCode::kCorrupt, "a block of the stream has another form than its columns"});
  return rows;
}

}  // namespace leat::sources
