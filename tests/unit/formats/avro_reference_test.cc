// Avro beside what Apache's library for C does by itself, with schemas that it has read and values of its
// own: what either writes the other reads, and broken bytes are broken for both.
#include <avro.h>

#include <array>
#include <bit>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>

#include "format_fixture.h"

namespace leat::formats {
namespace {

using Random = std::mt19937_64;

std::size_t below(std::size_t limit, Random& random) {
  return static_cast<std::size_t>(random() % limit);
}

struct Case {
  const char* schema;
  Type::Fields columns;
  /// Of equal keys in broken bytes the library keeps the place of the first, Leat that of the last.
  bool has_maps = false;
};

Type must(const Type& type) {
  return type.with_nullable(false);
}

std::vector<Case> cases() {
  const Type pair = must(Type::row({{"a", must(Type::integer())}, {"b", Type::string()}}));
  return {
      {R"({"type":"record","name":"r","fields":[
           {"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},
           {"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"s","type":"string"},
           {"name":"x","type":"bytes"},{"name":"h","type":{"type":"fixed","name":"three","size":3}},
           {"name":"e","type":{"type":"enum","name":"kind","symbols":["COLD","WARM","HOT"]}}]})",
       {{"b", must(Type::boolean())},
        {"i", must(Type::integer())},
        {"l", must(Type::big_int())},
        {"f", must(Type::float32())},
        {"d", must(Type::float64())},
        {"s", must(Type::string())},
        {"x", must(Type::bytes())},
        {"h", must(Type(TypeKind::kBinary, 3))},
        {"e", must(Type::string())}}},
      {R"({"type":"record","name":"r","fields":[
           {"name":"i","type":["null","int"]},{"name":"s","type":["string","null"]},
           {"name":"p","type":["null",{"type":"record","name":"pair","fields":[
             {"name":"a","type":"int"},{"name":"b","type":["null","string"]}]}]},
           {"name":"q","type":{"type":"array","items":"pair"}}]})",
       {{"i", Type::integer()},
        {"s", Type::string()},
        {"p", pair.with_nullable(true)},
        {"q", must(Type::array(pair))}}},
      {R"({"type":"record","name":"r","fields":[
           {"name":"m","type":{"type":"map","values":{"type":"array","items":["null","double"]}}},
           {"name":"n","type":{"type":"array","items":{"type":"map","values":"long"}}}]})",
       {{"m", must(Type::map(must(Type::string()), must(Type::array(Type::float64()))))},
        {"n", must(Type::array(must(Type::map(must(Type::string()), must(Type::big_int())))))}},
       true},
  };
}

/// The library's memory: it asks for as much as a length in broken bytes announces, and forgets to free what
/// it had read before it found them broken.
class BoundedMemory {
 public:
  static void* change(void* context, void* memory, std::size_t /*old_size*/, std::size_t size) {
    constexpr std::size_t kMost = 16U << 20;
    if (size > kMost) return nullptr;
    auto& all = static_cast<BoundedMemory*>(context)->all_;
    all.erase(memory);
    if (size == 0) return std::free(memory), nullptr;
    return *all.insert(std::realloc(memory, size)).first;
  }
  ~BoundedMemory() {
    for (void* const memory : all_) std::free(memory);
  }

 private:
  std::set<void*> all_;
};
BoundedMemory bounded_memory;
// Before Leat's coders have the library's memory in hand: what they do not need goes on to here.
const bool memory_is_bounded = (avro_set_allocator(BoundedMemory::change, &bounded_memory), true);

