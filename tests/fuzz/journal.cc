// A journal whose file is damaged anywhere. It is written, then bytes are changed as the input says, then it
// is opened and read: that must end, with an error or with records that were written, each unchanged and in
// order. What is appended afterwards must come out, too.
#include "sources/journal.h"

#include <cstring>
#include <mutex>

#include "tests/fuzz/fuzz.h"

namespace {

using namespace leat;
using namespace leat::sources;

/// Bytes in memory, shared by the journals that are opened over them.
class MemoryFile final : public JournalFile {
 public:
  explicit MemoryFile(std::string& bytes) : bytes_(bytes) {}
  Status write(std::uint64_t offset, std::string_view bytes) override {
    const std::scoped_lock lock(mutex_);
    if (offset + bytes.size() > bytes_.size()) return fail(ErrorCode::kIo, "behind the end");
    bytes_.replace(static_cast<std::size_t>(offset), bytes.size(), bytes);
    return {};
  }
  Status read(std::uint64_t offset, std::span<char> out) const override {
    const std::scoped_lock lock(mutex_);
    if (offset + out.size() > bytes_.size()) return fail(ErrorCode::kIo, "behind the end");
    std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return {};
  }
  Status sync() override { return {}; }
  Status allocate(std::uint64_t size) override {
    const std::scoped_lock lock(mutex_);
    bytes_.assign(static_cast<std::size_t>(size), '\0');
    return {};
  }
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }

 private:
  mutable std::mutex mutex_;  // The journal's own thread syncs and writes, too.
  std::string& bytes_;
};

constexpr IntakeOptions kOptions{.size = {64 * 1024}, .sync_interval = Micros(3'600'000'000)};
constexpr int kRecords = 40;
/// What is set aside cannot be kept: the corpus must not leave files behind.
constexpr const char* kPath = "/dev/null/journal";

std::string payload_of(std::uint64_t number) {
  return "record " + std::to_string(number) + std::string(static_cast<std::size_t>(number % 97), '.');
}

void append(Journal& journal, std::uint64_t number) {
  (void)journal.append(payload_of(number), "key", "attributes", static_cast<std::int64_t>(number));
}

/// Two openings, some of it released: slots and epochs differ.
const std::string& healthy() {
  static const std::string made = [] {
    std::string bytes;
    for (std::uint64_t begin : {1, kRecords / 2 + 1}) {
      JournalFindings findings;
      auto journal = Journal::open(std::make_unique<MemoryFile>(bytes), kPath, kOptions, {}, findings);
      fuzz::expect(journal.has_value(), "a new journal opens");
      for (std::uint64_t n = begin; n < begin + kRecords / 2; ++n) append(**journal, n);
    }
    return bytes;
  }();
  return made;
}

void damage(std::string& bytes, fuzz::Choices choices) {
  while (!choices.empty()) {
    const std::uint32_t at = choices.number() % 16'384;  // Slots and all records lie before it.
    switch (choices.byte() % 4) {
      case 0:
        bytes[at] = static_cast<char>(choices.byte());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << (choices.byte() % 8)));
        break;
      case 2:
        std::fill_n(bytes.begin() + at, std::min<std::size_t>(choices.byte(), bytes.size() - at), '\0');
        break;
      default:
        if (choices.byte() > 250) bytes.resize(at);
        return;
    }
  }
}

/// Reads until nothing comes; the numbers grow, and each record is what was written under its number.
void read_all(Journal& journal) {
  std::uint64_t last = 0;
  for (int errors = 0; errors < 3 * kRecords;) {
    auto batch = journal.read(512);
    if (!batch) {
      ++errors;
      continue;
    }
    if (batch->lost > 0) {
      fuzz::expect(batch->messages.empty() && batch->through.value > last, "what is lost has its numbers");
      last = batch->through.value;
      continue;
    }
    if (batch->messages.empty()) return fuzz::expect(journal.queued_messages() == 0, "all queued came out");
    for (const Message& message : batch->messages) {
      fuzz::expect(message.number.value > last, "numbers grow");
      last = message.number.value;
      fuzz::expect(message.payload == payload_of(static_cast<std::uint64_t>(message.intake_time)),
                   "a record is what was written, or is not given out");
    }
  }
  fuzz::expect(false, "reading ends");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes = healthy();
  fuzz::Choices choices(fuzz::text_of(data, size));
  const MessageNumber committed{choices.byte() % 64U};
  damage(bytes, choices);
  JournalFindings findings;
  auto journal = Journal::open(std::make_unique<MemoryFile>(bytes), kPath, kOptions, committed, findings);
  if (!journal) return 0;
  for (std::uint64_t n = 1000; n < 1010; ++n) append(**journal, n);
  (*journal)->visit_unread([](const Message&) {});
  read_all(**journal);
  return 0;
}
