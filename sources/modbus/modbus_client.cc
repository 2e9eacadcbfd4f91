#include "sources/modbus/modbus_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>

#include "sources/modbus/tcp_dial.h"

namespace leat::sources {
namespace {

using Kind = ReadOutcome::Kind;

/// In front of what is said over TCP: transaction, protocol (0), length of the rest; then comes the unit.
constexpr std::size_t kTcpHeader = 6;
constexpr std::size_t kChecksum = 2;  // Behind it on a serial line.
/// How often a serial line is looked at that another client uses, and how long at most.
constexpr Micros kLineLook{2 * kMicrosPerMilli};
constexpr std::chrono::seconds kLinePatience{10};

using AnswerBytes = std::array<std::uint8_t, MODBUS_MAX_ADU_LENGTH>;

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

ReadOutcome ModbusClient::read(std::uint8_t unit, const ReadRequest& request,
                               std::span<std::uint16_t> words) {
  if (cut_.is_cut()) return {Kind::kStopped, 0, {}};
  if (!is_open()) return {Kind::kBroken, 0, "not connected"};
  const Micros limit = patience(request);
  modbus_set_slave(context_.get(), unit);
  modbus_set_response_timeout(context_.get(), static_cast<std::uint32_t>(limit.count() / kMicrosPerSecond),
                              static_cast<std::uint32_t>(limit.count() % kMicrosPerSecond));
  const auto* line = std::get_if<SerialLine>(&place_);
  ReadOutcome outcome =
      line != nullptr ? read_on_line(*line, unit, request, words) : read_over_tcp(unit, request, words);
  if (outcome.kind == Kind::kAnswered || outcome.kind == Kind::kException) return outcome;
  if (cut_.is_cut()) return {Kind::kStopped, 0, {}};
  if (outcome.kind == Kind::kBroken || line == nullptr) close();
  return outcome;
}

ReadOutcome ModbusClient::read_over_tcp(std::uint8_t unit, const ReadRequest& request,
                                        std::span<std::uint16_t> words) {
  if (!send_over_tcp(request_bytes(unit, request))) return failed(errno);
  AnswerBytes answer{};
  const int length = modbus_receive_confirmation(context_.get(), answer.data());
  if (length < 0) return failed(errno);
  if ((answer[0] << 8 | answer[1]) != transaction_ || (answer[2] | answer[3]) != 0)
    return {Kind::kSilent, 0, "an answer to another request, or of something that is no Modbus"};
  return read_answer(unit, request,
                     std::span(answer).first(static_cast<std::size_t>(length)).subspan(kTcpHeader), words);
}

/// The library would send each with the transaction 0, and an answer that comes twice be that of the next.
bool ModbusClient::send_over_tcp(const RequestBytes& request) {
  ++transaction_;
  std::array<std::uint8_t, kTcpHeader + std::tuple_size_v<RequestBytes>> frame{
      static_cast<std::uint8_t>(transaction_ >> 8), static_cast<std::uint8_t>(transaction_ & 0xFFU)};
  frame[kTcpHeader - 1] = std::tuple_size_v<RequestBytes>;
  std::ranges::copy(request, frame.begin() + kTcpHeader);
  const auto sent = ::send(modbus_get_socket(context_.get()), frame.data(), frame.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(frame.size());
}

ReadOutcome ModbusClient::read_on_line(const SerialLine& line, std::uint8_t unit, const ReadRequest& request,
                                       std::span<std::uint16_t> words) {
  const LineLock lock(cut_, modbus_get_socket(context_.get()));
  if (cut_.is_cut()) return {Kind::kStopped, 0, {}};
  if (!lock.held()) return {Kind::kOccupied, 0, "the serial line is in use by others all the time"};
  if (!await_silence(line))
    return {Kind::kSilent, 0, "the serial line is never silent: another master, or noise"};
  const RequestBytes asked = request_bytes(unit, request);
  if (modbus_send_raw_request(context_.get(), asked.data(), asked.size()) < 0) return failed(errno);
  AnswerBytes answer{};
  const int length = modbus_receive_confirmation(context_.get(), answer.data());
  if (length < 0) return failed(errno);
  // Of what another unit says the library gives no length, and the checksum is not judged.
  const std::size_t said = std::max<std::size_t>(static_cast<std::size_t>(length), kChecksum + 1) - kChecksum;
  return read_answer(unit, request, std::span(answer).first(said), words);
}

/// Frames are told apart by a silence of 3.5 characters (MODBUS over Serial Line 1.02, section 2.5.1.1; above
/// 19200 bits per second 1.75 ms). What comes until then is thrown away: an answer that was late, or noise.
/// False: there is no silence within the time-out.
bool ModbusClient::await_silence(const SerialLine& line) {
  constexpr std::uint32_t kFast = 19'200;
  constexpr std::uint32_t kMillibitsOfSilence = 38'500;
  const int silence = line.baud_rate > kFast
                          ? 2
                          : static_cast<int>((kMillibitsOfSilence + line.baud_rate - 1) / line.baud_rate);
  const auto deadline = std::chrono::steady_clock::now() + timeout_;
  pollfd arriving{.fd = modbus_get_socket(context_.get()), .events = POLLIN, .revents = 0};
  do {
    modbus_flush(context_.get());
    // A line that is gone is for the request to find.
    if (::poll(&arriving, 1, silence) <= 0 || arriving.revents != POLLIN) return true;
  } while (std::chrono::steady_clock::now() < deadline && !cut_.is_cut());
  return false;
}

/// What an error of the library's means.
ReadOutcome ModbusClient::failed(int error) const {
  if (error == ETIMEDOUT)
    return {Kind::kSilent, 0, fmt::format("no answer within {}", format_duration(timeout_))};
  if (error == EMBBADCRC)
    return {Kind::kSilent, 0,
            "an answer with a wrong checksum: see to the wiring and its termination, to 'serial.baud-rate', "
            "'serial.parity' and 'serial.stop-bits', and whether two devices have this unit"};
  if (error > MODBUS_ENOBASE) return {Kind::kSilent, 0, "an answer longer than any can be"};
  return {Kind::kBroken, 0,
          error == ECONNRESET ? "the other side has closed the connection" : std::strerror(error)};
}

}  // namespace leat::sources
