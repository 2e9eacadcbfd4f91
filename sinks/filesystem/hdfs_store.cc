#include "sinks/filesystem/hdfs_store.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "sinks/filesystem/rolling_file.h"

namespace leat::sinks {
namespace {

using clients::WebHdfs;

class HdfsStore final : public FileStore {
 public:
  explicit HdfsStore(clients::WebHdfsOptions options) : cluster_(std::move(options)) {}

  Status refuse(const std::string&) override { return {}; }

  Status ensure_folder(const std::string& folder) override {
    if (folder.empty() || made_.contains(folder)) return {};
    LEAT_TRY(cluster_.make_folder(folder));
    if (made_.size() >= kRemembered) made_.clear();
    made_.insert(folder);
    return {};
  }

  Status append_at(const std::string& folder, const std::string& name, std::uint64_t length,
                   std::string_view bytes) override {
    const std::string path = folder + "/" + name;
    if (length == 0) {
      // Whatever an unsettled attempt may have left of it, and be it still under its hand.
      LEAT_TRY(cluster_.create(path, std::string(bytes)));
    } else {
      LEAT_TRY(cut(path, length));
      LEAT_TRY(cluster_.append(path, std::string(bytes)));
    }
    return expect(path, length + bytes.size());
  }

  Status publish(const std::string& folder, const std::string& hidden, const std::string& final_name,
                 std::uint64_t length) override {
    const std::string from = folder + "/" + hidden;
    const std::string to = folder + "/" + final_name;
    const Status whole = cut(from, length);
    if (!whole && whole.error().code == ErrorCode::kNotFound) return expect_published(from, to, length);
    LEAT_TRY(whole);
    const Status renamed = cluster_.rename(from, to);
    if (!renamed && renamed.error().code == ErrorCode::kConflict)
      return tl::unexpected<Error>(name_is_taken(shown(from), shown(to)));
    return renamed;
  }

  void interrupt() override { cluster_.interrupt(); }

 private:
  static constexpr std::size_t kRemembered = 1024;

  [[nodiscard]] std::string shown(const std::string& path) const { return cluster_.root() + path; }

  /// To the length that is settled. Errors: not found, conflict (it is shorter), unavailable (the cluster is
  /// at it).
  Status cut(const std::string& path, std::uint64_t length) {
    auto found = cluster_.look(path);
    if (!found && found.error().code == ErrorCode::kNotFound)
      return fail(ErrorCode::kNotFound, shown(path) + " is gone");
    if (!found) return tl::unexpected<Error>(std::move(found).error());
    if (found->length < length)
      return tl::unexpected<Error>(file_is_too_short(shown(path), found->length, length));
    if (found->length == length) return {};
    LEAT_ASSIGN(const bool done, cluster_.truncate(path, length));
    if (done) return {};
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: the cluster is cutting it to {} bytes", shown(path), length));
  }

  /// Behind a write that the cluster has confirmed.
  Status expect(const std::string& path, std::uint64_t length) {
    LEAT_ASSIGN(const WebHdfs::Entry found, cluster_.look(path));
    if (found.length == length) return {};
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} has {} bytes where {} were written: an earlier request has been carried out "
                            "late; it is cut and written again",
                            shown(path), found.length, length));
  }

  Status expect_published(const std::string& from, const std::string& to, std::uint64_t length) {
    const auto found = cluster_.look(to);
    if (found) return {};
    if (found.error().code != ErrorCode::kNotFound) return tl::unexpected<Error>(found.error());
    return tl::unexpected<Error>(file_was_not_published(shown(from), shown(to), length));
  }

  WebHdfs cluster_;
  std::set<std::string, std::less<>> made_;  // Folders that are there, as far as we know.
};

}  // namespace

std::unique_ptr<FileStore> hdfs_store(clients::WebHdfsOptions options) {
  return std::make_unique<HdfsStore>(std::move(options));
}

}  // namespace leat::sinks
