#include "sources/listen/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace leat::listen {

Result<Address> parse_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  Address address;
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}, found '{}' (expected a form such as '127.0.0.1:8463')", why, text));
  };
  if (colon == std::string_view::npos) return refuse("the port is missing");
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size())
    return refuse("the port is not a number to 65535");
  if (address.host.empty()) return refuse("the address is missing");
  return address;
}

std::string to_string(const Address& address) {
  const bool is_v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}:{}", is_v6 ? "[" + address.host + "]" : address.host, address.port);
}

bool is_loopback(std::string_view host) {
  in_addr address{};
  const bool is_v4 = ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
  return host == "localhost" || host == "::1" || (is_v4 && host.starts_with("127."));
}

}  // namespace leat::listen
