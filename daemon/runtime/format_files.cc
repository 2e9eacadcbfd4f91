#include "daemon/runtime/format_files.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "pipelines/plan/lookup_node.h"
#include "pipelines/plan/node_build.h"

namespace leat::runtime {
namespace {

constexpr std::uintmax_t kLargest = 4U << 20;

std::optional<std::string> contents_of(const std::string& path) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed)) return std::nullopt;
  const std::uintmax_t size = std::filesystem::file_size(path, failed);
  if (failed || size > kLargest) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  return text;
}

std::uint64_t mark_of(const std::string& path) {
  const auto text = contents_of(path);
  return text ? std::max<std::uint64_t>(XXH3_64bits(text->data(), text->size()), 1) : 0;
}

/// A table may have formats of its own for keys and values.
void add_files(const OptionMap& options, FileMarks& marks) {
  for (const std::string prefix : {"", "key.", "value."}) {
    const auto name = options.find(prefix + "format");
    const formats::Format* const format =
        name == options.end() ? nullptr : formats::find_format(name->second);
    if (format == nullptr) continue;
    for (const std::string& key : format->files)
      if (const auto path = options.find(prefix + key); path != options.end())
        marks[path->second] = mark_of(path->second);
  }
}

}  // namespace

tl::expected<OptionMap, UnreadableFile> with_files(const formats::Format& format, const OptionMap& options) {
  OptionMap read = options;
  for (const std::string& key : format.files) {
    const auto option = read.find(key);
    if (option == read.end()) continue;
    auto text = contents_of(option->second);
    if (!text)
      return tl::unexpected(UnreadableFile{
          key,
          fmt::format("'{}': '{}' is no file of at most 4 MiB that Leat can read", key, option->second)});
    option->second = *std::move(text);
  }
  return read;
}

Result<OptionMap> read_files(const formats::Format& format, const OptionMap& options) {
  return with_files(format, options).map_error([](UnreadableFile unreadable) {
    return Error{ErrorCode::kInvalid, std::move(unreadable.message)};
  });
}

void name_files(const formats::Format& format, const OptionMap& options, std::span<OptionError> errors) {
  for (OptionError& error : errors)
    if (std::ranges::find(format.files, error.key) != format.files.end())
      error.message = fmt::format("'{}': {}", options.at(error.key), error.message);
}

FileMarks format_files(const plan::Plan& plan) {
  FileMarks marks;
  for (const auto& scan : plan.scans) add_files(scan->options, marks);
  for (const auto& sink : plan.sinks) add_files(sink->options, marks);
  plan::for_each_node(plan, [&](const plan::NodePtr& node) {
    if (node->kind == plan::NodeKind::kLookupJoin)
      add_files(static_cast<const plan::LookupJoinNode&>(*node).table().scan->options, marks);
  });
  return marks;
}

FileMarks marked_again(const FileMarks& marks) {
  FileMarks now;
  for (const auto& [path, mark] : marks) now[path] = mark_of(path);
  return now;
}

}  // namespace leat::runtime
