#include "sources/filesystem/file_listing.h"

#include <re2/re2.h>

#include <optional>
#include <utility>
#include <vector>

#include "sources/filesystem/file_glob.h"

namespace leat::sources {
namespace {

using Kind = FileEntry::Kind;

class Listing {
 public:
  Listing(FileTree& tree, const std::string& regex)
      : tree_(tree), regex_(regex, RE2::Quiet), chosen_(!regex.empty()) {}

  /// A file, whatever it is called, or all that is below a folder.
  Status add(const std::string& path, const FileEntry& entry) {
    if (entry.kind == Kind::kFile) return add_file(path, entry);
    const bool is_folder = entry.kind == Kind::kFolder || entry.kind == Kind::kLinkedFolder;
    return is_folder ? add_folder(path) : Status();
  }

  Status add_folder(const std::string& folder) {
    LEAT_ASSIGN(const std::vector<FileEntry> entries, tree_.entries(folder));
    for (const FileEntry& entry : entries)
      if (!is_hidden_name(entry.name) && entry.kind != Kind::kLinkedFolder)
        LEAT_TRY(add(path_in(folder, entry.name), entry));
    return {};
  }

  FoundFiles take() { return std::move(found_); }

 private:
  Status add_file(const std::string& path, const FileEntry& entry) {
    if (chosen_ && !RE2::FullMatch(path, regex_)) return {};
    std::optional<FileFacts> facts = entry.facts;
    if (!facts) {
      LEAT_ASSIGN(const auto there, tree_.look(path));
      if (there) facts = there->facts;
    }
    if (facts) found_.emplace(path, *facts);
    return {};
  }

  FileTree& tree_;  // The caller's, during the look.
  const RE2 regex_;
  const bool chosen_;  // By the expression.
  FoundFiles found_;
};

}  // namespace

Result<FoundFiles> find_files(FileTree& tree, const FileSelection& selection) {
  const std::string& path = selection.path;
  LEAT_ASSIGN(const auto there, tree.look(path));
  // One that is named is read, whatever the expression says.
  if (there && there->facts) return FoundFiles{{path, *there->facts}};
  Listing listing(tree, selection.regex);
  if (there) {
    LEAT_TRY(listing.add(path, *there));
    return listing.take();
  }
  if (!has_wildcards(path)) return fail(ErrorCode::kNotFound, path + ": no such file or folder");
  LEAT_ASSIGN(const std::vector<std::string> matches, expand_glob(tree, path));
  if (matches.empty()) return fail(ErrorCode::kNotFound, path + ": nothing has such a name");
  for (const std::string& match : matches) {
    LEAT_ASSIGN(const auto entry, look_if_allowed(tree, match));
    if (entry) LEAT_TRY(listing.add(match, *entry));
  }
  return listing.take();
}

}  // namespace leat::sources
