#include "pipelines/formats/raw_format.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string>

#include "pipelines/column/charset.h"
#include "pipelines/formats/file_encoder.h"
#include "pipelines/formats/format_options.h"

namespace leat::formats {
namespace {

constexpr std::string_view kPrefix = "raw.";

enum class Endianness : std::uint8_t { kBig, kLittle };

struct RawOptions {
  std::string charset = "UTF-8";
  std::string endianness = "big-endian";
};

/// The options, understood.
struct RawSyntax {
  Charset charset = Charset::kUtf8;
  Endianness endianness = Endianness::kBig;
};

const OptionTable<RawOptions>& raw_options() {
  using Options = RawOptions;
  static const OptionTable<Options> table{
      option("raw.charset", &Options::charset, Necessity::kOptional,
             "The character set of a text: US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE or UTF-16LE."),
      option("raw.endianness", &Options::endianness, Necessity::kOptional,
             "The order of the bytes of a number: big-endian or little-endian.")};
  return table;
}

RawSyntax read_checked(const OptionMap& all, std::vector<OptionError>& errors) {
  const RawOptions options = raw_options().read(options_with_prefix(all, kPrefix), {}, errors);
  RawSyntax syntax;
  if (const auto charset = find_charset(options.charset))
    syntax.charset = *charset;
  else
    errors.push_back({"raw.charset", OptionError::Part::kValue, "'raw.charset': " + charset.error().message});
  if (options.endianness == "little-endian")
    syntax.endianness = Endianness::kLittle;
  else if (options.endianness != "big-endian")
    errors.push_back(
        {"raw.endianness", OptionError::Part::kValue,
         "'raw.endianness' must be 'big-endian' or 'little-endian', not '" + options.endianness + "'"});
  return syntax;
}

/// Bytes of a value of the type; 0: as many as the record has; nothing: the format has no such type.
std::optional<std::size_t> width_of(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kChar:
    case TypeKind::kVarChar:
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return 0;
    case TypeKind::kBoolean:
    case TypeKind::kTinyInt:
      return 1;
    case TypeKind::kSmallInt:
      return 2;
    case TypeKind::kInteger:
    case TypeKind::kFloat:
      return 4;
    case TypeKind::kBigInt:
    case TypeKind::kDouble:
      return 8;
    default:
      return std::nullopt;
  }
}

void validate(const OptionMap& all, const Schema& schema, std::vector<OptionError>& errors) {
  read_checked(all, errors);
  if (schema.size() != 1) {
    errors.push_back({"format", OptionError::Part::kValue,
                      "format 'raw' needs a table of exactly one column besides METADATA and computed ones, "
                      "this one has " +
                          std::to_string(schema.size())});
    return;
  }
  const Type::Field& column = schema.fields[0];
  if (!width_of(column.type))
    errors.push_back({"format", OptionError::Part::kValue,
                      "format 'raw' has no way to write column '" + column.name + "' of type " +
                          column.type.to_string() + "; it has texts, bytes, BOOLEAN and binary numbers"});
}

Result<RawSyntax> read_options(const OptionMap& all) {
  std::vector<OptionError> errors;
  const RawSyntax syntax = read_checked(all, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return syntax;
}

// ---- Bytes -----------------------------------------------------------------------------------------------

/// A number of the record's bytes in the machine's order.
template <class T>
T load(std::string_view bytes, Endianness endianness) {
  char ordered[sizeof(T)];
  std::memcpy(ordered, bytes.data(), sizeof(T));
  const bool big = std::endian::native == std::endian::big;
  if (big != (endianness == Endianness::kBig)) std::reverse(ordered, ordered + sizeof(T));
  T value;
  std::memcpy(&value, ordered, sizeof(T));
  return value;
}

template <class T>
void store(T value, Endianness endianness, std::string& out) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  const bool big = std::endian::native == std::endian::big;
  if (big != (endianness == Endianness::kBig)) std::reverse(bytes, bytes + sizeof(T));
  out.assign(bytes, sizeof(T));
}

class RawDecoder final : public Decoder {
 public:
  RawDecoder(const RawSyntax& syntax, const DecodeRequest& request)
      : syntax_(syntax), type_(request.schema.fields[0].type), framing_(request.framing) {}

