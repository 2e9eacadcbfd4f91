#include "pipelines/formats/json_decoder.h"

#include <algorithm>
#include <cstring>

#include "pipelines/formats/lines.h"
#include "pipelines/formats/row_bound.h"

namespace leat::formats {
namespace {

/// Lines are indexed in blocks of about this size: large enough that the start of the indexing does not
/// count, small enough that block and index stay in the second-level cache until they are decoded.
constexpr std::size_t kBlockBytes = 64 * 1024;

std::vector<JsonObject::Field> wanted_fields(const DecodeRequest& request) {
  std::vector<JsonObject::Field> fields;
  for (const std::size_t index : request.wanted) {
    const Type::Field& column = request.schema.fields[index];
    fields.push_back({column.name, JsonNode(column.type)});
  }
  return fields;
}

/// The offset behind the line that byte `from` belongs to.
std::size_t line_end(std::string_view text, std::size_t from) {
  const std::size_t newline = text.find('\n', from);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

bool is_blank(std::string_view text) {
  return std::ranges::all_of(text, JsonCursor::is_blank);
}

/// How many objects and arrays are open behind `text`.
int nesting(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') ++i;
    if (c == '"') in_string = !in_string;
    if (in_string) continue;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
  }
  return depth;
}

/// Where the grammar of JSON was left.
std::string malformed(const JsonCursor& in, std::string_view record) {
  constexpr std::size_t kShown = 20;
  if (in.at_end()) return "not JSON: the record ends too early";
  const auto offset = static_cast<std::size_t>(in.begin() - record.data());
  if (nesting(record.substr(0, offset)) > kDeepestNesting)
    return "nested deeper than " + std::to_string(kDeepestNesting) + " levels";
  return "not JSON at byte " + std::to_string(offset) + ": found " +
         std::string(in.token().substr(0, kShown));
}

}  // namespace

JsonDecoder::JsonDecoder(const JsonOptions& options, const DecodeRequest& request)
    : columns_(wanted_fields(request)), values_(options), options_(options), framing_(request.framing) {}

DecodeCount JsonDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                std::vector<BadRecord>& bad) {
  Pass pass{columns, bad};
  if (!columns.empty()) pass.rows = columns[0]->size();
  if (framing_ == Framing::kLines)
    decode_lines(payload, pass);
  else
    decode_record(without_byte_order_mark(payload), pass);
  return pass.count;
}

void JsonDecoder::decode_lines(std::string_view text, Pass& pass) {
  while (!text.empty()) {
    std::size_t length = text.size();
    if (length > kBlockBytes) {
      const std::size_t newline = text.rfind('\n', kBlockBytes);
      length = newline != std::string_view::npos ? newline + 1 : line_end(text, kBlockBytes);
    }
    std::string_view block = text.substr(0, length);
    text.remove_prefix(length);
    if (index_.build(block) == nullptr) {
      decode_indexed_lines(block, pass);
      continue;
    }
    // Something in the block (an unclosed string, bad UTF-8) says nothing of the other lines. No string runs
    // over a line's end in a block that indexes well, since a newline inside a string is an error.
    while (!block.empty()) {
      const std::size_t end = line_end(block, 0);
      decode_record(without_line_end(block.substr(0, end)), pass);
      block.remove_prefix(end);
    }
  }
}

void JsonDecoder::decode_indexed_lines(std::string_view block, Pass& pass) {
  const std::uint32_t* at = index_.tokens();
  for (std::size_t begin = 0; begin < block.size();) {
    const std::size_t end = line_end(block, begin);
    const std::string_view line = without_line_end(block.substr(begin, end - begin));
    const std::size_t stop = begin + line.size();
    begin = end;
    JsonCursor in(block.data(), at, stop);
    if (in.at_end()) {
      ++pass.count.empty;
      continue;
    }
    read_record(in, line, pass);
    at = in.mark();
    while (*at < stop) ++at;
  }
}

void JsonDecoder::decode_record(std::string_view record, Pass& pass) {
  if (const char* const problem = index_.build(record); problem != nullptr) {
    if (is_blank(record))
      ++pass.count.empty;
    else
      reject(record, std::string("not JSON: ") + problem, pass);
    return;
  }
  JsonCursor in(record.data(), index_.tokens(), record.size());
  read_record(in, record, pass);
}

void JsonDecoder::read_record(JsonCursor& in, std::string_view record, Pass& pass) {
  std::size_t rows = 0;
  const std::size_t most = most_rows(record.size(), pass.columns.size());
  Outcome outcome = read_rows(in, pass, most, rows);
  if (outcome == Outcome::kOk && !in.at_end()) outcome = Outcome::kMalformed;
  if (outcome == Outcome::kOk) {
    ++pass.count.decoded;
    pass.count.rows += rows;
    pass.rows += rows;
    return;
  }
  for (ColumnBuilder* const column : pass.columns) column->truncate(pass.rows);
  const std::string reason = rows > most                     ? std::string(kTooManyRows)
                             : outcome == Outcome::kMismatch ? mismatch_reason(in)
                                                             : malformed(in, record);
  reject(record, reason, pass);
}

/// One object is one row; an array is a row per element. Beyond `most` of them it ends.
Outcome JsonDecoder::read_rows(JsonCursor& in, Pass& pass, std::size_t most, std::size_t& rows) {
  if (in.peek() != '[') {
    rows = 1;
    return values_.read_row(in, columns_, pass.columns, pass.rows);
  }
  in.advance();
  char mark = in.peek() == ']' ? ']' : ',';
  if (mark == ']') in.advance();
  for (; mark == ','; ++rows) {
    if (rows > most) return Outcome::kMalformed;
    const Outcome outcome = values_.read_row(in, columns_, pass.columns, pass.rows + rows);
    if (outcome != Outcome::kOk) return outcome;
    mark = in.peek();
    if (mark != ',' && mark != ']') return Outcome::kMalformed;
    in.advance();
  }
  return Outcome::kOk;
}

std::string JsonDecoder::mismatch_reason(const JsonCursor& in) const {
  return values_.reason(in);
}

void JsonDecoder::reject(std::string_view record, std::string reason, Pass& pass) const {
  if (options_.ignore_parse_errors)
    ++pass.count.skipped;
  else
    pass.bad.push_back({record, std::move(reason)});
}

}  // namespace leat::formats
