#include "tests/support/modbus_device.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace leat::test {

bool ModbusDevice::take_port() {
  bound_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port_);
  const int on = 1;
  ::setsockopt(bound_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(bound_, generic, size) != 0 || ::getsockname(bound_, generic, &size) != 0) return false;
  port_ = ntohs(address.sin_port);
  return true;
}

bool ModbusDevice::listen() {
  constexpr int kBacklog = 16;
  if (thread_.joinable()) return true;
  if (bound_ < 0 && !take_port()) return false;
  if (::listen(bound_, kBacklog) != 0 || ::pipe2(bell_, O_CLOEXEC) != 0) return false;
  context_.reset(modbus_new_tcp("127.0.0.1", port_));
  ending_ = false;
  thread_ = std::thread([this] { serve(); });
  return true;
}

bool ModbusDevice::open_line(std::set<std::uint8_t> units) {
  on_line_ = std::move(units);
  master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) return false;
  line_ = ::ptsname(master_);
  // Held open, so that the line stays when a client closes it; and raw, as nobody is to see an echo.
  slave_ = ::open(line_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios settings{};
  ::tcgetattr(slave_, &settings);
  ::cfmakeraw(&settings);
  ::tcsetattr(slave_, TCSANOW, &settings);
  context_.reset(modbus_new_rtu(line_.c_str(), 19200, 'E', 8, 1));
  if (::pipe2(bell_, O_CLOEXEC) != 0) return false;
  ending_ = false;
  connections_.insert(master_);
  thread_ = std::thread([this] { serve(); });
  return true;
}

void ModbusDevice::leave() {
  if (thread_.joinable()) {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    (void)!::write(bell_[1], "x", 1);
    thread_.join();
  }
  for (const int connection : std::exchange(connections_, {})) ::close(connection);
  for (int* each : {&bound_, &slave_, &bell_[0], &bell_[1]})
    if (const int open = std::exchange(*each, -1); open >= 0) ::close(open);
  master_ = -1;
}

void ModbusDevice::hang_up() {
  const std::scoped_lock lock(mutex_);
  for (const int connection : connections_) ::shutdown(connection, SHUT_RDWR);
}

void ModbusDevice::behave(Behaviour behaviour) {
  const std::scoped_lock lock(mutex_);
  behaviour_ = std::move(behaviour);
}

void ModbusDevice::forge(Forgery forgery) {
  const std::scoped_lock lock(mutex_);
  forgery_ = std::move(forgery);
}

void ModbusDevice::change(std::uint8_t unit, const std::function<void(Registers&)>& change) {
  const std::scoped_lock lock(mutex_);
  change(units_[unit]);
}

std::vector<ModbusDevice::Request> ModbusDevice::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

std::uint64_t ModbusDevice::connections() const {
  const std::scoped_lock lock(mutex_);
  return accepted_;
}

void ModbusDevice::serve() {
  while (true) {
    std::vector<pollfd> waiting{{bell_[0], POLLIN, 0}};
    if (master_ < 0) waiting.push_back({bound_, POLLIN, 0});
    {
      const std::scoped_lock lock(mutex_);
      if (ending_) return;
      for (const int connection : connections_) waiting.push_back({connection, POLLIN, 0});
    }
    if (::poll(waiting.data(), waiting.size(), -1) < 0) return;
    for (const pollfd& each : waiting) {
      if (each.revents == 0 || each.fd == bell_[0]) continue;
      if (each.fd == bound_) {
        accept_one();
      } else if (!answer(each.fd) && each.fd != master_) {
        const std::scoped_lock lock(mutex_);
        connections_.erase(each.fd);
        ::close(each.fd);
      }
    }
  }
}

void ModbusDevice::accept_one() {
  const int connection = ::accept4(bound_, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0) return;
  const std::scoped_lock lock(mutex_);
  ++accepted_;
  connections_.insert(connection);
}

bool ModbusDevice::answer(int connection) {
  std::uint8_t query[MODBUS_MAX_ADU_LENGTH];
  modbus_set_socket(context_.get(), connection);
  const int length = receive(connection, query);
  if (length < 0) return false;
  if (length > 0) reply(query, length);
  return true;
}

int ModbusDevice::receive(int connection, std::uint8_t* query) {
  return connection == master_ ? receive_on_line(query) : modbus_receive(context_.get(), query);
}

/// The library would take the next request for the answer of a unit that is not there.
int ModbusDevice::receive_on_line(std::uint8_t* query) {
  constexpr int kLength = 8;  // Of a request to read: unit, function, address, count, checksum.
  constexpr int kPause = 200;
  int length = 0;
  pollfd more{master_, POLLIN, 0};
  while (length < kLength) {
    const auto read = ::read(master_, query + length, static_cast<std::size_t>(kLength - length));
    if (read < 0) return -1;
    length += static_cast<int>(read);
    if (length < kLength && ::poll(&more, 1, kPause) == 0) return 0;
  }
  modbus_set_slave(context_.get(), query[0]);
  return on_line_.contains(query[0]) ? length : 0;
}

void ModbusDevice::reply(const std::uint8_t* query, int length) {
  const int header = modbus_get_header_length(context_.get());
  const std::uint8_t unit = query[header - 1];
  const auto number = [&](int at) { return query[header + at] << 8 | query[header + at + 1]; };
  const std::scoped_lock lock(mutex_);
  requests_.push_back({query[header], number(1), number(3)});
  if (forgery_) return send(forgery_({query, query + length}));
  Registers& registers = units_[unit];
  const int exception = behaviour_ ? behaviour_(unit, registers) : 0;
  if (exception < 0) return;
  if (exception > 0) {
    modbus_reply_exception(context_.get(), query, static_cast<unsigned>(exception));
    return;
  }
  modbus_mapping_t mapping{};
  mapping.nb_bits = static_cast<int>(registers.coils.size());
  mapping.tab_bits = registers.coils.data();
  mapping.nb_input_bits = static_cast<int>(registers.discrete.size());
  mapping.tab_input_bits = registers.discrete.data();
  mapping.nb_registers = static_cast<int>(registers.holding.size());
  mapping.tab_registers = registers.holding.data();
  mapping.nb_input_registers = static_cast<int>(registers.input.size());
  mapping.tab_input_registers = registers.input.data();
  modbus_reply(context_.get(), query, length, &mapping);
}

void ModbusDevice::send(const std::string& bytes) {
  const int connection = modbus_get_socket(context_.get());
  if (connection == master_)
    (void)!::write(connection, bytes.data(), bytes.size());
  else
    (void)!::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace leat::test
