#include "pipelines/formats/avro_library.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <new>
#include <string>

// In place of the library's own, as a program's come before those of what it loads: they print each refusal
// into one text of the process, without a lock, where trials read messages beside the pipelines. What is
// wrong is in the answers; nobody reads that text.
extern "C" {
void avro_set_error(const char* /*format*/, ...) {}
void avro_prefix_error(const char* /*format*/, ...) {}
}

namespace leat::formats {
namespace {

constexpr std::size_t kFirstMessage = 1024;
constexpr std::size_t kKeptText = 64 << 10;  // What a longer message took is given back.

/// The only memory that there is while a message is read.
struct TextMemory {
  char* place = nullptr;
  std::size_t size = 0;
  bool asked_for_negative = false;
};
/// Null: no message is being read.
thread_local TextMemory* reading = nullptr;

class Reading {
 public:
  explicit Reading(TextMemory& memory) { reading = &memory; }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() { reading = nullptr; }
};

/// What allocated before Leat did.
avro_allocator_state outside{};

/// One text is alive at a time, as the callbacks copy what they want: all of them can have the same place.
void* allocate(void* /*context*/, void* memory, std::size_t old_size, std::size_t size) {
  if (reading == nullptr) return outside.alloc(outside.user_data, memory, old_size, size);
  if (memory != nullptr && size == 0) return nullptr;  // Freed.
  // It adds a byte to a length without a look at its sign; the longest becomes the least. (Of a length only
  // so many bits come here as a size has: with 32 of them, one of 2 GiB and more may look negative.)
  const auto asked = static_cast<std::ptrdiff_t>(size);
  reading->asked_for_negative = asked <= 0 && asked != PTRDIFF_MIN;
  return size == 0 || size > reading->size ? nullptr : reading->place;
}

template <class Made>
Made made(Made thing) {
  if (thing == nullptr) throw std::bad_alloc();
  return thing;
}

void allocate_here() {
  static const bool done = [] {
    outside = AVRO_CURRENT_ALLOCATOR;
    avro_set_allocator(allocate, nullptr);
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace

AvroTypePtr avro_record_type(std::size_t fields) {
  AvroTypePtr record(made(avro_schema_record("record", nullptr)));
  for (std::size_t i = 0; i < fields; ++i)
    avro_schema_record_field_append(record.get(), ("f" + std::to_string(i)).c_str(), avro_schema_null());
  return record;
}

AvroTypePtr avro_array_type() {
  return AvroTypePtr(made(avro_schema_array(avro_schema_null())));
}

AvroTypePtr avro_fixed_type(std::size_t size) {
  return AvroTypePtr(made(avro_schema_fixed("fixed", static_cast<std::int64_t>(size))));
}

AvroReader::AvroReader() {
  allocate_here();
  reader_.reset(made(avro_reader_memory(nullptr, 0)));
}

int AvroReader::read(std::string_view bytes, avro_consumer_t& root, void* data) {
  // With the NUL that the library puts behind each text.
  const std::size_t longest = bytes.size() + 1;
  if (text_.size() < longest) text_.resize(longest);
  avro_reader_memory_set_source(reader_.get(), bytes.data(), static_cast<std::int64_t>(bytes.size()));
  TextMemory memory{text_.data(), longest};
  int result = 0;
  {
    const Reading now(memory);
    result = avro_consume_binary(reader_.get(), &root, data);
  }
  if (text_.size() > kKeptText) text_ = {};
  return result == ENOMEM && memory.asked_for_negative ? EINVAL : result;
}

std::size_t AvroReader::left() {
  constexpr int kHighestBit = 62;
  if (avro_skip(reader_.get(), 1) != 0) return 0;
  std::int64_t left = 1;
  for (int bit = kHighestBit; bit >= 0; --bit) {
    const std::int64_t step = std::int64_t{1} << bit;
    if (avro_skip(reader_.get(), step) == 0) left += step;
  }
  return static_cast<std::size_t>(left);
}

AvroWriter::AvroWriter() : message_(kFirstMessage) {
  allocate_here();
  writer_.reset(made(avro_writer_memory(nullptr, 0)));
}

bool AvroWriter::write(std::string_view head, avro_value_t& value, std::string_view& message) {
  int result = 0;
  do {
    // Twice as long as the longest so far.
    if (result != 0) message_.resize(2 * message_.size());
    std::ranges::copy(head, message_.begin());
    avro_writer_memory_set_dest(writer_.get(), message_.data() + head.size(),
                                static_cast<std::int64_t>(message_.size() - head.size()));
    result = avro_value_write(writer_.get(), &value);
  } while (result == ENOSPC);
  message = {message_.data(), head.size() + static_cast<std::size_t>(avro_writer_tell(writer_.get()))};
  return result == 0;
}

}  // namespace leat::formats
