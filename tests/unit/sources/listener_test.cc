#include "sources/listen/listener.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/sources/counted_events.h"

using namespace leat;
using namespace leat::listen;

namespace {

int connect_to(const std::string& path) {
  const int made = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::connect(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return made;
}

/// What the other end says until it hangs up.
std::string said(int connection) {
  std::string text(16, '\0');
  const ssize_t size = ::read(connection, text.data(), text.size());
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

void say(int connection, std::string_view text) {
  [[maybe_unused]] const ssize_t done = ::write(connection, text.data(), text.size());
}

}  // namespace

TEST_CASE("a socket's file is for its user and group, and goes with it") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("leat.sock");
  {
    const auto bound = BoundSocket::unix_file(path);
    REQUIRE(bound);
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    CHECK(S_ISSOCK(status.st_mode));
    CHECK((status.st_mode & 0777) == 0660);
    CHECK(BoundSocket::unix_file(path).error().code == ErrorCode::kConflict);
  }
  struct stat gone {};
  CHECK(::lstat(path.c_str(), &gone) != 0);
}

TEST_CASE("what is no socket is not removed, nor is another daemon's") {
  const test::TemporaryFolder folder;
  folder.write("file", "mine");
  CHECK(BoundSocket::unix_file(folder.file("file")).error().code == ErrorCode::kConflict);
  CHECK(folder.read("file") == "mine");
  CHECK(BoundSocket::unix_file(folder.file("nowhere/leat.sock")).error().code == ErrorCode::kIo);

  const std::string path = folder.file("leat.sock");
  auto first = BoundSocket::unix_file(path);
  REQUIRE(first);
  REQUIRE(::rename(path.c_str(), (path + ".old").c_str()) == 0);
  const auto second = BoundSocket::unix_file(path);
  REQUIRE(second);
  first->reset();
  struct stat status {};
  CHECK(::lstat(path.c_str(), &status) == 0);
}

TEST_CASE("a port is taken once, and port 0 finds a free one") {
  const auto first = BoundSocket::tcp("127.0.0.1", 0);
  REQUIRE(first);
  CHECK((*first)->port() > 0);
  CHECK((*first)->is_loopback());
  CHECK(BoundSocket::tcp("127.0.0.1", (*first)->port()).error().code == ErrorCode::kConflict);
  const auto all = BoundSocket::tcp("0.0.0.0", 0);
  REQUIRE(all);
  CHECK_FALSE((*all)->is_loopback());
  CHECK(BoundSocket::tcp("no.such.name.invalid", 80).error().code == ErrorCode::kUnavailable);
}

TEST_CASE(
    "connections are served at once up to the bound, others are told, and a stop ends those that wait") {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("leat.sock");
  CountedEvents events;
  Listener listener(
      *BoundSocket::unix_file(path), Peer::Way::kSocket, {.connections = 2, .of_one_machine = 2},
      [](int socket, const Peer&) {
        pollfd readable{socket, POLLIN, 0};
        say(socket, "hello");
        ::poll(&readable, 1, -1);  // Until the peer goes, or the listener stops.
      },
      [](int socket) { say(socket, "busy"); }, events);
  listener.start();
  const int first = connect_to(path);
  const int second = connect_to(path);
  CHECK(said(first) == "hello");
  CHECK(said(second) == "hello");
  const int third = connect_to(path);
  CHECK(said(third) == "busy");
  CHECK(events.count(Refused::kConnections) == 1);
  ::close(first);
  REQUIRE(test::eventually([&] { return events.connections == 1; }));
  const int fourth = connect_to(path);
  CHECK(said(fourth) == "hello");
  listener.stop();
  CHECK(said(second).empty());
  CHECK(events.connections == 0);
  for (const int each : {second, third, fourth}) ::close(each);
}
