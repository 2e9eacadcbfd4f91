#include "daemon/api/tokens.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

#include "pipelines/base/nearest.h"
#include "sources/clients/descriptor.h"

namespace leat::api {
namespace {

constexpr std::string_view kFirstLine = "leat-tokens 1";
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kHashDigits = 64;

using clients::Descriptor;

tl::unexpected<Error> io_error(std::string_view what, const std::string& path) {
  const int code = errno;
  std::string message = fmt::format("{} {}: {}", what, path, std::strerror(code));
  if (code == EACCES || code == EPERM) message += "; run it as root, or as the user that Leat runs as";
  return fail(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, message);
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

bool is_name(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
  return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), plain);
}

std::optional<std::int64_t> read_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || seconds < 0 || seconds > INT64_MAX / kMicrosPerSecond) return std::nullopt;
  return seconds * kMicrosPerSecond;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t space = line.find(' ');
    words.push_back(line.substr(0, space));
    if (space == std::string_view::npos) return words;
    line.remove_prefix(space + 1);
  }
}

std::optional<Token> read_line(std::string_view line) {
  const auto words = words_of(line);
  if (words.size() != 5 || !is_name(words[0])) return std::nullopt;
  const auto role = parse_role(words[1]);
  const auto created = read_seconds(words[2]);
  const auto expires = read_seconds(words[3]);
  const auto digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const bool hashed = words[4].size() == kHashDigits && std::all_of(words[4].begin(), words[4].end(), digit);
  if (!role || !created || (!expires && words[3] != "-") || !hashed) return std::nullopt;
  return Token{std::string(words[0]), *role, *created, expires, std::string(words[4])};
}

std::string line_of(const Token& token) {
  return fmt::format("{} {} {} {} {}\n", token.name, to_string(token.role), token.created / kMicrosPerSecond,
                     token.expires ? std::to_string(*token.expires / kMicrosPerSecond) : "-", token.hash);
}

Result<Secret> random_token() {
  std::array<unsigned char, kRandomBytes> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1)
    return fail(ErrorCode::kInternal, "the system has no random numbers");
  return Secret("leat_" + hex(bytes.data(), bytes.size()));
}

Status write_all(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_error("writing", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

/// Root makes tokens for the user that the daemon runs as, to whom the folder belongs.
Status give_to_owner(int file, const std::string& folder, const std::string& path) {
  struct stat owner {};
  if (::stat(folder.c_str(), &owner) != 0) return io_error("reading", folder);
  if (::geteuid() == 0 && ::fchown(file, owner.st_uid, owner.st_gid) != 0)
    return io_error("giving to the owner of its folder", path);
  return {};
}

Status sync_folder(const std::string& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open() || ::fsync(opened.number()) != 0) return io_error("syncing", folder);
  return {};
}

/// One `leat token` at a time; the lock goes with the descriptor.
Status lock(const Descriptor& file, const std::string& folder, const std::string& path) {
  if (!file.is_open()) return io_error("opening", path);
  LEAT_TRY(give_to_owner(file.number(), folder, path));
  if (::flock(file.number(), LOCK_EX) != 0) return io_error("locking", path);
  return {};
}

int open_lock(const std::string& path) {
  return ::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kAnyone:
      return "anyone";
    case Role::kRead:
      return "read";
    case Role::kAdmin:
      break;
  }
  return "admin";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::kRead, Role::kAdmin})
    if (text == to_string(role)) return role;
  return std::nullopt;
}

std::string hash_of_token(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return hex(digest.data(), size);
}

Result<std::vector<Token>> parse_tokens(std::string_view text, const std::string& path) {
  std::vector<Token> tokens;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const auto token = number > 1 && end != std::string_view::npos ? read_line(line) : std::nullopt;
    if (number == 1 ? line != kFirstLine : !token)
      return fail(
          ErrorCode::kCorrupt,
          fmt::format("{}:{}: is no line of a file of tokens; put a copy in its place, or delete it and "
                      "make new ones with 'leat token create'",
                      path, number));
    if (token) tokens.push_back(*token);
    text.remove_prefix(std::min(end, text.size() - 1) + 1);
  }
  return tokens;
}

TokenFile::TokenFile(const std::string& data_dir) : folder_(data_dir), path_(data_dir + "/tokens") {}

Result<std::vector<Token>> TokenFile::read() const {
  const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno == ENOENT) return std::vector<Token>();
    return io_error("reading", path_);
  }
  std::string text;
  std::array<char, 4096> piece{};
  while (true) {
    const ssize_t size = ::read(file.number(), piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return io_error("reading", path_);
    if (size == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(size));
  }
  // Never empty: a file is renamed into its place as a whole. One that is was damaged, and must not open the
  // API.
  if (text.empty()) text = "\n";
  return parse_tokens(text, path_);
}

Result<Secret> TokenFile::create(const Token& token) const {
  if (!is_name(token.name))
    return fail(ErrorCode::kInvalid,
                fmt::format("'{}' is no name of a token: expected up to {} letters, digits, '.', '_' and '-'",
                            token.name, kLongestName));
  std::error_code failed;
  std::filesystem::create_directories(folder_,
                                      failed);  // The daemon may be started for the first time after it.
  if (failed)
    return fail(ErrorCode::kIo, fmt::format("making the data folder {}: {}", folder_, failed.message()));
  const Descriptor locked(open_lock(path_));
  LEAT_TRY(lock(locked, folder_, path_ + ".lock"));
  LEAT_ASSIGN(auto tokens, read());
  for (const Token& other : tokens)
    if (other.name == token.name)
      return fail(
          ErrorCode::kConflict,
          fmt::format("there is a token '{}' already; revoke it first, or choose another name", token.name));
  LEAT_ASSIGN(Secret text, random_token());
  tokens.push_back(token);
  tokens.back().hash = hash_of_token(text.reveal());
  LEAT_TRY(write(tokens));
  return text;
}

Status TokenFile::revoke(const std::string& name) const {
  const Descriptor locked(open_lock(path_));
  LEAT_TRY(lock(locked, folder_, path_ + ".lock"));
  LEAT_ASSIGN(auto tokens, read());
  std::vector<std::string> names;
  for (const Token& token : tokens) names.push_back(token.name);
  if (std::erase_if(tokens, [&](const Token& token) { return token.name == name; }) == 0)
    return fail(ErrorCode::kNotFound,
                fmt::format("there is no token '{}'{}", name, did_you_mean(name, names)));
  return write(tokens);
}

Status TokenFile::write(const std::vector<Token>& tokens) const {
  std::string text = std::string(kFirstLine) + "\n";
  for (const Token& token : tokens) text += line_of(token);
  const std::string fresh = path_ + ".new";
  {
    const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return io_error("writing", fresh);
    LEAT_TRY(give_to_owner(file.number(), folder_, fresh));
    if (::fchmod(file.number(), 0600) != 0) return io_error("closing to others", fresh);
    LEAT_TRY(write_all(file.number(), text, fresh));
    if (::fsync(file.number()) != 0) return io_error("syncing", fresh);
  }
  if (::rename(fresh.c_str(), path_.c_str()) != 0) return io_error("renaming", fresh);
  return sync_folder(folder_);
}

}  // namespace leat::api
