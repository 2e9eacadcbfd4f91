#include "sources/http/http_record.h"

#include "pipelines/base/bytes.h"

namespace leat::sources {
namespace {

constexpr std::uint8_t kKeyBit = 1;

}  // namespace

std::string encode_http_record(const HttpRecord& record) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(record.key ? kKeyBit : 0);
  if (record.key) out.fixed64(record.key->low);
  if (record.key) out.fixed64(record.key->high);
  out.string(record.remote);
  out.string(record.content_type);
  out.varint(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    out.string(name);
    out.string(value);
  }
  return bytes;
}

HttpRecord decode_http_record(std::string_view attributes) {
  HttpRecord record;
  ByteReader in(attributes);
  if ((in.u8() & kKeyBit) != 0) {
    KeyHash& key = record.key.emplace();
    key.low = in.fixed64();
    key.high = in.fixed64();
  }
  record.remote = in.string();
  record.content_type = in.string();
  for (std::uint64_t left = in.varint(); left > 0 && in.ok() && !in.at_end(); --left) {
    const std::string_view name = in.string();
    record.headers.emplace_back(name, in.string());
  }
  return record;
}

}  // namespace leat::sources
