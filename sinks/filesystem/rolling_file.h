// A growing file with a recorded length, and its way from the hidden to the final name. Blocking calls, on
// the delivery thread; every call stands alone, nothing stays open between two shipments. A name that is too
// long for the file system is invalid, whatever else a call says of its errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::sinks {

/// Errors: conflict (there is a file of that name).
Status refuse_file(const std::string& folder);
/// Creates the folder and its parents, each synced into the one above. Errors: io, conflict (as above).
Status ensure_folder(const std::string& folder);

/// Cuts the file to `length` (creating it when that is 0), appends, and syncs file and folder.
/// Errors: not found (it should have `length` bytes and is gone), conflict (it is shorter than `length`), io.
Status append_at(const std::string& folder, const std::string& name, std::uint64_t length,
                 std::string_view bytes);

/// Gives the first `length` bytes of the hidden file its final name, and syncs the folder. Already done: ok.
/// Errors: not found (there is neither file), conflict (both names exist, or the hidden file is shorter than
/// `length`), io.
Status publish(const std::string& folder, const std::string& hidden, const std::string& final_name,
               std::uint64_t length);

/// An empty file, synced into its folder; one that is there stays as it is. Errors: io.
Status touch_file(const std::string& folder, const std::string& name);

/// What is said of files that are not as they were left, wherever they are.
Error file_is_too_short(const std::string& path, std::uint64_t size, std::uint64_t length);
Error name_is_taken(const std::string& from, const std::string& to);
Error file_was_not_published(const std::string& from, const std::string& to, std::uint64_t length);

}  // namespace leat::sinks
