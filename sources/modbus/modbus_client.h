// A connection to devices, through libmodbus: over TCP, or on a serial line that several clients share, one
// request at a time.
//
// The library keeps the descriptor, waits for answers and knows where they end; on a serial line it also
// makes and judges the checksum. What is asked and what an answer means is said here (modbus_answer.h): the
// library takes an answer of any unit over TCP, and does not tell one bad answer from another.
//
// Threads: one thread opens, reads and closes; `interrupt` is for any other. The library waits with select(),
// which knows descriptors below 1024 only: one beyond is never handed to it. So a connection of TCP is made
// here, which also lets a stop end the waiting for it.
#pragma once

#include <modbus/modbus.h>

#include <cstdint>
#include <memory>
#include <span>

#include "pipelines/base/result.h"
#include "pipelines/base/time.h"
#include "sources/modbus/cut_point.h"
#include "sources/modbus/modbus_answer.h"
#include "sources/modbus/modbus_place.h"

namespace leat::sources {

class ModbusClient {
 public:
  ModbusClient(ModbusPlace place, Micros timeout);
  ~ModbusClient();
  ModbusClient(const ModbusClient&) = delete;
  ModbusClient& operator=(const ModbusClient&) = delete;

  /// Connects, or opens the serial device. Blocks for the time-out for each address at most, and as long as
  /// the system looks for the name. Errors: unavailable, exhausted (too many open files), cancelled.
  Status open();
  [[nodiscard]] bool is_open() const { return context_ != nullptr; }
  void close();

  /// Reads `words.size()` = `request.count` registers, or bits as 0 and 1. Blocks for the time-out, on a
  /// serial line also for the transmission, until the line has fallen silent, which takes the time-out at
  /// most, and while other clients use it. After anything but an answer or an exception a connection of TCP
  /// is closed: an answer that comes late would be taken for the next one.
  ReadOutcome read(std::uint8_t unit, const ReadRequest& request, std::span<std::uint16_t> words);

  /// Ends what blocks, for good; on a serial line an answer is waited for.
  void interrupt() { cut_.cut(); }

 private:
  struct Free {
    void operator()(modbus_t* context) const { modbus_free(context); }
  };
  using Context = std::unique_ptr<modbus_t, Free>;
  class LineLock;

  Status open_tcp(const TcpPlace& place);
  Status open_serial(const SerialLine& line);
  /// `context` with its descriptor becomes the connection.
  Status adopt(Context context);
  [[nodiscard]] Micros patience(const ReadRequest& request) const;
  bool await_silence(const SerialLine& line);
  ReadOutcome read_on_line(const SerialLine& line, std::uint8_t unit, const ReadRequest& request,
                           std::span<std::uint16_t> words);
  ReadOutcome read_over_tcp(std::uint8_t unit, const ReadRequest& request, std::span<std::uint16_t> words);
  bool send_over_tcp(const RequestBytes& request);
  [[nodiscard]] ReadOutcome failed(int error) const;

  const ModbusPlace place_;
  const Micros timeout_;
  Context context_;
  CutPoint cut_;
  std::uint16_t transaction_ = 0;  // Of the last request over TCP.
};

}  // namespace leat::sources
