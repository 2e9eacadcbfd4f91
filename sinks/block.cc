#include "sinks/block.h"

#include <fmt/format.h>

#include <algorithm>

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
    record.payload = reader.raw(static_cast<std::size_t>(std::min<std::uint64_t>(size - 1, SIZE_MAX)));
}

void read_record(ByteReader& reader, std::uint8_t version, Record& record) {
  record.key = reader.string();
  record.kind = Record::Kind::kValue;
  record.headers.clear();
  read_payload(reader, version, record);
  // The reader stops being ok at the end of the bytes, so that a damaged count costs no memory.
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const std::string_view name = reader.string();
    record.headers.emplace_back(name, reader.string());
  }
}

bool is_known(std::uint8_t version) {
  return version == kBlockVersion || version == kOldVersion;
}

/// A record takes at least a byte for the lengths of its key, payload and headers each.
constexpr std::size_t kLeastRecord = 3;

/// Reads what `add_plain` writes in one piece. False: the next record is another kind, and nothing is read.
bool read_plain(ByteReader& reader, Record& record) {
  const std::string_view rest = reader.rest();
  if (rest.size() < kLeastRecord || rest[0] != 0) return false;
  const auto size = static_cast<unsigned char>(rest[1]);
  if (size == 0 || size >= 0x80 || rest.size() < size + 2U || rest[size + 1U] != 0) return false;
  record.key = {};
  record.kind = Record::Kind::kValue;
  record.headers.clear();
  record.payload = reader.raw(size + 2U).substr(2, size - 1U);
  return true;
}

}  // namespace

void BlockBuilder::add(std::string_view key, std::string_view payload, const Headers& headers) {
  if (key.empty() && headers.empty()) return add_plain(payload);
  ByteWriter writer(body_);
  writer.string(key);
  writer.varint(payload.size() + 1);
  writer.raw(payload);
  end_record(headers);
}

/// What `add` writes where there is nothing but a payload, as most records are.
void BlockBuilder::add_plain(std::string_view payload) {
  const std::size_t size = payload.size() + 1;
  if (size < 0x80) {
    const char lengths[] = {0, static_cast<char>(size)};
    body_.append(lengths, sizeof lengths);
  } else {
    ByteWriter writer(body_);
    writer.u8(0);
    writer.varint(size);
  }
  body_.append(payload).push_back(0);
  ++records_;
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

BlockReader::BlockReader(std::string_view block)
    : reader_(block), size_(block.size()), version_(reader_.u8()) {
  if (is_known(version_)) count_ = reader_.varint();
}

bool BlockReader::next(Record& record) {
  if (read_ == count_ || !reader_.ok()) return false;
  if (version_ != kBlockVersion || !read_plain(reader_, record)) read_record(reader_, version_, record);
  if (reader_.ok()) ++read_;
  return reader_.ok();
}

Status BlockReader::status() const {
  if (size_ == 0) return fail(ErrorCode::kCorrupt, "block: no bytes");
  if (!is_known(version_))
    return fail(ErrorCode::kCorrupt, fmt::format("block: version {} is not known", version_));
  if (!reader_.ok() || read_ < count_)
    return fail(ErrorCode::kCorrupt,
                fmt::format("block: {} bytes end within record {} of {}", size_, read_ + 1, count_));
  if (!reader_.at_end())
    return fail(ErrorCode::kCorrupt,
                fmt::format("block: {} bytes behind the last of {} records", reader_.rest().size(), count_));
  return {};
}

Result<std::vector<Record>> read_block(std::string_view block) {
  BlockReader reader(block);
  std::vector<Record> records;
  for (Record record; reader.next(record);) {
    // A damaged count must not cost memory, so the first record shows first that there are some.
    if (records.empty())
      records.reserve(
          static_cast<std::size_t>(std::min<std::uint64_t>(reader.count(), block.size() / kLeastRecord)));
    records.push_back(std::move(record));
  }
  LEAT_TRY(reader.status());
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
