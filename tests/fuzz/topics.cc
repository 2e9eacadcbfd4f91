// 'topic.pattern' and a topic, with a zero byte between them.
#include "sources/mqtt/topic_pattern.h"

#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace leat;
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t end = text.find('\0');
  const auto pattern = sources::TopicPattern::parse(text.substr(0, end));
  if (!pattern) return 0;
  const std::string_view topic = end == std::string_view::npos ? text : text.substr(end + 1);
  std::vector<std::string_view> parts;
  if (pattern->match(topic, parts))
    fuzz::expect(parts.size() == pattern->names().size(), "each name has its level");
  for (const std::string_view part : parts)
    fuzz::expect(part.data() >= topic.data() && part.data() + part.size() <= topic.data() + topic.size(),
                 "a level lies in its topic");
  return 0;
}
