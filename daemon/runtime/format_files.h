// The files that a format's options name: the formats read none themselves.
#pragma once

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/formats/format.h"

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

}  // namespace leat::runtime
