// The daemon itself: what it is and takes, its log, a copy of its store.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/api/gate.h"
#include "daemon/api/json_text.h"
#include "daemon/api/members.h"
#include "daemon/log/log.h"
#include "daemon/store/backup.h"
#include "daemon/store/health.h"

namespace leat::api {
namespace {

using nlohmann::ordered_json;
namespace fs = std::filesystem;

/// A line of /proc/self/status in its own unit: "VmRSS:    1234 kB". 0: there is none.
std::uint64_t process_number(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(name)) continue;
    std::uint64_t number = 0;
    std::istringstream(line.substr(name.size())) >> number;
    return number;
  }
  return 0;
}

struct Disk {
  std::uint64_t free = 0;
  std::uint64_t total = 0;
};

Disk disk_of(const std::string& folder) {
  struct statvfs found {};
  if (::statvfs(folder.c_str(), &found) != 0) return {};
  return {std::uint64_t{found.f_bavail} * found.f_frsize, std::uint64_t{found.f_blocks} * found.f_frsize};
}

std::string store_file(const ApiContext& context) {
  return context.data_dir + "/leat.db";
}

std::uint64_t size_of(const std::string& path) {
  std::error_code failed;
  const std::uintmax_t size = fs::file_size(path, failed);
  return failed ? 0 : size;
}

ordered_json roles_json(Role role) {
  ordered_json roles = ordered_json::array({"read"});
  if (role == Role::kAdmin) roles.push_back("admin");
  return roles;
}

ordered_json line_json(const log::Line& line) {
  ordered_json fields = ordered_json::object();
  for (const auto& [key, value] : line.fields) fields[key] = value;
  return {{"time", time_json(line.time)},
          {"level", log::to_string(line.level)},
          {"message", line.message},
          {"fields", std::move(fields)}};
}

// ---- The copy --------------------------------------------------------------------------------------------

/// Room that the store must find on the disk beside its copy.
constexpr std::uint64_t kRoomLeft = 32U << 20U;
constexpr std::size_t kPieceBytes = 64 * 1024;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() { ::close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::optional<std::string> next() {
    std::string piece(kPieceBytes, '\0');
    const ssize_t read = ::read(fd_, piece.data(), piece.size());
    if (read <= 0) return std::nullopt;
    piece.resize(static_cast<std::size_t>(read));
    return piece;
  }

 private:
  const int fd_;
};

/// A file that is gone from its folder already: whatever happens, nothing is left behind.
Result<std::shared_ptr<File>> make_copy(const std::string& path) {
  const std::string target = path + ".download";
  std::error_code failed;
  // Of a daemon that ended meanwhile.
  for (const char* suffix : {"", ".unfinished", ".unfinished-journal"}) fs::remove(target + suffix, failed);
  LEAT_TRY(store::back_up_store(path, target));
  const int fd = ::open(target.c_str(), O_RDONLY | O_CLOEXEC);
  const int why = errno;
  fs::remove(target, failed);
  if (fd < 0)
    return fail(ErrorCode::kIo, fmt::format("the copy of the store cannot be read: {}", std::strerror(why)));
  return std::make_shared<File>(fd);
}

std::optional<Response> refuse_backup(const ApiContext& context) {
  if (context.data_dir.empty()) return problem(503, "no copy", "the store is in memory");
  const std::uint64_t needed =
      size_of(store_file(context)) + store::health_of(*context.store).log_bytes + kRoomLeft;
  const Disk disk = disk_of(context.data_dir);
  if (disk.total == 0 || disk.free >= needed) return std::nullopt;
  return problem(
      503, "no room for a copy",
      fmt::format("the copy is made on the store's disk first: {} bytes are free there, {} are needed; "
                  "'leat store backup FILE' writes it to another disk",
                  disk.free, needed));
}

}  // namespace

Response show_status(const ApiContext& context, const Request& request) {
  const Disk disk = disk_of(context.data_dir);
  constexpr std::uint64_t kKilo = 1024;
  return json_response(
      {{"version", context.version},
       {"gateway", context.gateway_id},
       {"started", time_json(context.started)},
       {"now", time_json(context.clock->wall())},
       {"store",
        {{"bytes", size_of(store_file(context))}, {"log_bytes", store::health_of(*context.store).log_bytes}}},
       {"disk", {{"free_bytes", disk.free}, {"total_bytes", disk.total}}},
       {"memory_bytes", process_number("VmRSS:") * kKilo},
       {"threads", process_number("Threads:")},
       {"roles", roles_json(request.role)}});
}

Response backup(const ApiContext& context, const Request&) {
  const Gate::Pass pass = context.gates->backups.enter();
  if (!pass) return busy("a copy is being made already");
  if (auto refused = refuse_backup(context)) return *std::move(refused);
  const auto copy = make_copy(store_file(context));
  if (!copy) return problem(503, "the store cannot be copied", copy.error().message);
  Response response{.status = 200, .body = {}, .content_type = "application/vnd.sqlite3"};
  response.headers.emplace_back("Content-Disposition",
                                fmt::format("attachment; filename=\"{}.db\"", context.gateway_id));
  response.pieces = [file = *copy, pass] { return file->next(); };
  return response;
}

Response logs(const ApiContext&, const Request& request) {
  constexpr std::int64_t kMostLines = 1'000;
  const auto lines = number_member(request, "lines", {1, kMostLines, 200});
  if (!lines) return wrong_member(lines.error());
  const auto text = text_member(request, "level");
  const auto level = log::parse_level(text->empty() ? "debug" : *text);
  if (!level) return problem(400, "wrong parameter", "'level': " + level.error().message);
  ordered_json list = ordered_json::array();
  for (const log::Line& line : log::recent(static_cast<std::size_t>(*lines), *level))
    list.push_back(line_json(line));
  return json_response({{"lines", std::move(list)}});
}

Response show_log_level(const ApiContext&, const Request&) {
  return json_response({{"level", log::to_string(log::level())}});
}

Response set_log_level(const ApiContext&, const Request& request) {
  const auto text = required_text(request, "level");
  if (!text) return wrong_member(text.error());
  const auto level = log::parse_level(*text);
  if (!level) return problem(400, "wrong parameter", "'level': " + level.error().message);
  log::set_level(*level);
  log::info("the log's level was set", {{"level", *text}});
  return json_response({{"level", *text}});
}

}  // namespace leat::api
