// The metadata columns of requests.
#pragma once

#include <httplib.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/plan/catalog.h"
#include "sources/intake.h"

namespace leat::sources {

std::vector<plan::MetadataColumn> http_metadata_columns(const OptionMap& map);

/// What is kept of a request's headers: not the secrets of its sender, nor what belongs to the connection,
/// nor what is no text (UTF-8).
class KeptHeaders {
 public:
  KeptHeaders() = default;
  KeptHeaders(const httplib::Headers& headers, const std::string& content_type);
  /// In the order of their names; of one that is given twice both.
  [[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> views() const;

 private:
  std::vector<std::pair<std::string, std::string>> kept_;
};

/// Appends one message's metadata. On the loop.
class HttpMetadataWriter {
 public:
  /// Errors: invalid (there is no such metadata).
  static Result<HttpMetadataWriter> make(std::string path, const std::vector<std::string>& keys);
  [[nodiscard]] bool wants_headers() const;
  void append(const Message& message, std::span<ColumnBuilder* const> columns) const;

 private:
  enum class Field : std::uint8_t { kPath, kRemote, kType, kTimestamp, kHeaders };
  std::string path_;
  std::vector<Field> fields_;
};

}  // namespace leat::sources
