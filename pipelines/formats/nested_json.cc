#include "pipelines/formats/nested_json.h"

#include <array>
#include <memory>
#include <string_view>

#include "pipelines/formats/format.h"

namespace leat::formats {
namespace {

// The format knows records only: each value is the one field of an object.
constexpr std::string_view kBefore = R"({"v":)";
constexpr std::string_view kBehind = "}";

Schema one_field(const Type& type) {
  return Schema{{{"v", type.with_nullable(true)}}};
}

class Values final : public EncodedSink {
 public:
  explicit Values(std::vector<std::string>& texts) : texts_(texts) {}
  void record(std::size_t row, std::string_view bytes) override {
    texts_[row] = bytes.substr(kBefore.size(), bytes.size() - kBefore.size() - kBehind.size());
  }

 private:
  std::vector<std::string>& texts_;
};

/// All objects one behind the other, with the room that a decoder wants behind the last.
struct Objects {
  std::string bytes;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // Offset and length; length 0: NULL.
};

Objects objects_of(const Column& texts) {
  Objects objects;
  for (std::size_t row = 0; row < texts.size(); ++row) {
    const std::size_t begin = objects.bytes.size();
    if (!texts.is_null(row))
      objects.bytes.append(kBefore).append(texts.strings()[row]).append(kBehind).append(kPayloadPadding, ' ');
    const std::size_t length = objects.bytes.size() - begin;
    objects.places.emplace_back(begin, length == 0 ? 0 : length - kPayloadPadding);
  }
  return objects;
}

}  // namespace

Type json_text_type(const Type& type) {
  return type.is_nested() ? Type::string().with_nullable(type.nullable()) : type;
}

ColumnPtr nested_to_json(const ColumnPtr& column, std::vector<std::pair<std::uint32_t, std::string>>& bad) {
  if (!column->type().is_nested()) return column;
  std::vector<std::string> texts(column->size());
  Values values(texts);
  // The json format makes an encoder of any schema.
  const auto encoder = find_format("json")->make_encoder({}, one_field(column->type()));
  Batch batch{.size = column->size(), .columns = {column}};
  if (encoder) (*encoder)->encode(batch, values, bad);
  ColumnBuilder out(json_text_type(column->type()).with_nullable(true));
  for (std::size_t row = 0; row < column->size(); ++row) {
    if (column->is_null(row) || texts[row].empty())
      out.append_null();
    else
      out.append_string(texts[row]);
  }
  return out.finish();
}

Result<ColumnPtr> nested_from_json(const ColumnPtr& texts, const Type& type) {
  if (!type.is_nested()) return texts;
  const auto objects = std::make_shared<const Objects>(objects_of(*texts));
  const DecodeRequest request{.schema = one_field(type), .wanted = {0}};
  LEAT_ASSIGN(const auto decoder, find_format("json")->make_decoder({}, request));
  ColumnBuilder out(type);
  out.keep(objects);
  const std::array<ColumnBuilder*, 1> columns = {&out};
  std::vector<BadRecord> bad;
  for (const auto& [begin, length] : objects->places) {
    if (length == 0) {
      out.append_null();
      continue;
    }
    const std::string_view object(objects->bytes.data() + begin, length);
    if (decoder->decode(object, columns, bad).rows != 1)
      return fail(ErrorCode::kCorrupt, bad.empty() ? "'" + std::string(object) + "' is no " + type.to_string()
                                                   : bad.front().reason);
  }
  return out.finish();
}

}  // namespace leat::formats
