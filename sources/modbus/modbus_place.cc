#include "sources/modbus/modbus_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace leat::sources {
namespace {

constexpr std::string_view kTcp = "tcp://";
constexpr std::string_view kRtu = "rtu://";

auto invalid(std::string message) {
  return fail(ErrorCode::kInvalid, std::move(message));
}

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0)
    return invalid(fmt::format("expected a port from 1 to 65535, found '{}'", text));
  return port;
}

/// What stands before the port: an IPv6 address has brackets around it.
std::size_t length_of_host(std::string_view address) {
  if (!address.starts_with('[')) return std::min(address.find(':'), address.size());
  const std::size_t close = address.find(']');
  return close == std::string_view::npos ? 0 : close + 1;
}

Result<ModbusPlace> parse_tcp(std::string_view address) {
  if (address.ends_with('/')) address.remove_suffix(1);
  const std::size_t length = length_of_host(address);
  std::string_view host = address.substr(0, length);
  const std::string_view rest = address.substr(length);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const bool plain = host.find_first_of("/?#@ []") == std::string_view::npos;
  if (host.empty() || !plain || (!rest.empty() && rest.front() != ':'))
    return invalid("expected 'tcp://HOST:PORT', an IPv6 address in brackets");
  TcpPlace place{.host = std::string(host)};
  if (!rest.empty()) {
    LEAT_ASSIGN(place.port, parse_port(rest.substr(1)));
  }
  return ModbusPlace(std::move(place));
}

Result<ModbusPlace> parse_rtu(std::string_view path) {
  if (path.find('?') != std::string_view::npos)
    return invalid("the line's settings are options of their own: 'serial.baud-rate', 'serial.parity', …");
  if (!path.starts_with('/') || path.size() == 1)
    return invalid("expected the whole path of a serial device, such as 'rtu:///dev/ttyUSB0'");
  return ModbusPlace(SerialLine{.device = std::string(path)});
}

}  // namespace

Result<ModbusPlace> parse_modbus_url(std::string_view url) {
  if (url.starts_with(kTcp)) return parse_tcp(url.substr(kTcp.size()));
  if (url.starts_with(kRtu)) return parse_rtu(url.substr(kRtu.size()));
  return invalid(fmt::format("expected 'tcp://10.0.0.5:502' or 'rtu:///dev/ttyUSB0', found '{}'", url));
}

}  // namespace leat::sources
