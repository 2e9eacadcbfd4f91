// Messages of Protocol Buffers into columns, straight from the wire: the fields that are wanted, what else is
// in a message is passed over. Runs on its pipeline's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/formats/format.h"
#include "pipelines/formats/protobuf_options.h"
#include "pipelines/formats/protobuf_shape.h"
#include "pipelines/formats/protobuf_wire.h"

namespace leat::formats {

/// What becomes of fields that are not set although the format knows "not set".
enum class Unset : std::uint8_t { kNull, kDefault };
/// Where the bytes of a message lie: texts of the payload are not copied.
enum class MessageBytes : std::uint8_t { kPayload, kScratch };

/// Reads messages of one type, one at a time: first all fields are collected, as they come in any order and
/// more than once, then each column gets its own.
class MessageReader {
 public:
  MessageReader(const google::protobuf::Descriptor& type, const ProtobufMessage& shape, Unset unset);

  /// False, with `reason`, when the bytes are no message or a value does not fit; columns may have got some
  /// values by then.
  bool read(std::string_view message, MessageBytes place, std::span<ColumnBuilder* const> columns,
            std::string& reason);

 private:
  struct Value {
    std::uint64_t number = 0;  // As on the wire.
    std::string_view bytes;
  };
  struct Slot {
    ProtobufField shape;
    WireType wire = WireType::kVarint;
    int oneof = -1;
    std::unique_ptr<MessageReader> reader;  // Of messages and entries of maps.
    bool set = false;
    Value value;
    std::string merged;         // A message that came in several pieces.
    std::vector<Value> values;  // Of a list or map.
    std::vector<ColumnBuilder*> children;
  };
  /// A field number that means something here.
  struct Known {
    std::uint32_t number = 0;
    int slot = -1;   // -1: not wanted, but of a oneof.
    int oneof = -1;  // -1: of none.
  };

  bool collect(std::string_view message, std::string& reason);
  bool take(WireReader& wire, const Known& known, WireType type);
  bool take_packed(Slot& slot, std::string_view bytes);
  void merge(Slot& slot, std::string_view bytes);
  [[nodiscard]] const Known* find(std::uint32_t number) const;

  bool store(Slot& slot, MessageBytes place, ColumnBuilder& out, std::string& reason);
  bool store_unset(Slot& slot, ColumnBuilder& out, std::string& reason);
  bool store_one(Slot& slot, const Value& value, MessageBytes place, ColumnBuilder& out, std::string& reason);
  bool store_map(Slot& slot, MessageBytes place, ColumnBuilder& out, std::string& reason);

  Unset unset_;
  std::vector<Slot> slots_;
  std::vector<Known> known_;  // By number.
};

class ProtobufDecoder final : public Decoder {
 public:
  /// `schema` fits the request's columns.
  ProtobufDecoder(const ProtobufOptions& options, ProtobufSchema schema, const DecodeRequest& request);

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override;

 private:
  void read_record(std::string_view record, std::span<ColumnBuilder* const> columns,
                   std::vector<BadRecord>& bad, DecodeCount& count);
  void refuse(std::string_view record, std::string reason, std::vector<BadRecord>& bad,
              DecodeCount& count) const;

  const ProtobufOptions options_;
  const ProtobufSchema schema_;
  MessageReader reader_;
};

}  // namespace leat::formats
