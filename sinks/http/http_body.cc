#include "sinks/http/http_body.h"

#include <zlib.h>

namespace leat::sinks {

namespace {

std::string json_array(std::span<const Record> records) {
  std::string body = "[";
  for (const Record& record : records) {
    if (body.size() > 1) body.push_back(',');
    body.append(record.payload);
  }
  body.push_back(']');
  return body;
}

std::string lines(std::span<const Record> records, std::string_view separator) {
  std::string body;
  for (const Record& record : records) body.append(record.payload).append(separator);
  return body;
}

constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for a gzip header.
constexpr int kMemoryLevel = 8;       // zlib's default.

}  // namespace

std::string make_body(BodyForm form, std::span<const Record> records, std::string_view separator) {
  switch (form) {
    case BodyForm::kJsonArray:
      return json_array(records);
    case BodyForm::kJsonLines:
      return lines(records, "\n");
    case BodyForm::kLines:
      return lines(records, separator);
    case BodyForm::kSingle:
      return std::string(records.front().payload);
  }
  return {};
}

std::string body_content_type(BodyForm form, const std::string& record_type) {
  if (form == BodyForm::kJsonArray) return "application/json";
  if (form == BodyForm::kJsonLines) return "application/x-ndjson";
  return record_type.empty() ? "application/octet-stream" : record_type;
}

Result<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(ErrorCode::kExhausted, "gzip: no memory");
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  // zlib's interface is older than const; it does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END)
    return fail(ErrorCode::kInternal, "gzip: the output was larger than its bound");
  return out;
}

}  // namespace leat::sinks
