#include "sinks/mqtt/topic_template.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

namespace leat::sinks {
namespace {

constexpr std::size_t kLongestTopic = 65535;  // MQTT 5, section 1.5.4
constexpr std::string_view kNeverInTopic("+#\0", 3);

/// A scalar of the key as text. Errors: invalid.
Result<std::string> scalar_text(const std::string& column, simdjson::ondemand::value value) {
  simdjson::ondemand::json_type type{};
  if (value.type().get(type) == simdjson::SUCCESS) {
    using simdjson::ondemand::json_type;
    std::string_view text;
    if (type == json_type::string && value.get_string().get(text) == simdjson::SUCCESS)
      return std::string(text);
    if (type == json_type::number || type == json_type::boolean) {
      text = value.raw_json_token();
      return std::string(text.substr(0, text.find_last_not_of(" ,}") + 1));
    }
    if (type == json_type::null)
      return fail(ErrorCode::kInvalid, fmt::format("column '{}' of the topic is NULL", column));
  }
  return fail(ErrorCode::kInvalid, fmt::format("column '{}' of the topic is no single value", column));
}

}  // namespace

Result<TopicTemplate> TopicTemplate::parse(std::string_view text) {
  TopicTemplate made;
  std::string literal;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '}' || kNeverInTopic.find(text[at]) != std::string_view::npos)
      return fail(
          ErrorCode::kInvalid,
          fmt::format("'{}' is no topic to publish to: found '{}' at position {}", text, text[at], at + 1));
    if (text[at] != '{') {
      literal.push_back(text[at]);
      continue;
    }
    const std::size_t end = text.find('}', at);
    const std::string column(text.substr(at + 1, end == std::string_view::npos ? 0 : end - at - 1));
    if (column.empty() || column.find('{') != std::string::npos)
      return fail(ErrorCode::kInvalid, fmt::format("'{}': expected {{column}} at position {}", text, at + 1));
    auto known = std::find(made.columns_.begin(), made.columns_.end(), column);
    if (known == made.columns_.end()) known = made.columns_.insert(known, column);
    made.parts_.push_back(
        {std::exchange(literal, {}), static_cast<std::size_t>(known - made.columns_.begin())});
    at = end;
  }
  made.tail_ = std::move(literal);
  if (made.parts_.empty() && made.tail_.empty()) return fail(ErrorCode::kInvalid, "the topic is empty");
  return made;
}

Result<std::string> TopicTemplate::render(std::string_view key) const {
  std::vector<std::string> values(columns_.size());
  if (!columns_.empty()) {
    simdjson::ondemand::parser parser;
    const simdjson::padded_string json(key);
    simdjson::ondemand::document document;
    if (parser.iterate(json).get(document) != simdjson::SUCCESS)
      return fail(ErrorCode::kInvalid, "the columns of the topic cannot be read");
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      simdjson::ondemand::value value;
      if (document.find_field_unordered(columns_[i]).get(value) != simdjson::SUCCESS)
        return fail(ErrorCode::kInvalid, fmt::format("column '{}' of the topic is NULL", columns_[i]));
      LEAT_ASSIGN(values[i], scalar_text(columns_[i], value));
      if (values[i].find_first_of(kNeverInTopic) != std::string::npos)
        return fail(
            ErrorCode::kInvalid,
            fmt::format("column '{}' holds '{}', which cannot be part of a topic", columns_[i], values[i]));
    }
  }
  std::string topic;
  for (const Part& part : parts_) topic += part.literal + values[part.column];
  topic += tail_;
  if (topic.empty() || topic.size() > kLongestTopic)
    return fail(ErrorCode::kInvalid,
                fmt::format("the topic has {} bytes, 1 to {} are possible", topic.size(), kLongestTopic));
  return topic;
}

}  // namespace leat::sinks
