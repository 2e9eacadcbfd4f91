// Apache's library for Avro (avro-c) at work on bytes from outside: what it is not allowed to do.
//
// It reads by calling back (avro_consumer_t) and writes by asking for values (avro_value_iface_t), so that
// Leat's callbacks see everything before it is believed. Some of what the wire has is told to it in other
// words, with the same bytes, as its own would lose something:
//
//   string    bytes                          its strings end at the first NUL
//   map       array of record {key, value}   so do its keys
//   union     record {long, value}           it cuts the number of a branch to 32 bits (read only)
//   enum      long                           the same (read only)
//   nothing   null                           a fixed of no size, which it takes for a lack of memory
//
// It may work on several threads at once, a coder on one.
#pragma once

#include <avro.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

namespace leat::formats {

/// What a callback answers to end the library's work. Its own are errno's.
constexpr int kAvroRefused = -1;

struct AvroFree {
  void operator()(avro_schema_t schema) const { avro_schema_decref(schema); }
  void operator()(avro_reader_t reader) const { avro_reader_free(reader); }
  void operator()(avro_writer_t writer) const { avro_writer_free(writer); }
};
using AvroTypePtr = std::unique_ptr<std::remove_pointer_t<avro_schema_t>, AvroFree>;

/// Types as the library knows them: a record of so many fields, whatever they are (the callbacks say), …
AvroTypePtr avro_record_type(std::size_t fields);
AvroTypePtr avro_array_type();
AvroTypePtr avro_fixed_type(std::size_t size);

/// Reads messages. What the library allocates for a text is one buffer, as large as the message: it asks for
/// no more, and loses nothing where it stops halfway.
class AvroReader {
 public:
  AvroReader();

  /// 0, kAvroRefused, or what the library says: ENOSPC, ENOMEM: the bytes have ended; EINVAL: a negative
  /// length; EILSEQ: a number of more than ten bytes; ERANGE: an int of more than 32 bits.
  int read(std::string_view bytes, avro_consumer_t& root, void* data);
  /// Of these, the bytes that have not been read.
  std::size_t left();

 private:
  std::unique_ptr<std::remove_pointer_t<avro_reader_t>, AvroFree> reader_;
  std::vector<char> text_;
};

/// Writes values, into a buffer that is as large as the longest so far needed.
class AvroWriter {
 public:
  AvroWriter();

  /// The message: `head` and the value's bytes, valid until the next call. Nothing: the value was refused.
  bool write(std::string_view head, avro_value_t& value, std::string_view& message);

 private:
  std::unique_ptr<std::remove_pointer_t<avro_writer_t>, AvroFree> writer_;
  std::vector<char> message_;
};

}  // namespace leat::formats
