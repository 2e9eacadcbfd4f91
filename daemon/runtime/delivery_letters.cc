#include "daemon/runtime/delivery_letters.h"

#include <utility>

namespace leat::runtime {
namespace {

std::string quoted(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
      continue;
    }
    text += "\\u00";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text + '"';
}

std::string place(const LetterOrigin& origin, std::uint64_t index) {
  return "{\"shipment\":" + std::to_string(origin.shipment.value) + ",\"record\":" + std::to_string(index);
}

}  // namespace

store::DeadLetter rejected_record(const LetterOrigin& origin, std::uint64_t index,
                                  const sinks::Record& record, const std::string& reason) {
  std::string metadata = place(origin, index);
  if (!record.key.empty()) metadata += ",\"key\":" + quoted(record.key);
  if (!record.headers.empty()) {
    std::string headers;
    for (const auto& [name, value] : record.headers)
      headers += (headers.empty() ? "" : ",") + quoted(name) + ":" + quoted(value);
    metadata += ",\"headers\":{" + headers + "}";
  }
  return {"sink " + origin.sink.value, reason, std::string(record.payload), metadata + "}", origin.time};
}

std::vector<store::DeadLetter> unreadable_records(const LetterOrigin& origin,
                                                  const std::vector<std::string>& blocks, std::uint64_t count,
                                                  const std::string& reason) {
  std::vector<store::DeadLetter> letters;
  for (std::uint64_t i = 0; i < count; ++i)
    letters.push_back({"sink " + origin.sink.value, reason, "", place(origin, i) + "}", origin.time});
  for (const std::string& block : blocks) letters.front().payload += block;
  return letters;
}

}  // namespace leat::runtime
