#include "sources/modbus/modbus_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>
#include <variant>

#include "sources/modbus/tcp_dial.h"

namespace leat::sources {
namespace {

using Kind = ReadOutcome::Kind;

constexpr int kLastException = MODBUS_EXCEPTION_GATEWAY_TARGET;
/// How often a serial line is looked at that another client uses, and how long at most.
constexpr Micros kLineLook{2 * kMicrosPerMilli};
constexpr std::chrono::seconds kLinePatience{10};

constexpr std::array<std::string_view, kLastException + 1> kExceptions{"",
                                                                       "illegal function",
                                                                       "illegal data address",
                                                                       "illegal data value",
                                                                       "device failure",
                                                                       "acknowledged, not done yet",
                                                                       "device busy",
                                                                       "negative acknowledge",
                                                                       "memory parity error",
                                                                       "",
                                                                       "gateway path unavailable",
                                                                       "gateway target did not respond"};

std::string exception_text(int code) {
  const std::string_view meaning = kExceptions[static_cast<std::size_t>(code)];
  return meaning.empty() ? fmt::format("exception {}", code) : fmt::format("exception {}, {}", code, meaning);
}

char letter_of(Parity parity) {
  constexpr std::string_view kLetters = "NEO";
  return kLetters[static_cast<std::size_t>(parity)];
}

/// In place of `modbus_close`, which would give a serial line the settings back that it had before: other
/// tables may be using it.
void close_descriptor(modbus_t& context) {
  const int descriptor = modbus_get_socket(&context);
  modbus_set_socket(&context, -1);
  ::close(descriptor);
}

}  // namespace

/// Keeps other clients off a serial line for one request: other tables, whatever their process. Both locks
/// are of the open file, so two tables of one process are two. The first one is where those wait who want the
/// second one next: who has just let go of the line cannot pass by them.
class ModbusClient::LineLock {
 public:
  /// Waits; not held when cut off, or when others do not let go of it.
  LineLock(CutPoint& cut, int descriptor) : descriptor_(descriptor) {
    const auto deadline = std::chrono::steady_clock::now() + kLinePatience;
    const auto wait = [&](auto try_once) {
      while (!try_once())
        if (std::chrono::steady_clock::now() > deadline || !cut.wait_for(kLineLook)) return false;
      return true;
    };
    held_ = wait([&] { return queue(F_WRLCK); }) &&
            wait([&] { return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0; });
    queue(F_UNLCK);
  }
  ~LineLock() {
    if (held_) ::flock(descriptor_, LOCK_UN);
  }
  LineLock(const LineLock&) = delete;
  LineLock& operator=(const LineLock&) = delete;
  [[nodiscard]] bool held() const { return held_; }

 private:
  /// False: somebody else waits there. A device that knows no such lock has no queue.
  bool queue(short type) const {
    struct flock first_byte {};
    first_byte.l_type = type;
    first_byte.l_whence = SEEK_SET;
    first_byte.l_len = 1;
    return ::fcntl(descriptor_, F_OFD_SETLK, &first_byte) == 0 || (errno != EAGAIN && errno != EACCES);
  }

