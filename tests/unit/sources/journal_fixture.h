// Verbs for the tests of the journal, and a file in memory that can refuse.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sources/journal.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

namespace leat::sources {

/// What the disk under a MemoryFile does; shared by the test and the file, and by the next file over the same
/// bytes.
struct Disk {
  std::mutex mutex;
  std::string bytes;
  std::string medium;  ///< What is there after a power cut: the bytes of good syncs.
  std::vector<std::pair<std::size_t, std::size_t>> unsynced;  ///< Offsets and lengths.
  std::atomic<bool> refuse_writes{false};
  std::atomic<bool> refuse_syncs{false};
  std::function<void(std::uint64_t offset)> written;  ///< After each write, on its thread.
  /// Before each sync: false refuses it. As on Linux what was written before is taken for clean then.
  std::function<bool()> may_sync;
  std::atomic<int> syncs{0};
  std::atomic<int> writes{0};
};

class MemoryFile final : public JournalFile {
 public:
  explicit MemoryFile(std::shared_ptr<Disk> disk) : disk_(std::move(disk)) {}

  Status write(std::uint64_t offset, std::string_view bytes) override {
    if (disk_->refuse_writes) return fail(ErrorCode::kIo, "refused");
    ++disk_->writes;
    {
      const std::scoped_lock lock(disk_->mutex);
      const auto place = static_cast<std::size_t>(offset);
      disk_->bytes.replace(place, bytes.size(), bytes);
      disk_->unsynced.emplace_back(place, bytes.size());
    }
    if (disk_->written) disk_->written(offset);
    return {};
  }
  Status read(std::uint64_t offset, std::span<char> out) const override {
    const std::scoped_lock lock(disk_->mutex);
    if (offset + out.size() > disk_->bytes.size()) return fail(ErrorCode::kIo, "short file");
    std::memcpy(out.data(), disk_->bytes.data() + offset, out.size());
    return {};
  }
  Status sync() override {
    const bool good = !disk_->refuse_syncs && (!disk_->may_sync || disk_->may_sync());
    const std::scoped_lock lock(disk_->mutex);
    const auto dirty = std::exchange(disk_->unsynced, {});
    if (!good) return fail(ErrorCode::kIo, "refused");
    for (const auto& [offset, length] : dirty) {
      disk_->medium.resize(disk_->bytes.size(), '\0');
      disk_->medium.replace(offset, length, disk_->bytes, offset, length);
    }
    ++disk_->syncs;
    return {};
  }
  Status allocate(std::uint64_t size) override {
    const std::scoped_lock lock(disk_->mutex);
    disk_->bytes.assign(static_cast<std::size_t>(size), '\0');
    return {};
  }
  [[nodiscard]] std::uint64_t size() const override {
    const std::scoped_lock lock(disk_->mutex);
    return disk_->bytes.size();
  }

 private:
  std::shared_ptr<Disk> disk_;
};

class JournalFixture {
 public:
  IntakeOptions options{.size = {128 * 1024}, .sync_interval = Micros(1000)};
  std::shared_ptr<Disk> disk = std::make_shared<Disk>();
  test::TemporaryFolder folder;  // For what is set aside.
  JournalFindings findings;
  std::unique_ptr<Journal> journal;

  /// Opens over the bytes as they are: what was written before is there, as after the end of a process.
  void open(std::uint64_t committed = 0) {
    journal.reset();
    findings = {};
    auto opened = Journal::open(std::make_unique<MemoryFile>(disk), folder.file("journal"), options,
                                {committed}, findings);
    REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : opened.error().message));
    journal = *std::move(opened);
  }
  /// The process dies: the bytes stay as they are now, the journal's end changes nothing any more.
  void crash() {
    std::string bytes;
    {
      const std::scoped_lock lock(disk->mutex);
      bytes = disk->bytes;
    }
    disk = std::make_shared<Disk>();
    disk->bytes = std::move(bytes);
    journal.reset();
  }

  /// The power goes: what was not synced is not there.
  void power_cut() {
    {
      const std::scoped_lock lock(disk->mutex);
      disk->bytes = disk->medium;
    }
    crash();
  }

  Appended append(std::string_view payload) { return journal->append(payload, "key", "attributes", 77); }
  /// Appends what nobody waits for.
  Appended gather(std::string_view payload) {
    return journal->append_unacknowledged(payload, "key", "attributes", 77);
  }
  /// Payloads "1", "2", … padded to `bytes`. Released room comes back on the journal's own thread.
  void append_numbered(int from, int to, std::size_t bytes = 0) {
    for (int i = from; i <= to; ++i)
      REQUIRE(test::eventually([&] { return append(numbered(i, bytes)) <= Appended::kAboveHigh; }));
  }
  static std::string numbered(int i, std::size_t bytes = 0) {
    std::string text = std::to_string(i);
    if (text.size() < bytes) text.resize(bytes, '.');
    return text;
  }

  /// Everything there is to read, in pieces of `max_bytes`.
  std::vector<std::string> read_all(std::size_t max_bytes = 4096) {
    std::vector<std::string> payloads;
    while (true) {
      auto batch = journal->read(max_bytes);
      if (!batch || (batch->messages.empty() && batch->lost == 0)) return payloads;
      if (batch->lost > 0) last = batch->through;
      lost += batch->lost;
      for (const Message& message : batch->messages) {
        payloads.emplace_back(message.payload);
        last = message.number;
      }
    }
  }
  void release_all() { journal->release(last); }

  MessageNumber last;      ///< Of the last message that `read_all` gave.
  std::uint64_t lost = 0;  ///< What `read_all` was told of.
};

}  // namespace leat::sources
