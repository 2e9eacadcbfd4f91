#include "sinks/filesystem/hdfs_store.h"

#include <fmt/format.h>

#include <optional>
#include <random>
#include <set>
#include <utility>

#include "sinks/filesystem/rolling_file.h"

namespace leat::sinks {
namespace {

using clients::WebHdfs;

constexpr std::string_view kGrowing = ".inprogress";
constexpr std::string_view kPublishing = ".publishing";

class HdfsStore final : public FileStore {
 public:
  explicit HdfsStore(clients::WebHdfsOptions options) : cluster_(std::move(options)) {}

  Status refuse(const std::string&) override { return {}; }

  std::string fresh_mark() override {
    std::random_device chance;
    return fmt::format("{:08x}{:08x}", chance(), chance());
  }

  Status ensure_folder(const std::string& folder) override {
    if (folder.empty() || made_.contains(folder)) return {};
    LEAT_TRY(cluster_.make_folder(folder));
    remember(made_, folder);
    return {};
  }

  Status append_at(const std::string& folder, const std::string& name, std::uint64_t length,
                   std::string_view bytes) override {
    const std::string path = folder + "/" + name;
    if (length == 0) return begin(folder, path, bytes);
    LEAT_ASSIGN(const auto found, look(path));
    if (!found) return fail(ErrorCode::kNotFound, shown(path) + " is gone");
    if (found->length < length)
      return tl::unexpected<Error>(file_is_too_short(shown(path), found->length, length));
    if (found->length > length)
      return fail(ErrorCode::kNotFound, shown(path) + " has more in it than is settled");
    LEAT_TRY(cluster_.append(path, std::string(bytes)));
    return expect(path, length + bytes.size());
  }

  Status publish(const std::string& folder, const std::string& hidden, const std::string& final_name,
                 std::uint64_t length) override {
    const std::string from = folder + "/" + hidden;
    const std::string to = folder + "/" + final_name;
    LEAT_ASSIGN(const auto published, look(to));
    if (!published) LEAT_TRY(rename_whole(from, to, length));
    if (published && published->length != length) LEAT_TRY(given_up(from, to, *published));
    begun_.erase(folder);
    return sweep(folder, final_name);
  }

  Status touch(const std::string& folder, const std::string& name) override {
    const Status made = cluster_.create(folder + "/" + name, {});
    const bool there = !made && made.error().code == ErrorCode::kConflict;
    return there ? Status() : made;
  }

  void interrupt() override { cluster_.interrupt(); }

 private:
  using Folders = std::set<std::string, std::less<>>;
  static constexpr std::size_t kRemembered = 1024;

  static void remember(Folders& folders, const std::string& folder) {
    if (folders.size() >= kRemembered) folders.clear();
    folders.insert(folder);
  }

  /// Somebody has put an empty file in the place of one that is gone, as its records are not missed. Errors:
  /// conflict (it is another file).
  Status given_up(const std::string& from, const std::string& to, const WebHdfs::Entry& published) {
    LEAT_ASSIGN(const auto hidden, look(from));
    if (!hidden && published.length == 0) return {};
    return tl::unexpected<Error>(name_is_taken(shown(from), shown(to)));
  }

  [[nodiscard]] std::string shown(const std::string& path) const { return cluster_.root() + path; }

  /// Nothing: it is not there.
  Result<std::optional<WebHdfs::Entry>> look(const std::string& path) {
    auto found = cluster_.look(path);
    if (found) return *std::move(found);
    if (found.error().code == ErrorCode::kNotFound) return std::nullopt;
    return tl::unexpected<Error>(std::move(found).error());
  }

  /// A file under a name that none ever had.
  Status begin(const std::string& folder, const std::string& path, std::string_view bytes) {
    // One that was begun and not published belongs to an attempt that was not settled.
    if (begun_.contains(folder)) swept_.erase(folder);
    remember(begun_, folder);
    Status made = cluster_.create(path, std::string(bytes));
    if (made) made = expect(path, bytes.size());
    if (made) return {};
    swept_.erase(folder);
    made_.erase(folder);  // It may be the folder that is gone.
    Error error = std::move(made).error();
    if (error.code == ErrorCode::kNotFound) error.code = ErrorCode::kUnavailable;
    return tl::unexpected<Error>(std::move(error));
  }

  /// Behind a write that the cluster has confirmed.
  Status expect(const std::string& path, std::uint64_t length) {
    LEAT_ASSIGN(const auto found, look(path));
    if (found && found->length == length) return {};
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} has {} bytes where {} were written: an earlier request was carried out late; "
                            "it is published without them, and they are written again",
                            shown(path), found ? found->length : 0, length));
  }

  Status rename_whole(const std::string& from, const std::string& to, std::uint64_t length) {
    const std::string aside = from.substr(0, from.size() - kGrowing.size()) + std::string(kPublishing);
    LEAT_ASSIGN(auto waiting, look(aside));
    if (!waiting) {
      const Status moved = cluster_.rename(from, aside);
      if (!moved && moved.error().code == ErrorCode::kNotFound) return expect_published(from, to, length);
      LEAT_TRY(moved);
      LEAT_ASSIGN(waiting, look(aside));
    }
    if (!waiting) return expect_published(from, to, length);
    if (waiting->length < length)
      return tl::unexpected<Error>(file_is_too_short(shown(aside), waiting->length, length));
    LEAT_ASSIGN(const bool whole, cluster_.truncate(aside, length));
    if (!whole)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{}: the cluster is cutting it to {} bytes", shown(aside), length));
    const Status renamed = cluster_.rename(aside, to);
    if (!renamed && renamed.error().code == ErrorCode::kConflict)
      return tl::unexpected<Error>(name_is_taken(shown(aside), shown(to)));
    if (!renamed && renamed.error().code == ErrorCode::kNotFound) return expect_published(from, to, length);
    return renamed;
  }

  Status expect_published(const std::string& from, const std::string& to, std::uint64_t length) {
    LEAT_ASSIGN(const auto found, look(to));
    if (found && found->length == length) return {};
    return tl::unexpected<Error>(file_was_not_published(shown(from), shown(to), length));
  }

  /// Takes away what attempts have left that were not settled: behind a publication no file of ours grows in
  /// its folder. `final_name` ends in "~00000007.csv".
  Status sweep(const std::string& folder, const std::string& final_name) {
    if (swept_.contains(folder)) return {};
    LEAT_ASSIGN(const std::vector<WebHdfs::Entry> entries, cluster_.list(folder.empty() ? "/" : folder));
    const std::string ours = ".leat-" + final_name.substr(0, final_name.rfind('~') + 1);
    for (const WebHdfs::Entry& entry : entries)
      if (entry.name.starts_with(ours) && entry.name.ends_with(kGrowing))
        LEAT_TRY(cluster_.remove(folder + "/" + entry.name));
    remember(swept_, folder);
    return {};
  }

  WebHdfs cluster_;
  Folders made_;   // Folders that are there, as far as we know.
  Folders begun_;  // Where a file has been begun and not been published since.
  Folders swept_;  // In which no attempt of ours can have left anything.
};

}  // namespace

std::unique_ptr<FileStore> hdfs_store(clients::WebHdfsOptions options) {
  return std::make_unique<HdfsStore>(std::move(options));
}

}  // namespace leat::sinks
