#include "sinks/block.h"

#include <fmt/format.h>

namespace leat::sinks {

namespace {

constexpr std::uint8_t kOldVersion = 1;
constexpr std::uint8_t kBlockVersion = 2;

void read_payload(ByteReader& reader, std::uint8_t version, Record& record) {
  if (version == kOldVersion) {
    record.payload = reader.string();
    return;
  }
  const std::uint64_t size = reader.varint();
  if (size == 0)
    record.kind = Record::Kind::kTombstone;
  else
    record.payload = reader.raw(size - 1);
}

Record read_record(ByteReader& reader, std::uint8_t version) {
  Record record;
  record.key = reader.string();
  read_payload(reader, version, record);
  // The reader stops being ok at the end of the bytes, so that a damaged count costs no memory.
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const std::string_view name = reader.string();
    record.headers.emplace_back(name, reader.string());
  }
  return record;
}

}  // namespace

void BlockBuilder::add(std::string_view key, std::string_view payload, const Headers& headers) {
  ByteWriter writer(body_);
  writer.string(key);
  writer.varint(payload.size() + 1);
  writer.raw(payload);
  end_record(headers);
}

void BlockBuilder::add_tombstone(std::string_view key, const Headers& headers) {
  ByteWriter writer(body_);
  writer.string(key);
  writer.varint(0);
  end_record(headers);
}

void BlockBuilder::add(const Record& record) {
  if (record.kind == Record::Kind::kTombstone)
    add_tombstone(record.key, record.headers);
  else
    add(record.key, record.payload, record.headers);
}

void BlockBuilder::end_record(const Headers& headers) {
  ByteWriter writer(body_);
  writer.varint(headers.size());
  for (const auto& [name, value] : headers) {
    writer.string(name);
    writer.string(value);
  }
  ++records_;
}

std::string BlockBuilder::seal() {
  std::string block;
  block.reserve(body_.size() + 8);
  ByteWriter writer(block);
  writer.u8(kBlockVersion);
  writer.varint(records_);
  writer.raw(body_);
  body_.clear();
  records_ = 0;
  return block;
}

Result<std::vector<Record>> read_block(std::string_view block) {
  ByteReader reader(block);
  const std::uint8_t version = reader.u8();
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "block: no bytes");
  if (version != kBlockVersion && version != kOldVersion)
    return fail(ErrorCode::kCorrupt, fmt::format("block: version {} is not known", version));
  std::vector<Record> records;
  const std::uint64_t count = reader.varint();
  while (records.size() < count && reader.ok()) records.push_back(read_record(reader, version));
  if (!reader.ok())
    return fail(ErrorCode::kCorrupt, fmt::format("block: {} bytes end within record {} of {}", block.size(),
                                                 records.size(), count));
  if (!reader.at_end())
    return fail(ErrorCode::kCorrupt,
                fmt::format("block: {} bytes behind the last of {} records", reader.rest().size(), count));
  return records;
}

Result<std::vector<Record>> read_blocks(std::span<const std::string> blocks) {
  std::vector<Record> all;
  for (const std::string& block : blocks) {
    LEAT_ASSIGN(auto records, read_block(block));
    all.insert(all.end(), std::make_move_iterator(records.begin()), std::make_move_iterator(records.end()));
  }
  return all;
}

}  // namespace leat::sinks
