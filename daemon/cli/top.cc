// leat top: what the daemon does, second by second, on the whole terminal; q ends it. With --once one page
// and the end.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <thread>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/printable.h"
#include "daemon/cli/top_page.h"
#include "daemon/cli/verbs.h"
#include "daemon/loop/clock.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

int complain(const Error& error) {
  fmt::print(stderr, "leat top: {}\n", printable(error.message));
  return error.code == ErrorCode::kInvalid ? kUsage : kFailed;
}

Result<TopSample> look(const ApiClient& client) {
  TopSample sample{.time = loop::SystemClock().monotonic()};
  LEAT_ASSIGN(sample.status, client.get("/api/v1/status"));
  LEAT_ASSIGN(sample.outbox, client.get("/api/v1/outbox"));
  LEAT_ASSIGN(const ordered_json list, client.get("/api/v1/pipelines"));
  for (const ordered_json& each : list.at("pipelines")) {
    auto pipeline = client.get("/api/v1/pipelines/" + segment(each.at("name").get<std::string>()));
    if (pipeline) sample.pipelines.push_back(*std::move(pipeline));  // Else it was removed meanwhile.
  }
  return sample;
}

volatile std::sig_atomic_t interrupted = 0;

/// The terminal's other page, without echo; given back however it ends.
class Screen {
 public:
  Screen() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    struct sigaction noted {};
    noted.sa_handler = [](int) { interrupted = 1; };
    ::sigaction(SIGINT, &noted, nullptr);
    ::sigaction(SIGTERM, &noted, nullptr);
    // Wakes the wait for a key, so that the page is drawn anew in its new size.
    noted.sa_handler = [](int) {};
    ::sigaction(SIGWINCH, &noted, nullptr);
    put("\x1b[?1049h\x1b[?25l");
  }
  ~Screen() {
    put("\x1b[?25h\x1b[?1049l");
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  static void draw(const std::vector<std::string>& page, std::size_t height) {
    std::string text = "\x1b[H";
    for (std::size_t i = 0; i < std::min(page.size(), height); ++i)
      text += (i == 0 ? "" : "\r\n") + page[i] + "\x1b[K";
    put(text + "\x1b[J");
  }
  /// A key, or 0 when none came in time or the terminal has another size.
  static char key(std::chrono::milliseconds longest) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    char pressed = 0;
    if (::poll(&input, 1, static_cast<int>(longest.count())) > 0 && ::read(STDIN_FILENO, &pressed, 1) != 1)
      return 'q';  // Nobody is there any more.
    return pressed;
  }

 private:
  static void put(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }
  termios before_{};
};

struct Size {
  std::size_t width = 120;
  std::size_t height = 40;
};

Size terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {size.ws_col, size.ws_row};
}

int show_once(const ApiClient& client, const TopOptions& options, TopSample before) {
  std::this_thread::sleep_for(std::chrono::seconds(options.seconds));
  const auto now = look(client);
  if (!now) return complain(now.error());
  if (options.json) return print_json(top_json(before, *now)), kOk;
  constexpr std::size_t kAnyWidth = 10'000;
  for (const std::string& line : top_page(before, *now, kAnyWidth)) fmt::print("{}\n", line);
  return kOk;
}

int show(const ApiClient& client, const TopOptions& options, TopSample before) {
  Screen screen;
  TopSample now = before;
  std::string trouble;
  const std::int64_t interval = static_cast<std::int64_t>(options.seconds) * kMicrosPerSecond;
  for (std::int64_t next = before.time + interval; interrupted == 0;) {
    const Size size = terminal_size();
    std::vector<std::string> page = top_page(before, now, size.width);
    if (!trouble.empty()) page[1] = trouble.substr(0, size.width);
    Screen::draw(page, size.height);
    const std::int64_t left = next - loop::SystemClock().monotonic();
    const char key = Screen::key(std::chrono::milliseconds(std::max<std::int64_t>(left / 1'000, 0)));
    if (key == 'q' || key == 'Q') break;
    if (loop::SystemClock().monotonic() < next) continue;
    next = loop::SystemClock().monotonic() + interval;
    auto sample = look(client);
    trouble = sample ? "" : printable(sample.error().message);
    if (!sample) continue;  // It may come back: the last page stays.
    before = std::exchange(now, *std::move(sample));
  }
  return kOk;
}

}  // namespace

int top(const TopOptions& options) {
  const auto client = ApiClient::find(options.api);
  if (!client) return complain(client.error());
  auto first = look(*client);
  if (!first) return complain(first.error());
  const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
  if (options.once || options.json || !terminal) return show_once(*client, options, *std::move(first));
  return show(*client, options, *std::move(first));
}

}  // namespace leat::cli
