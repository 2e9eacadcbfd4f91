#include "pipelines/formats/cbor_decoder.h"

#include "pipelines/formats/row_bound.h"

namespace leat::formats {
namespace {

std::vector<CborFields::Field> wanted_fields(const DecodeRequest& request) {
  std::vector<CborFields::Field> fields;
  for (const std::size_t index : request.wanted) {
    const Type::Field& column = request.schema.fields[index];
    fields.push_back({column.name, CborNode(column.type)});
  }
  return fields;
}

}  // namespace

CborDecoder::CborDecoder(const CborOptions& options, const DecodeRequest& request)
    : options_(options), framing_(request.framing), columns_(wanted_fields(request)), values_(options) {}

DecodeCount CborDecoder::decode(std::string_view payload, std::span<ColumnBuilder* const> columns,
                                std::vector<BadRecord>& bad) {
  Pass pass{columns, bad};
  if (!columns.empty()) pass.rows = columns[0]->size();
  if (payload.empty()) {
    ++pass.count.empty;
  } else if (framing_ == Framing::kLines) {
    decode_sequence(payload, pass);
  } else {
    CborReader in(payload);
    read_record(payload, in, pass);
  }
  return pass.count;
}

/// Behind what is no CBOR nothing tells where the next item begins: the rest is one bad record.
void CborDecoder::decode_sequence(std::string_view items, Pass& pass) {
  while (!items.empty()) {
    CborReader whole(items);
    const std::string_view record = whole.skip() ? items.substr(0, whole.position()) : items;
    CborReader in(record);
    read_record(record, in, pass);
    items.remove_prefix(record.size());
  }
}

void CborDecoder::read_record(std::string_view record, CborReader& in, Pass& pass) {
  std::size_t rows = 0;
  std::string reason;
  const std::size_t most = most_rows(record.size(), pass.columns.size());
  if (!read_rows(in, pass, most, rows)) {
    const bool cut = in.state() == CborReader::State::kCut;
    reason = rows > most                              ? std::string(kTooManyRows)
             : in.state() == CborReader::State::kWell ? values_.reason()
             : cut                                    ? "not CBOR: the item ends too early"
                                                      : "not CBOR at byte " + std::to_string(in.position());
  } else if (!in.done()) {
    reason = std::to_string(record.size() - in.position()) + " bytes behind the item";
  } else {
    ++pass.count.decoded;
    pass.count.rows += rows;
    pass.rows += rows;
    return;
  }
  for (ColumnBuilder* const column : pass.columns) column->truncate(pass.rows);
  if (options_.ignore_parse_errors)
    ++pass.count.skipped;
  else
    pass.bad.push_back({record, std::move(reason)});
}

/// One map is one row; an array is a row per element, beyond `most` of which it ends. `rows` is what was
/// appended.
bool CborDecoder::read_rows(CborReader& in, Pass& pass, std::size_t most, std::size_t& rows) {
  CborReader begin = in;
  CborItem item;
  do {
    if (!in.next(item)) return false;
  } while (item.kind == CborItem::Kind::kTag);
  if (item.kind != CborItem::Kind::kArray) {
    rows = 1;
    in = begin;
    return values_.read_row(in, columns_, pass.columns, pass.rows);
  }
  for (std::uint64_t left = item.number; in.more(left); ++rows)
    if (rows > most || !values_.read_row(in, columns_, pass.columns, pass.rows + rows)) return false;
  return true;
}

}  // namespace leat::formats
