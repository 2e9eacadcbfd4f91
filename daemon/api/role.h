// Who asks, and what they may.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leat::api {

/// Whom a route serves, and what a caller may: each includes the ones before it.
enum class Role : std::uint8_t {
  kAnyone,  ///< Without a token: whether the daemon lives.
  kRead,    ///< Looks, and asks questions that change nothing.
  kAdmin,   ///< Changes something.
};

/// "anyone", "read", "admin".
std::string_view to_string(Role role);
/// "read" or "admin": what a token or a certificate can have.
std::optional<Role> parse_role(std::string_view text);

/// Somebody who asks.
struct Caller {
  std::string name;  ///< A token's, a certificate's, "local socket", "loopback"; "anyone" for a stranger.
  Role role = Role::kAnyone;
};

}  // namespace leat::api
