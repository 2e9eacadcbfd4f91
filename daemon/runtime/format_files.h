// The files that a format's options name: the formats read none themselves.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/formats/format.h"
#include "pipelines/plan/node.h"

namespace leat::runtime {

struct UnreadableFile {
  std::string option;  ///< The key.
  std::string message;
};

/// The options with the contents in place of the paths. Only plain files of at most 4 MiB are read, and
/// whatever else stands at a path has one message: who may validate a text shall not find out what files
/// there are.
tl::expected<OptionMap, UnreadableFile> with_files(const formats::Format& format, const OptionMap& options);
/// The same for who has no place to show.
Result<OptionMap> read_files(const formats::Format& format, const OptionMap& options);

/// Puts the paths before what a format says of its files: it knows what they hold, not where they are.
void name_files(const formats::Format& format, const OptionMap& options, std::span<OptionError> errors);

/// Files by their paths, and for each a number that is another one when it holds something else; 0: it cannot
/// be read.
using FileMarks = std::map<std::string, std::uint64_t>;
/// Of all files that the formats of the plan's tables name.
FileMarks format_files(const plan::Plan& plan);
/// The same files as they are now.
FileMarks marked_again(const FileMarks& marks);

}  // namespace leat::runtime
