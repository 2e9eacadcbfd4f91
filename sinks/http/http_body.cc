#include "sinks/http/http_body.h"

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

}  // namespace leat::sinks
