#include "sources/journal_aside.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace leat::sources {
namespace {

constexpr std::uint64_t kCopyBytes = 256 * 1024;

Status copy(const JournalFile& file, const RingGeometry& ring, const RingRange& range, std::ofstream& out) {
  std::vector<char> bytes;
  for (std::uint64_t offset = range.begin; offset < range.end; offset += bytes.size()) {
    bytes.resize(static_cast<std::size_t>(
        std::min({range.end - offset, ring.lap_rest(offset), std::uint64_t{kCopyBytes}})));
    LEAT_TRY(file.read(ring.file_offset(offset), bytes));
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  return {};
}

}  // namespace

std::string keep_bytes(const JournalFile& file, const RingGeometry& ring,
                       const std::vector<RingRange>& ranges, const std::string& path, MessageNumber first) {
  const std::string aside = path + ".damaged-records-" + std::to_string(first.value);
  std::ofstream out(aside, std::ios::binary | std::ios::trunc);
  bool whole = true;
  for (const RingRange& range : ranges) whole = copy(file, ring, range, out) && whole;
  out.close();
  return (whole && out ? "their bytes are kept in " : "their bytes could not all be kept in ") + aside;
}

Result<std::string> set_file_aside(const std::string& path) {
  std::error_code failed;
  for (int n = 1;; ++n) {
    std::string aside = path + ".damaged-" + std::to_string(n);
    if (std::filesystem::exists(aside, failed)) continue;
    std::filesystem::rename(path, aside, failed);
    if (failed)
      return fail(ErrorCode::kIo, "renaming " + path + " to " + aside + " failed: " + failed.message());
    return aside;
  }
}

std::uint64_t count_set_aside(const std::string& path) {
  const std::filesystem::path whole(path);
  const std::string prefix = whole.filename().string() + ".damaged-";
  const std::filesystem::path folder = whole.has_parent_path() ? whole.parent_path() : ".";
  std::uint64_t count = 0;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed))
    if (at->path().filename().string().starts_with(prefix)) ++count;
  return count;
}

}  // namespace leat::sources