/// A schema of the library, and one value of it that is used again.
class Reference {
 public:
  explicit Reference(const char* json) {
    REQUIRE(avro_schema_from_json_length(json, std::string_view(json).size(), &schema_) == 0);
    iface_ = avro_generic_class_from_schema(schema_);
    REQUIRE(avro_generic_value_new(iface_, &value_) == 0);
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  ~Reference() {
    avro_value_decref(&value_);
    avro_value_iface_decref(iface_);
    avro_schema_decref(schema_);
  }

  std::string random_bytes(Random& random) {
    avro_value_reset(&value_);
    fill(value_, random);
    return written();
  }
  /// Whether these bytes are one value and nothing more.
  bool read(const std::string& bytes) {
    avro_value_reset(&value_);
    const avro_reader_t reader = avro_reader_memory(bytes.data(), static_cast<std::int64_t>(bytes.size()));
    std::array<char, 1> behind{};
    const bool whole = avro_value_read(reader, &value_) == 0 && avro_read(reader, behind.data(), 1) != 0;
    avro_reader_free(reader);
    return whole;
  }
  std::string written() {
    std::size_t size = 0;
    REQUIRE(avro_value_sizeof(&value_, &size) == 0);
    std::string bytes(size, '\0');
    const avro_writer_t writer = avro_writer_memory(bytes.data(), static_cast<std::int64_t>(size));
    REQUIRE(avro_value_write(writer, &value_) == 0);
    avro_writer_free(writer);
    return bytes;
  }

 private:
  static std::string text(Random& random) {
    constexpr std::array<const char*, 6> kTexts{"", "a", "ü", "😀", "line\n", "press-07"};
    std::string all;
    for (auto parts = random() % 4; parts > 0; --parts) all += kTexts[below(kTexts.size(), random)];
    return all;
  }

  static void fill(avro_value_t& value, Random& random) {
    switch (avro_value_get_type(&value)) {
      case AVRO_RECORD:
        return fill_record(value, random);
      case AVRO_ARRAY:
        return fill_items(random, [&](avro_value_t& item) { avro_value_append(&value, &item, nullptr); });
      case AVRO_MAP:
        return fill_items(random, [&](avro_value_t& item) {
          avro_value_add(&value, text(random).c_str(), &item, nullptr, nullptr);
        });
      case AVRO_UNION: {
        avro_value_t branch;
        avro_value_set_branch(&value, static_cast<int>(random() % 2), &branch);
        return fill(branch, random);
      }
      default:
        return fill_scalar(value, random);
    }
  }

  static void fill_record(avro_value_t& value, Random& random) {
    std::size_t fields = 0;
    avro_value_get_size(&value, &fields);
    for (std::size_t i = 0; i < fields; ++i) {
      avro_value_t field;
      avro_value_get_by_index(&value, i, &field, nullptr);
      fill(field, random);
    }
  }

  template <class Add>
  static void fill_items(Random& random, Add add) {
    for (auto items = random() % 4; items > 0; --items) {
      avro_value_t item;
      add(item);
      fill(item, random);
    }
  }

  static void fill_scalar(avro_value_t& value, Random& random) {
    // Numbers of every size: each has as many bits as chance has it.
    const std::uint64_t bits = random() >> random() % 64;
    std::string bytes = text(random) + '\xff' + '\0';
    switch (avro_value_get_type(&value)) {
      case AVRO_BOOLEAN:
        avro_value_set_boolean(&value, static_cast<int>(bits % 2));
        break;
      case AVRO_INT32:
        avro_value_set_int(&value, static_cast<std::int32_t>(bits));
        break;
      case AVRO_INT64:
        avro_value_set_long(&value, static_cast<std::int64_t>(random() % 2 == 0 ? bits : ~bits));
        break;
      case AVRO_FLOAT:
        avro_value_set_float(&value, std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
        break;
      case AVRO_DOUBLE:
        avro_value_set_double(&value, std::bit_cast<double>(random()));
        break;
      case AVRO_STRING:
        avro_value_set_string(&value, text(random).c_str());
        break;
      case AVRO_BYTES:
        avro_value_set_bytes(&value, bytes.data(), bytes.size());
        break;
      case AVRO_FIXED:
        bytes.resize(3, '\1');
        avro_value_set_fixed(&value, bytes.data(), bytes.size());
        break;
      case AVRO_ENUM:
        avro_value_set_enum(&value, static_cast<int>(bits % 3));
        break;
      default:
        avro_value_set_null(&value);
    }
  }
  avro_schema_t schema_ = nullptr;
  avro_value_iface_t* iface_ = nullptr;
  avro_value_t value_{};
};

/// Leat's format between two byte strings.
class Ours final : private EncodedSink {
 public:
  explicit Ours(const Case& given) : schema_{given.columns} {
    const OptionMap options{{"avro.schema", given.schema}};
    DecodeRequest request{.schema = schema_};
    for (std::size_t i = 0; i < schema_.size(); ++i) request.wanted.push_back(i);
    decoder_ = *find_format("avro")->make_decoder(options, request);
    encoder_ = *find_format("avro")->make_encoder(options, schema_);
  }

  /// Whether these bytes are a record; then `written` is that record's.
  bool read(const std::string& bytes) {
    auto payload = std::make_shared<std::string>(bytes + std::string(kPayloadPadding, '"'));
    std::vector<ColumnBuilder> builders;
    for (const auto& field : schema_.fields) builders.emplace_back(field.type);
    std::vector<ColumnBuilder*> columns;
    for (ColumnBuilder& builder : builders) columns.push_back(&builder);
    for (ColumnBuilder* const column : columns) column->keep(payload);
    std::vector<BadRecord> bad;
    const DecodeCount count = decoder_->decode({payload->data(), bytes.size()}, columns, bad);
    reason = bad.empty() ? "" : bad[0].reason;
    if (count.rows == 0) return false;
    Batch batch{.size = 1};
    for (ColumnBuilder& builder : builders) batch.columns.push_back(builder.finish());
    std::vector<std::pair<std::uint32_t, std::string>> unwritten;
    encoder_->encode(batch, *this, unwritten);
    REQUIRE(unwritten.empty());
    return true;
  }

  std::string written;
  std::string reason;

 private:
  void record(std::size_t /*row*/, std::string_view bytes) override { written = bytes; }

  Schema schema_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<Encoder> encoder_;
};

TEST_CASE("what Apache's library has written is read, and written again byte by byte") {
  Random random(8);
  for (const Case& given : cases()) {
    Reference reference(given.schema);
    Ours ours(given);
    for (int i = 0; i < 500; ++i) {
      const std::string bytes = reference.random_bytes(random);
      INFO("schema ", given.schema, " record ", i);
      REQUIRE(ours.read(bytes));
      CHECK(ours.written == bytes);
    }
  }
}

/// What Apache's library takes and Leat does not.
bool stricter(const std::string& reason) {
  for (const char* const known : {"UTF-8", "no boolean", "no such symbol of the enum"})
    if (reason.find(known) != std::string::npos) return true;
  return false;
}

TEST_CASE("broken bytes are broken for both") {
  Random random(9);
  std::size_t both = 0;
  std::size_t none = 0;
  for (const Case& given : cases()) {
    Reference reference(given.schema);
    Ours ours(given);
    for (int i = 0; i < 2000; ++i) {
      std::string bytes = reference.random_bytes(random);
      if (bytes.empty()) continue;
      if (random() % 4 == 0) bytes.resize(below(bytes.size(), random));
      if (bytes.empty()) continue;
      bytes[below(bytes.size(), random)] ^= static_cast<char>(1 << random() % 7);
      const bool theirs = reference.read(bytes);
      const bool read = ours.read(bytes);
      INFO("schema ", given.schema, " change ", i, " reason ", ours.reason);
      if (read != theirs) {
        CHECK(theirs);
        CHECK(stricter(ours.reason));
        continue;
      }
      ++(read ? both : none);
      if (read && !given.has_maps) CHECK(ours.written == reference.written());
    }
  }
  CHECK(both > 100);
  CHECK(none > 100);
}

}  // namespace
}  // namespace leat::formats
