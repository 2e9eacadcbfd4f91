// What is kept of a request beside its body: the attributes of a record in the intake.
//
// Grammar (pipelines/base/bytes.h):
//   attributes := u8 flags [fixed64 low, fixed64 high] string remote, string type, varint count,
//                 (string name, string value)*
//     flags     bit 0: the request had an Idempotency-Key, whose hash follows
//     remote    the address of the peer
//     type      its Content-Type
//     count     of the headers that were kept, names in lower case
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sources/http/accepted_keys.h"

namespace leat::sources {

struct HttpRecord {
  std::optional<KeyHash> key;
  std::string_view remote;
  std::string_view content_type;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

std::string encode_http_record(const HttpRecord& record);
/// Views into `attributes`. They are our own bytes, checked by the journal; of wrong ones the rest is empty.
HttpRecord decode_http_record(std::string_view attributes);

}  // namespace leat::sources
