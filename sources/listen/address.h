// The address that something of ours listens on, as it is written in configurations and options.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"

namespace leat::listen {

struct Address {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Address&) const = default;
};

/// "127.0.0.1:8463", "[::1]:0", "gateway.example:8463". Errors: invalid; the message begins with what is
/// wrong.
Result<Address> parse_address(std::string_view text);
/// As `parse_address` reads it.
std::string to_string(const Address& address);

/// "localhost", "::1" or an IPv4 address of 127.0.0.0/8; not a name that only begins like one.
bool is_loopback(std::string_view host);

}  // namespace leat::listen
