// Devices for tests, by libmodbus's server side: behind a loopback port, or on a serial line, which is a
// pseudo-terminal. A thread of its own answers.
#pragma once

#include <modbus/modbus.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace leat::test {

class ModbusDevice {
 public:
  /// What a unit answers with; 200 of each kind, zero at first.
  struct Registers {
    std::vector<std::uint8_t> coils = std::vector<std::uint8_t>(200);
    std::vector<std::uint8_t> discrete = std::vector<std::uint8_t>(200);
    std::vector<std::uint16_t> holding = std::vector<std::uint16_t>(200);
    std::vector<std::uint16_t> input = std::vector<std::uint16_t>(200);
  };
  /// How a unit takes a request; may change its registers before they are read. 0: it answers; -1: it does
  /// not; else the exception.
  using Behaviour = std::function<int(std::uint8_t unit, Registers& registers)>;

  ModbusDevice() = default;
  ~ModbusDevice() { leave(); }
  ModbusDevice(const ModbusDevice&) = delete;
  ModbusDevice& operator=(const ModbusDevice&) = delete;

  /// Takes a loopback port and does not listen yet. False: there is none.
  bool take_port();
  /// Answers at the port from now on, if it does not do so already.
  bool listen();
  /// Answers as these units on a pseudo-terminal, whose path is `line()`.
  bool open_line(std::set<std::uint8_t> units);
  /// Ends all connections and the listening; the port stays taken.
  void leave();
  /// Ends the connections; new ones are answered.
  void hang_up();

  void behave(Behaviour behaviour);
  /// What is sent for a request in place of an answer, both as they go over the wire; null: true answers are.
  using Forgery = std::function<std::string(const std::string& request)>;
  void forge(Forgery forgery);
  /// With the device's lock held.
  void change(std::uint8_t unit, const std::function<void(Registers&)>& change);

  [[nodiscard]] std::string url() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string line() const { return line_; }
  /// Requests that have come so far: the table's function code, address and count.
  struct Request {
    int function = 0;
    int address = 0;
    int count = 0;
    bool operator==(const Request&) const = default;
  };
  [[nodiscard]] std::vector<Request> requests() const;
  [[nodiscard]] std::uint64_t connections() const;

 private:
  struct Free {
    void operator()(modbus_t* context) const { modbus_free(context); }
  };
  void serve();
  void accept_one();
  /// False: the connection has ended.
  bool answer(int connection);
  /// Length of the request; 0: it is for a unit that is not on the line; negative: nothing more comes.
  int receive(int connection, std::uint8_t* query);
  int receive_on_line(std::uint8_t* query);
  void reply(const std::uint8_t* query, int length);
  void send(const std::string& bytes);

  std::unique_ptr<modbus_t, Free> context_;
  std::uint16_t port_ = 0;
  int bound_ = -1;
  int master_ = -1;
  int slave_ = -1;
  std::string line_;
  std::set<std::uint8_t> on_line_;
  int bell_[2] = {-1, -1};  // A pipe that wakes the thread.
  std::thread thread_;

  mutable std::mutex mutex_;
  std::set<int> connections_;
  std::map<std::uint8_t, Registers> units_;
  Behaviour behaviour_;
  Forgery forgery_;
  std::vector<Request> requests_;
  std::uint64_t accepted_ = 0;
  bool ending_ = false;
};

}  // namespace leat::test