  DecodeCount decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                     std::vector<BadRecord>& bad) override {
    DecodeCount count;
    if (framing_ == Framing::kMessage) {
      read_record(payload, columns, bad, count);
      return count;
    }
    while (!payload.empty()) {
      const std::size_t end = std::min(payload.find('\n'), payload.size());
      std::string_view line = payload.substr(0, end);
      payload.remove_prefix(std::min(end + 1, payload.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      read_record(line, columns, bad, count);
    }
    return count;
  }

 private:
  void read_record(std::string_view record, std::span<ColumnBuilder* const> columns,
                   std::vector<BadRecord>& bad, DecodeCount& count) {
    const std::size_t width = *width_of(type_);
    if (width != 0 && record.empty()) {
      ++count.empty;
      return;
    }
    if (width != 0 && record.size() != width) {
      bad.push_back({record, "expected " + type_.to_string() + " of " + std::to_string(width) +
                                 " bytes, found " + std::to_string(record.size())});
      return;
    }
    if (!columns.empty()) append(record, *columns[0]);
    ++count.decoded;
    ++count.rows;
  }

  void append(std::string_view record, ColumnBuilder& out) const {
    switch (type_.kind()) {
      case TypeKind::kBoolean:
        return out.append<std::uint8_t>(record[0] != 0 ? 1 : 0);
      case TypeKind::kTinyInt:
        return out.append(load<std::int8_t>(record, syntax_.endianness));
      case TypeKind::kSmallInt:
        return out.append(load<std::int16_t>(record, syntax_.endianness));
      case TypeKind::kInteger:
        return out.append(load<std::int32_t>(record, syntax_.endianness));
      case TypeKind::kBigInt:
        return out.append(load<std::int64_t>(record, syntax_.endianness));
      case TypeKind::kFloat:
        return out.append(load<float>(record, syntax_.endianness));
      case TypeKind::kDouble:
        return out.append(load<double>(record, syntax_.endianness));
      case TypeKind::kBinary:
      case TypeKind::kVarBinary:
        return out.append_view(record);
      default:
        break;
    }
    if (syntax_.charset == Charset::kUtf8 && is_valid_utf8(record)) return out.append_view(record);
    out.append_string(decode_text(record, syntax_.charset));
  }

  const RawSyntax syntax_;
  const Type type_;
  const Framing framing_;
};

class RawEncoder final : public Encoder {
 public:
  RawEncoder(const RawSyntax& syntax, Framing framing) : syntax_(syntax), framing_(framing) {}

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override {
    for (std::size_t row = 0; row < batch.size; ++row) {
      const Column& column = *batch.columns[0];
      if (column.is_null(row)) {
        bad.emplace_back(static_cast<std::uint32_t>(row), "NULL, for which the format raw has no bytes");
        continue;
      }
      write(column, row);
      if (framing_ == Framing::kLines && !is_line(buffer_))
        bad.emplace_back(static_cast<std::uint32_t>(row),
                         "the end of a line in a value, which is to be one line");
      else
        out.record(row, buffer_);
    }
  }

 private:
  /// Whether it is read again as it is: what ends a line is not part of it.
  static bool is_line(std::string_view record) {
    return record.find('\n') == std::string_view::npos && !record.ends_with('\r');
  }

  void write(const Column& column, std::size_t row) {
    switch (column.type().kind()) {
      case TypeKind::kBoolean:
        return buffer_.assign(1, column.values<std::uint8_t>()[row] != 0 ? '\1' : '\0'), void();
      case TypeKind::kTinyInt:
        return store(column.values<std::int8_t>()[row], syntax_.endianness, buffer_);
      case TypeKind::kSmallInt:
        return store(column.values<std::int16_t>()[row], syntax_.endianness, buffer_);
      case TypeKind::kInteger:
        return store(column.values<std::int32_t>()[row], syntax_.endianness, buffer_);
      case TypeKind::kBigInt:
        return store(column.values<std::int64_t>()[row], syntax_.endianness, buffer_);
      case TypeKind::kFloat:
        return store(column.values<float>()[row], syntax_.endianness, buffer_);
      case TypeKind::kDouble:
        return store(column.values<double>()[row], syntax_.endianness, buffer_);
      default:
        break;
    }
    const std::string_view text = column.strings()[row];
    if (column.type().is_binary() || syntax_.charset == Charset::kUtf8)
      buffer_.assign(text);
    else
      buffer_ = encode_text(text, syntax_.charset);
  }

  const RawSyntax syntax_;
  const Framing framing_;
  std::string buffer_;  // The record being written; reused.
};

/// A line of a file can be a text, if its bytes are no ends of lines.
void check_lines(const OptionMap& all, std::vector<OptionError>& errors) {
  std::vector<OptionError> said;  // By `validate`.
  const Charset charset = read_checked(all, said).charset;
  if (charset == Charset::kAscii || charset == Charset::kLatin1 || charset == Charset::kUtf8) return;
  errors.push_back({"format", OptionError::Part::kValue,
                    "in a file, each record of the format 'raw' is a line, which UTF-16 has not: use another "
                    "'raw.charset'"});
}

/// How the records lie that a table's options ask for: also in requests of several ('body' = 'lines').
Framing framing_in(const OptionMap& table) {
  const auto body = table.find("body");
  const bool lines = goes_into_files(table) || (body != table.end() && body->second == "lines");
  return lines ? Framing::kLines : Framing::kMessage;
}

Result<std::unique_ptr<Decoder>> make_decoder(const OptionMap& all, const DecodeRequest& request) {
  LEAT_ASSIGN(const RawSyntax syntax, read_options(all));
  return std::make_unique<RawDecoder>(syntax, request);
}

Result<std::unique_ptr<Encoder>> make_encoder(const OptionMap& all, const Schema& /*schema*/) {
  LEAT_ASSIGN(const RawSyntax syntax, read_options(all));
  return std::make_unique<RawEncoder>(syntax, framing_in(all));
}

}  // namespace

Format raw_format() {
  return {
      .name = "raw",
      .doc =
          "One value without any syntax around it, in a table of one column: a text, bytes, a BOOLEAN (one "
          "byte) or a binary number. In a file, a record is a line.",
      .options = [] { return raw_options().docs(); },
      .validate = validate,
      .make_decoder = make_decoder,
      .make_encoder = make_encoder,
      .check_in_files = check_lines,
      .separator = "\n",
      .content_type = "application/octet-stream",
      .text = false};
}

}  // namespace leat::formats
