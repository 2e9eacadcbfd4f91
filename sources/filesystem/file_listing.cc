#include "sources/filesystem/file_listing.h"

#include <re2/re2.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "pipelines/formats/partition_folder.h"
#include "sources/filesystem/file_glob.h"

namespace leat::sources {
namespace {

using Kind = FileEntry::Kind;

bool is_hidden_name(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_');
}

class Listing {
 public:
  Listing(FileTree& tree, const FileSelection& selection, ClosedPaths* closed)
      : tree_(tree), regex_(selection.regex, RE2::Quiet), chosen_(!selection.regex.empty()), closed_(closed) {
    for (const std::string& column : selection.partitions)
      partitions_.push_back(formats::partition_prefix(column));
  }

  /// A file, whatever it is called, or all that is below a folder.
  Status add(const std::string& path, const FileEntry& entry) {
    if (entry.kind == Kind::kFile) return add_file(path, entry);
    const bool is_folder = entry.kind == Kind::kFolder || entry.kind == Kind::kLinkedFolder;
    return is_folder ? add_folder(path) : Status();
  }

  /// All that a pattern names.
  Status add_matches(const std::string& pattern) {
    const GlobRules rules{
        [this](const FileEntry& entry) { return is_hidden(entry); },
        [this](const std::string& path, const Error& error) { return pass_over(path, error); }};
    LEAT_ASSIGN(const std::vector<std::string> matches, expand_glob(tree_, pattern, rules));
    if (matches.empty() && passed_over_ == 0)
      return fail(ErrorCode::kNotFound, pattern + ": nothing has such a name");
    for (const std::string& match : matches) LEAT_TRY(add_match(match));
    return {};
  }

  FoundFiles take() { return std::move(found_); }

 private:
  Status add_match(const std::string& path) {
    const auto entry = look_if_there(tree_, path);
    if (!entry) return pass_over(path, entry.error());
    return *entry ? add(path, **entry) : Status();
  }

  Status add_folder(const std::string& folder) {
    const auto entries = tree_.entries(folder);
    if (!entries) return pass_over(folder, entries.error());
    for (const FileEntry& entry : *entries)
      if (entry.kind != Kind::kLinkedFolder && !is_hidden(entry))
        LEAT_TRY(add(path_in(folder, entry.name), entry));
    return {};
  }

  Status add_file(const std::string& path, const FileEntry& entry) {
    if (chosen_ && !RE2::FullMatch(path, regex_)) return {};
    std::optional<FileFacts> facts = entry.facts;
    if (!facts) {
      const auto there = tree_.look(path);
      if (!there) return pass_over(path, there.error());
      if (*there) facts = (*there)->facts;
    }
    if (facts) found_.emplace(path, *facts);
    return {};
  }

  [[nodiscard]] bool is_hidden(const FileEntry& entry) const {
    if (!is_hidden_name(entry.name)) return false;
    const auto names = [&](const std::string& prefix) { return entry.name.starts_with(prefix); };
    return entry.kind == Kind::kFile || std::ranges::none_of(partitions_, names);
  }

  Status pass_over(const std::string& path, const Error& error) {
    if (closed_ == nullptr || error.code != ErrorCode::kInvalid) return tl::unexpected<Error>(error);
    closed_->push_back({path, error.message});
    ++passed_over_;
    return {};
  }

  FileTree& tree_;  // The caller's, during the look.
  const RE2 regex_;
  const bool chosen_;                    // By the expression.
  ClosedPaths* const closed_;            // The caller's; null: what is closed is an error.
  std::vector<std::string> partitions_;  // What the names of their folders begin with.
  std::size_t passed_over_ = 0;
  FoundFiles found_;
};

}  // namespace

Result<FoundFiles> find_files(FileTree& tree, const FileSelection& selection, ClosedPaths* closed) {
  const std::string& path = selection.path;
  LEAT_ASSIGN(const auto there, tree.look(path));
  // One that is named is read, whatever the expression says.
  if (there && there->facts) return FoundFiles{{path, *there->facts}};
  if (there && there->kind == Kind::kOther) return tl::unexpected<Error>(no_file(path));
  if (!there && !has_wildcards(path)) return fail(ErrorCode::kNotFound, path + ": no such file or folder");
  Listing listing(tree, selection, closed);
  if (there)
    LEAT_TRY(listing.add(path, *there));
  else
    LEAT_TRY(listing.add_matches(path));
  return listing.take();
}

}  // namespace leat::sources
