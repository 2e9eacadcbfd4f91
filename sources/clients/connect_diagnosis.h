// Why nobody is reached, in words for people: client libraries say that there is no connection, and no more.
// So it is tried once more here, and the system's own answer is taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace leat::sources {

/// What errno says of an attempt to connect: "nobody listens on port 1883 of 127.0.0.1".
std::string connect_error(int error, const std::string& host, std::uint16_t port);

/// "the name 'x' cannot be resolved …", "nobody listens on port 1883 of 127.0.0.1", …; empty: it is reached
/// now. Blocks for about the time-out for each address, and as long as the system looks for the name.
std::string diagnose_connection(const std::string& host, std::uint16_t port,
                                std::chrono::milliseconds timeout);

}  // namespace leat::sources
