// Why a TLS connection does not come about, in words for people. Client libraries say little more than that
// the handshake failed; so it is tried once more here, with nothing but the handshake, and looked at from
// close by.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace leat::sources {

struct TlsPeer {
  std::string host;
  std::uint16_t port = 0;
  std::string ca_file;           ///< PEM; with an empty path, too: the system's authorities.
  std::string ca_path;           ///< Folder.
  std::string certificate_file;  ///< The client's own; empty: none.
  std::string key_file;          ///< Its key; empty: in the same file.
  std::string key_password;
  enum class Verify : std::uint8_t { kYes, kNo } verify = Verify::kYes;
};

/// What is wrong and what to do about it; empty when nothing is found (the peer is not reached, or the
/// handshake succeeds). Blocks for at most about twice the time-out.
std::string diagnose_tls(const TlsPeer& peer, std::chrono::milliseconds timeout);

/// What is wrong with a client's key, in the words of the options; empty: it can be read. Never asks anybody
/// for a password.
std::string judge_key(const std::string& file, const std::string& password);

}  // namespace leat::sources
