// Messages of Apache Avro into columns. The library (avro_library.h) reads the bytes; each place of the
// schema is a consumer, which it tells what it finds there, and which tells it the consumers of what is
// inside. What no column wants goes through consumers, too, as somebody has to see that it has an end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/formats/avro_library.h"
#include "pipelines/formats/avro_options.h"
#include "pipelines/formats/avro_schema.h"
#include "pipelines/formats/avro_shape.h"
#include "pipelines/formats/format.h"

namespace leat::formats {

class AvroDecoder final : public Decoder {
 public:
  /// `schema` fits the request's columns.
  AvroDecoder(const AvroOptions& options, AvroFraming framing, AvroSchema schema,
              const DecodeRequest& request);
  AvroDecoder(const AvroDecoder&) = delete;
  AvroDecoder& operator=(const AvroDecoder&) = delete;
  ~AvroDecoder() override;

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 private:
  struct Place;
  struct Calls;

  /// A value that has begun: what the library hands to a consumer beside the place.
  struct Level {
    ColumnBuilder* out = nullptr;        ///< Null: of the message itself, and where nobody wants it.
    const std::string* field = nullptr;  ///< The one of a record that is being read.
    std::int64_t branch = 0;             ///< Of a union.
    bool closed = false;                 ///< A list whose last block was there.
    bool in_entry = false;               ///< Of a MAP.
    std::size_t first_key = 0;           ///< In keys_, of a MAP's.
  };
  struct Key {
    std::size_t begin = 0;  ///< In key_bytes_.
    std::size_t size = 0;
    std::uint64_t entry = 0;
  };

  // The places of what a column wants (`shape`), and of what none does.
  Place& new_place(const AvroNode& node, const AvroShape* shape, AvroTypePtr type);
  Place& wanted_place(const AvroShape& shape, AvroIndex index);
  Place& value_place(const AvroShape& shape);
  Place& passed_place(AvroIndex index);
  Place& scalar_place(const AvroNode& node, const AvroShape* shape);
  Place& record_place(const AvroNode& node, const AvroShape* shape);
  Place& array_place(const AvroNode& node, const AvroShape* shape);
  Place& map_place(const AvroNode& node, const AvroShape* shape);
  Place& union_place(const AvroNode& node, const AvroShape* shape);

  bool read_message(std::string_view payload, std::span<ColumnBuilder* const> columns);
  bool take_header(std::string_view& payload);
  bool read_record(std::string_view bytes);
  void say_broken(int result);
  void forget();

  // What the library tells. False: broken, as reason_ says.
  Level* below(const Level& level, ColumnBuilder* out);
  bool choose_branch(const Place& place, const Level& level, ColumnBuilder*& out);
  bool begin_block(const Place& place, Level& level, bool first, bool last);
  bool begin_item(const Level& level);
  bool is_dead_entry();
  bool take_key(const Level& level, std::string_view key);
  void end_map(const Level& level);
  bool take_boolean(const Level& level, int value);
  bool take_integer(const Place& place, const Level& level, std::int64_t value);
  bool take_symbol(const AvroNode& node, const Level& level, std::int64_t number);
  bool take_bytes(const Place& place, const Level& level, std::string_view bytes);
  bool misfit(const Level& level, std::string reason);
  bool fail(std::string reason);

  const AvroOptions options_;
  const AvroFraming framing_;
  const AvroSchema schema_;
  AvroShape shape_;
  AvroReader reader_;
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<Place*> passed_;  // By node.
  Place* root_ = nullptr;

  // Of the message that is being read.
  std::span<ColumnBuilder* const> columns_;
  std::vector<Level> levels_;
  std::size_t depth_ = 0;  // Of the value that began last.
  std::size_t size_ = 0;   // Its bytes.
  std::size_t items_ = 0;  // Of all its lists so far.
  std::uint64_t entries_ = 0;
  std::string key_bytes_;
  std::vector<Key> keys_;
  std::vector<std::uint64_t> dead_;  // The entries behind which an equal key comes.
  std::size_t next_dead_ = 0;
  bool first_ = true;    // dead_ is being found.
  bool misfit_ = false;  // A value of an entry does not fit, which may be a dead one's.
  std::string reason_;
};

}  // namespace leat::formats
