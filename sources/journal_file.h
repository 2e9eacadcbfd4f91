// The file under a journal, owned: opened, locked and preallocated once, then read and written by position.
// An interface, so that tests can put a disk below that refuses, forgets or tears.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::sources {

class JournalFile {
 public:
  virtual ~JournalFile() = default;
  /// All of it or an error; what lies there after an error is unknown. Errors: io.
  virtual Status write(std::uint64_t offset, std::string_view bytes) = 0;
  /// Fills `out` whole. Errors: io (a short file is one).
  virtual Status read(std::uint64_t offset, std::span<char> out) const = 0;
  /// What was written before is on the medium. After an error it may not be, although it can still be read:
  /// Linux marks the pages clean, so the same bytes have to be written again. Errors: io.
  virtual Status sync() = 0;
  /// Frees or allocates so that the file has `size` bytes, all allocated. Errors: io (a full disk, too).
  virtual Status allocate(std::uint64_t size) = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
};

/// Opens the file, creates it empty if it is not there (and syncs the folder), and locks it for this process.
/// Errors: conflict (locked by another process), io.
Result<std::unique_ptr<JournalFile>> open_journal_file(const std::string& path);

}  // namespace leat::sources
