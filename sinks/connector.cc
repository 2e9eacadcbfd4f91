#include "sinks/connector.h"

#include <fmt/format.h>

namespace leat::sinks {

namespace {

bool stands_for_itself(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

void append_escaped(std::string& out, std::string_view part) {
  for (const char c : part) {
    if (stands_for_itself(c))
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
}

}  // namespace

std::string joined_name(const std::vector<std::string_view>& parts, char separator) {
  std::string name;
  for (const std::string_view& part : parts) {
    if (&part != &parts.front()) name.push_back(separator);
    append_escaped(name, part);
  }
  return name;
}

std::string shipment_name(const SinkContext& context, const Shipment& shipment) {
  const std::string number = std::to_string(shipment.number.value);
  std::string name =
      joined_name({shipment.store.value, context.pipeline.value, context.table.value, number}, ':');
  if (shipment.part) name += fmt::format(":{}+{}", shipment.part->first, shipment.part->count);
  return name;
}

}  // namespace leat::sinks