  const int descriptor_;
  bool held_ = false;
};

ModbusClient::ModbusClient(ModbusPlace place, Micros timeout) : place_(std::move(place)), timeout_(timeout) {}

ModbusClient::~ModbusClient() {
  close();
}

void ModbusClient::close() {
  if (!context_) return;
  cut_.release();
  close_descriptor(*context_);
  context_.reset();
}

// ---- Opening ---------------------------------------------------------------------------------------------

Status ModbusClient::open() {
  close();
  if (cut_.is_cut()) return fail(ErrorCode::kCancelled, "stopped");
  if (const auto* line = std::get_if<SerialLine>(&place_)) return open_serial(*line);
  return open_tcp(std::get<TcpPlace>(place_));
}

Status ModbusClient::open_tcp(const TcpPlace& place) {
  LEAT_ASSIGN(const int socket, dial_tcp(place, timeout_, cut_));
  Context context(modbus_new_tcp("0.0.0.0", place.port));
  if (!context || modbus_set_socket(context.get(), socket) != 0) {
    ::close(socket);
    return fail(ErrorCode::kExhausted, "no memory for a connection");
  }
  return adopt(std::move(context));
}

Status ModbusClient::open_serial(const SerialLine& line) {
  constexpr int kDataBits = 8;
  Context context(modbus_new_rtu(line.device.c_str(), static_cast<int>(line.baud_rate),
                                 letter_of(line.parity), kDataBits, line.stop_bits));
  if (!context) return fail(ErrorCode::kExhausted, "no memory for a connection");
  if (modbus_connect(context.get()) != 0)
    return fail(ErrorCode::kUnavailable,
                errno == EINVAL ? "it does not take these settings ('serial.…')" : std::strerror(errno));
  return adopt(std::move(context));
}

Status ModbusClient::adopt(Context context) {
  if (modbus_get_socket(context.get()) >= FD_SETSIZE) {
    close_descriptor(*context);
    return fail(
        ErrorCode::kExhausted,
        fmt::format("too many files are open: libmodbus waits for descriptors below {} only", FD_SETSIZE));
  }
  // The whole answer must be there in time, not each of its bytes.
  modbus_set_byte_timeout(context.get(), 0, 0);
  modbus_set_error_recovery(context.get(), MODBUS_ERROR_RECOVERY_NONE);
  context_ = std::move(context);
  if (cut_.guard(modbus_get_socket(context_.get()))) return {};
  close();
  return fail(ErrorCode::kCancelled, "stopped");
}

// ---- Reading ---------------------------------------------------------------------------------------------

/// A device's time to answer, and what the bytes take on a serial line: eleven bits each.
Micros ModbusClient::patience(const ReadRequest& request) const {
  const auto* line = std::get_if<SerialLine>(&place_);
  if (line == nullptr) return timeout_;
  constexpr std::int64_t kFrames = 13;  // Both frames without the data.
  constexpr std::int64_t kBitsPerByte = 11;
  const std::int64_t data = holds_bits(request.table) ? (request.count + 7) / 8 : request.count * 2;
  return timeout_ + Micros((kFrames + data) * kBitsPerByte * kMicrosPerSecond / line->baud_rate);
}

/// How many registers or bits have come; negative: errno says why none.
int ModbusClient::exchange(const ReadRequest& request, std::span<std::uint16_t> words) {
  const bool writable = request.table == RegisterTable::kCoil || request.table == RegisterTable::kHolding;
  modbus_t* const context = context_.get();
  if (!holds_bits(request.table))
    return (writable ? modbus_read_registers : modbus_read_input_registers)(context, request.address,
                                                                            request.count, words.data());
  std::array<std::uint8_t, kMostBits> bits{};
  const int read = (writable ? modbus_read_bits : modbus_read_input_bits)(context, request.address,
                                                                          request.count, bits.data());
  std::copy_n(bits.begin(), words.size(), words.begin());
  return read;
}

ReadOutcome ModbusClient::transmit(const ReadRequest& request, std::span<std::uint16_t> words) {
  const int read = exchange(request, words);
  if (read == request.count) return {};
  return failed(read < 0 ? errno : EMBBADDATA);
}

ReadOutcome ModbusClient::read(std::uint8_t unit, const ReadRequest& request,
                               std::span<std::uint16_t> words) {
  if (cut_.is_cut()) return {Kind::kStopped, 0, {}};
  if (!is_open()) return {Kind::kBroken, 0, "not connected"};
  const Micros limit = patience(request);
  modbus_set_slave(context_.get(), unit);
  modbus_set_response_timeout(context_.get(), static_cast<std::uint32_t>(limit.count() / kMicrosPerSecond),
                              static_cast<std::uint32_t>(limit.count() % kMicrosPerSecond));
  if (std::holds_alternative<TcpPlace>(place_)) return transmit(request, words);
  const LineLock lock(cut_, modbus_get_socket(context_.get()));
  if (cut_.is_cut()) return {Kind::kStopped, 0, {}};
  if (!lock.held()) return {Kind::kSilent, 0, "the serial line is in use by others all the time"};
  // What has come since is an answer that was late, or noise.
  modbus_flush(context_.get());
  return transmit(request, words);
}

/// What the library's error means; the connection is closed if it cannot be used any more.
ReadOutcome ModbusClient::failed(int error) {
  if (cut_.is_cut()) return {Kind::kStopped, 0, {}};
  const int code = error - MODBUS_ENOBASE;
  if (code >= 0 && code <= kLastException) return {Kind::kException, code, exception_text(code)};
  ReadOutcome outcome{Kind::kSilent, 0, {}};
  if (error == ETIMEDOUT) {
    outcome.reason = fmt::format("no answer within {}", format_duration(timeout_));
  } else if (code > kLastException) {
    outcome.reason = "an answer that is none to this request";
  } else {
    outcome.kind = Kind::kBroken;
    outcome.reason = error == ECONNRESET ? "the other side has closed the connection" : std::strerror(error);
  }
  if (outcome.kind == Kind::kBroken || std::holds_alternative<TcpPlace>(place_)) close();
  return outcome;
}

}  // namespace leat::sources
