#include "sources/filesystem/hdfs_files.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace leat::sources {
namespace {

using clients::WebHdfs;

/// So much is asked for at a time: two requests for it cost little then.
constexpr std::uint64_t kWindowBytes = 4U << 20;

FileFacts facts_of(const WebHdfs::Entry& entry) {
  return {.id = entry.id, .size = entry.length, .mtime = entry.mtime};
}

FileEntry entry_of(const WebHdfs::Entry& found, std::string name) {
  FileEntry entry{std::move(name), FileEntry::Kind::kFolder, std::nullopt};
  if (found.is_folder) return entry;
  entry.kind = FileEntry::Kind::kFile;
  entry.facts = facts_of(found);
  return entry;
}

/// The bytes that were asked for last.
class Window {
 public:
  explicit Window(WebHdfs& cluster) : cluster_(cluster) {}

  /// Some bytes of the file as it was seen, from `offset` on, which lies before its end. Valid until the next
  /// call.
  Result<std::string_view> at(const FileFacts& file, std::uint64_t offset) {
    const bool held = file == file_ && offset >= offset_ && offset < offset_ + bytes_.size();
    if (!held) {
      bytes_.clear();
      LEAT_ASSIGN(bytes_, cluster_.read(clients::webhdfs_path_of_id(file.id), offset,
                                        std::min(kWindowBytes, file.size - offset)));
      file_ = file;
      offset_ = offset;
    }
    return std::string_view(bytes_).substr(static_cast<std::size_t>(offset - offset_));
  }

 private:
  WebHdfs& cluster_;  // The tree's.
  FileFacts file_;
  std::uint64_t offset_ = 0;
  std::string bytes_;
};

class HdfsFile final : public RawFile {
 public:
  HdfsFile(WebHdfs& cluster, Window& window, std::string path, FileFacts facts)
      : cluster_(cluster), window_(window), path_(std::move(path)), facts_(facts) {}

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> out) override {
    std::size_t filled = 0;
    while (filled < out.size()) {
      const std::uint64_t at = offset + filled;
      if (at >= facts_.size) LEAT_TRY(refresh());
      if (at >= facts_.size) break;
      const auto bytes = window_.at(facts_, at);
      if (!bytes) return renamed(bytes.error());
      const std::size_t taken = std::min(bytes->size(), out.size() - filled);
      std::copy_n(bytes->begin(), taken, out.begin() + static_cast<std::ptrdiff_t>(filled));
      filled += taken;
    }
    return filled;
  }
  [[nodiscard]] FileFacts facts() const override { return facts_; }

  Status refresh() override {
    const auto found = cluster_.look(clients::webhdfs_path_of_id(facts_.id));
    if (found) facts_ = facts_of(*found);
    if (found || found.error().code == ErrorCode::kNotFound) return {};
    return renamed(found.error());
  }

 private:
  /// For people the file has its name, not its id.
  [[nodiscard]] tl::unexpected<Error> renamed(Error error) const {
    const std::string id = cluster_.root() + clients::webhdfs_path_of_id(facts_.id);
    const std::size_t at = error.message.find(id);
    if (at != std::string::npos) error.message.replace(at, id.size(), path_);
    return tl::unexpected<Error>(std::move(error));
  }

  WebHdfs& cluster_;  // The tree's, as is the window; the tree outlives its files.
  Window& window_;
  const std::string path_;  // When it was opened.
  FileFacts facts_;
};

class HdfsFiles final : public FileTree {
 public:
  explicit HdfsFiles(clients::WebHdfsOptions options)
      : root_(options.root + "/"), cluster_(std::move(options)), window_(cluster_) {}

  [[nodiscard]] const std::string& root() const override { return root_; }

  Result<std::optional<FileEntry>> look(const std::string& path) override {
    auto found = cluster_.look(below(path));
    if (found) return entry_of(*found, path.substr(path.rfind('/') + 1));
    if (found.error().code == ErrorCode::kNotFound) return std::nullopt;
    return tl::unexpected<Error>(std::move(found).error());
  }

  Result<std::vector<FileEntry>> entries(const std::string& folder) override {
    auto found = cluster_.list(below(folder));
    std::vector<FileEntry> all;
    if (!found && found.error().code == ErrorCode::kNotFound) return all;
    if (!found) return tl::unexpected<Error>(std::move(found).error());
    for (const WebHdfs::Entry& entry : *found)
      if (!entry.name.empty()) all.push_back(entry_of(entry, entry.name));
    return all;
  }

  Result<std::unique_ptr<RawFile>> open(const std::string& path) override {
    LEAT_ASSIGN(const WebHdfs::Entry found, cluster_.look(below(path)));
    return std::make_unique<HdfsFile>(cluster_, window_, path, facts_of(found));
  }

  void interrupt() override { cluster_.interrupt(); }

 private:
  /// As the cluster has it.
  [[nodiscard]] std::string below(const std::string& path) const { return path.substr(root_.size() - 1); }

  const std::string root_;
  WebHdfs cluster_;
  Window window_;
};

}  // namespace

std::unique_ptr<FileTree> hdfs_files(clients::WebHdfsOptions options) {
  return std::make_unique<HdfsFiles>(std::move(options));
}

}  // namespace leat::sources
