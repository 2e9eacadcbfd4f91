#include "tests/disk/forgetful_disk.h"

#include <algorithm>
#include <utility>

namespace leat::test {
namespace {

using Kind = DiskCall::Kind;
constexpr std::size_t kSector = 512;

std::size_t below(std::size_t limit, std::mt19937_64& chance) {
  return static_cast<std::size_t>(chance() % limit);
}

}  // namespace

void ForgetfulDisk::change_names(const DiskCall& call, std::size_t file, Names& names) {
  if (call.kind == Kind::kCreate) names[call.path] = file;
  if (call.kind == Kind::kRemove || call.kind == Kind::kRename) names.erase(call.path);
  if (call.kind == Kind::kRename) names[call.target] = file;
}

void ForgetfulDisk::change_file(const Change& change, std::string& content) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.resize) return content.resize(offset);
  content.resize(std::max(content.size(), offset + change.bytes.size()));
  content.replace(offset, change.bytes.size(), change.bytes);
}

void ForgetfulDisk::apply(const DiskCall& call) {
  const auto known = names_.find(call.path);
  if (call.kind == Kind::kCreate) files_.emplace_back();
  const std::size_t file = known != names_.end() ? known->second : files_.size() - 1;
  switch (call.kind) {
    case Kind::kSyncNames:
      synced_names_ = names_;
      return pending_names_.clear();
    case Kind::kCreate:
    case Kind::kRename:
    case Kind::kRemove:
      if (call.kind != Kind::kCreate && known == names_.end()) return;
      change_names(call, file, names_);
      return pending_names_.emplace_back(call, file), void();
    default:
      break;
  }
  if (known == names_.end()) return;  // Made before the watch began, or by a call that is not watched.
  if (call.kind == Kind::kWrite) files_[file].pending.push_back({false, call.offset, call.bytes});
  if (call.kind == Kind::kResize) files_[file].pending.push_back({true, call.size, {}});
  if (call.kind != Kind::kSync) return;
  for (const Change& change : files_[file].pending) change_file(change, files_[file].synced);
  files_[file].pending.clear();
}

std::string ForgetfulDisk::cut_file(const File& file, std::mt19937_64& chance) {
  const std::size_t changes = file.pending.size();
  // Each version of the file from the last sync on; a sector comes from one of them, the length from one.
  std::vector<std::string> versions{file.synced};
  for (const Change& change : file.pending) change_file(change, versions.emplace_back(versions.back()));
  std::string content = versions[below(changes + 1, chance)];
  const std::uint64_t habit = chance() % 4;
  for (std::size_t at = 0; at < content.size(); at += kSector) {
    // Some cuts lose nearly everything, some nearly nothing: both find what a fair coin hides.
    std::size_t version = below(changes + 1, chance);
    if (habit == 0 && chance() % 8 != 0) version = 0;
    if (habit == 1 && chance() % 8 != 0) version = changes;
    std::string sector =
        at < versions[version].size() ? versions[version].substr(at, kSector) : std::string();
    sector.resize(std::min(kSector, content.size() - at));
    content.replace(at, sector.size(), sector);
  }
  return content;
}

DiskImage ForgetfulDisk::cut(Keeps keeps, std::uint64_t seed) const {
  std::mt19937_64 chance(seed);
  Names names = keeps == Keeps::kEverything ? names_ : synced_names_;
  const std::size_t kept = keeps == Keeps::kSome ? below(pending_names_.size() + 1, chance) : 0;
  for (std::size_t i = 0; i < kept; ++i)
    change_names(pending_names_[i].first, pending_names_[i].second, names);
  DiskImage image;
  for (const auto& [path, index] : names) {
    const File& file = files_[index];
    std::string& content = image[path];
    content = keeps == Keeps::kSome ? cut_file(file, chance) : file.synced;
    if (keeps == Keeps::kEverything)
      for (const Change& change : file.pending) change_file(change, content);
  }
  return image;
}

}  // namespace leat::test
