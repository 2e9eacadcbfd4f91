#include "sources/http/http_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "pipelines/base/time.h"
#include "pipelines/formats/utf8.h"
#include "sources/http/http_record.h"

namespace leat::sources {
namespace {

constexpr std::array<std::string_view, 9> kNotKept{
    "authorization", "connection", "content-length",      "cookie",           "leat-content-encoding",
    "expect",        "te",         "proxy-authorization", "transfer-encoding"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  return out;
}

Type headers_type() {
  return Type::map(Type::string().with_nullable(false), Type::string().with_nullable(false))
      .with_nullable(false);
}

/// Of a header that is given twice the last counts, as in a map.
void append_headers(const HttpRecord& record, ColumnBuilder& column) {
  for (std::size_t i = 0; i < record.headers.size(); ++i) {
    const auto& [name, value] = record.headers[i];
    if (i + 1 < record.headers.size() && record.headers[i + 1].first == name) continue;
    column.child(0).append_view(name);
    column.child(1).append_view(value);
  }
  column.close_nested();
}

}  // namespace

std::vector<plan::MetadataColumn> http_metadata_columns(const OptionMap&) {
  return {{.key = "path",
           .type = Type::string().with_nullable(false),
           .doc = "Path that the request was sent to."},
          {.key = "remote-address",
           .type = Type::string().with_nullable(false),
           .doc = "Address of who sent it; behind a proxy, the proxy's."},
          {.key = "content-type", .type = Type::string(), .doc = "Its Content-Type; NULL if it had none."},
          {.key = "headers",
           .type = headers_type(),
           .doc = "Its headers, names in lower case, without Authorization and Cookie. They are kept in the "
                  "journal only where a table reads them."},
          {.key = "timestamp",
           .type = Type::timestamp_ltz(3).with_nullable(false),
           .doc = "When it was received, by the gateway's clock."}};
}

KeptHeaders::KeptHeaders(const httplib::Headers& headers, const std::string& content_type) {
  for (const auto& [name, value] : headers) {
    std::string known = lower(name);
    if (!formats::valid_utf8(name) || !formats::valid_utf8(value)) continue;
    if (known == "leat-content-type" || std::ranges::find(kNotKept, known) != kNotKept.end()) continue;
    kept_.emplace_back(std::move(known), value);
  }
  if (!content_type.empty()) kept_.emplace_back("content-type", content_type);
  std::ranges::stable_sort(kept_, {}, &std::pair<std::string, std::string>::first);
}

std::vector<std::pair<std::string_view, std::string_view>> KeptHeaders::views() const {
  return {kept_.begin(), kept_.end()};
}

Result<HttpMetadataWriter> HttpMetadataWriter::make(std::string path, const std::vector<std::string>& keys) {
  static const std::array<std::pair<std::string_view, Field>, 5> known{{{"path", Field::kPath},
                                                                        {"remote-address", Field::kRemote},
                                                                        {"content-type", Field::kType},
                                                                        {"timestamp", Field::kTimestamp},
                                                                        {"headers", Field::kHeaders}}};
  HttpMetadataWriter writer;
  writer.path_ = std::move(path);
  for (const std::string& key : keys) {
    const auto found = std::ranges::find(known, key, &std::pair<std::string_view, Field>::first);
    if (found == known.end())
      return fail(ErrorCode::kInvalid, fmt::format("the http connector has no metadata '{}'", key));
    writer.fields_.push_back(found->second);
  }
  return writer;
}

bool HttpMetadataWriter::wants_headers() const {
  return std::ranges::find(fields_, Field::kHeaders) != fields_.end();
}

void HttpMetadataWriter::append(const Message& message, std::span<ColumnBuilder* const> columns) const {
  const HttpRecord record = decode_http_record(message.attributes);
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    ColumnBuilder& column = *columns[i];
    switch (fields_[i]) {
      case Field::kPath:
        column.append_string(path_);
        break;
      case Field::kRemote:
        column.append_view(record.remote);
        break;
      case Field::kType:
        record.content_type.empty() ? column.append_null() : column.append_view(record.content_type);
        break;
      case Field::kTimestamp:
        column.append<std::int64_t>(floor_div(message.intake_time, kMicrosPerMilli) * kMicrosPerMilli);
        break;
      case Field::kHeaders:
        append_headers(record, column);
        break;
    }
  }
}

}  // namespace leat::sources
