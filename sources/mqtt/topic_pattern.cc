#include "sources/mqtt/topic_pattern.h"

#include <algorithm>

namespace leat::sources {
namespace {

/// Takes the first level off `rest`; `more` is false when it was the last.
std::string_view next_level(std::string_view& rest, bool& more) {
  const std::size_t slash = rest.find('/');
  more = slash != std::string_view::npos;
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(more ? slash + 1 : rest.size());
  return level;
}

}  // namespace

Result<TopicPattern> TopicPattern::parse(std::string_view text) {
  TopicPattern pattern;
  bool more = !text.empty();
  if (!more) return fail(ErrorCode::kInvalid, "the pattern is empty");
  while (more) {
    const std::string_view level = next_level(text, more);
    if (level == "#" && more) return fail(ErrorCode::kInvalid, "'#' must be the last level");
    LEAT_TRY(pattern.add_level(level));
  }
  return pattern;
}

Status TopicPattern::add_level(std::string_view level) {
  if (level == "+" || level == "#") {
    levels_.push_back({level == "+" ? Kind::kAny : Kind::kRest, {}});
    return {};
  }
  if (level.size() > 2 && level.front() == '{' && level.back() == '}')
    return add_name(level.substr(1, level.size() - 2));
  if (level.find_first_of("{}+#") != std::string_view::npos)
    return fail(ErrorCode::kInvalid,
                "the level '" + std::string(level) +
                    "' mixes text and placeholder; a {name}, '+' or '#' takes a whole level");
  levels_.push_back({Kind::kLiteral, std::string(level)});
  return {};
}

Status TopicPattern::add_name(std::string_view name) {
  if (name.find_first_of("{}+#") != std::string_view::npos)
    return fail(ErrorCode::kInvalid, "the name '" + std::string(name) + "' has a reserved character");
  if (std::find(names_.begin(), names_.end(), name) != names_.end())
    return fail(ErrorCode::kInvalid, "the name '" + std::string(name) + "' stands twice");
  names_.emplace_back(name);
  levels_.push_back({Kind::kNamed, {}});
  return {};
}

bool TopicPattern::match(std::string_view topic, std::vector<std::string_view>& parts) const {
  parts.clear();
  bool more = true;
  for (const Level& level : levels_) {
    if (level.kind == Kind::kRest) return true;
    if (!more) return false;
    const std::string_view found = next_level(topic, more);
    if (level.kind == Kind::kLiteral && found != level.literal) return false;
    if (level.kind == Kind::kNamed) parts.push_back(found);
  }
  return !more;
}

}  // namespace leat::sources
