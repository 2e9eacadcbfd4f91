#include "pipelines/formats/json_index.h"

#include <simdjson.h>

#include <algorithm>
#include <limits>

namespace leat::formats {

struct JsonIndex::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

namespace {

// The index costs four bytes per byte of text. It grows to the largest text seen, but that of a huge one is
// given back with the next small one.
constexpr std::size_t kFirstCapacity = 4096;
constexpr std::size_t kKeptCapacity = 4 << 20;
constexpr std::uint32_t kEnd = std::numeric_limits<std::uint32_t>::max();

const char* describe(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "invalid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string without its closing quote";
    case simdjson::UNESCAPED_CHARS:
      return "a control character inside a string";
    case simdjson::EMPTY:
      return "no document";
    case simdjson::MEMALLOC:
      return "too large for the memory";
    default:
      return simdjson::error_message(error);
  }
}

}  // namespace

JsonIndex::JsonIndex() : stage_(std::make_unique<Stage>()) {}
JsonIndex::~JsonIndex() = default;

const char* JsonIndex::build(std::string_view text) {
  if (text.size() >= kEnd) return "larger than 4 GiB";
  auto& parser = stage_->parser;
  if (parser && parser->capacity() > kKeptCapacity && text.size() < kKeptCapacity) parser.reset();
  if (!parser || parser->capacity() < text.size()) {
    const std::size_t capacity = std::max({kFirstCapacity, text.size(), parser ? parser->capacity() * 2 : 0});
    // The depth bounds simdjson's second stage, which is not used.
    const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        std::min<std::size_t>(capacity, kEnd - 1), 1, parser);
    if (error != simdjson::SUCCESS) return describe(error);
  }
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto error = parser->stage1(bytes, text.size(), simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS) return describe(error);
  // simdjson leaves room for three entries behind the last one.
  std::uint32_t* const end = parser->structural_indexes.get() + parser->n_structural_indexes;
  end[0] = end[1] = kEnd;
  tokens_ = parser->structural_indexes.get();
  return nullptr;
}

}  // namespace leat::formats
