#include "tests/sql/script.h"

#include <fmt/format.h>

#include <sstream>

namespace leat::sql_test {
namespace {

constexpr std::string_view kMark = "--- ";

struct Section {
  std::string kind;  ///< "file", "pipeline", "clock", "result", "error", "dead"
  std::string argument;
  std::size_t line = 0;
  std::vector<std::string> lines;
};

std::vector<Section> sections_of(const std::string& text) {
  std::vector<Section> sections;
  std::istringstream stream(text);
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    if (line.starts_with(kMark)) {
      const std::string rest = line.substr(kMark.size());
      const std::size_t space = std::min(rest.find(' '), rest.size());
      sections.push_back({rest.substr(0, space), rest.substr(std::min(space + 1, rest.size())), number, {}});
    } else if (!sections.empty()) {
      sections.back().lines.push_back(line);
    }
  }
  return sections;
}

std::vector<std::string> without_blank(const std::vector<std::string>& lines) {
  std::vector<std::string> kept;
  for (const std::string& line : lines)
    if (!line.empty() && !line.starts_with('#')) kept.push_back(line);
  return kept;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

Result<std::vector<Case>> parse_script(const std::string& text) {
  std::vector<Case> cases;
  std::map<std::string, std::string> files;
  for (const Section& section : sections_of(text)) {
    const auto wrong = [&](std::string_view why) {
      return fail(ErrorCode::kInvalid, fmt::format("line {}: --- {}: {}", section.line, section.kind, why));
    };
    if (section.kind == "file") {
      files[section.argument] = joined(without_blank(section.lines));
    } else if (section.kind == "pipeline") {
      if (section.argument.empty()) return wrong("the case needs a title");
      cases.push_back({.title = section.argument,
                       .line = section.line,
                       .files = files,
                       .pipeline = joined(section.lines)});
    } else if (cases.empty()) {
      return wrong("comes before any --- pipeline");
    } else if (section.kind == "clock") {
      if (section.argument != "event") return wrong("there is only --- clock event");
      cases.back().event_clock = true;
    } else if (section.kind == "result") {
      cases.back().order = section.argument == "unordered" ? Order::kUnordered : Order::kOrdered;
      cases.back().rows = without_blank(section.lines);
    } else if (section.kind == "error") {
      cases.back().errors = without_blank(section.lines);
      if (cases.back().errors.empty()) return wrong("names no text to look for");
    } else if (section.kind == "dead") {
      cases.back().dead = without_blank(section.lines);
    } else {
      return wrong("is no kind of section");
    }
  }
  return cases;
}

}  // namespace leat::sql_test
