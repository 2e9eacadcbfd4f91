#include "daemon/log/journal.h"

#include <fmt/format.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cctype>
#include <string>
#include <vector>

namespace leat::log {
namespace {

constexpr const char* kSocket = "/run/systemd/journal/socket";
/// The journal takes no longer names.
constexpr std::size_t kLongestName = 64;

std::string field_name(std::string_view key) {
  std::string name = "LEAT_";
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return name.substr(0, kLongestName);
}

}  // namespace

bool journal_is_there() {
  return ::access(kSocket, W_OK) == 0;
}

bool send_to_journal(int priority, std::string_view line, std::initializer_list<Field> fields) {
  std::vector<std::string> texts{fmt::format("MESSAGE={}", line), fmt::format("PRIORITY={}", priority),
                                 "SYSLOG_IDENTIFIER=leat"};
  for (const auto& [key, value] : fields) texts.push_back(fmt::format("{}={}", field_name(key), value));
  std::vector<iovec> pieces;
  for (std::string& text : texts) pieces.push_back({text.data(), text.size()});
  return sd_journal_sendv(pieces.data(), static_cast<int>(pieces.size())) == 0;
}

}  // namespace leat::log
