#include "daemon/runtime/format_files.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

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

}  // namespace leat::runtime
