#include "sources/clients/webhdfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace leat::clients {
namespace {

using nlohmann::json;

constexpr std::string_view kPlain = "webhdfs://";
constexpr std::string_view kTls = "swebhdfs://";
constexpr std::uint16_t kPlainPort = 9870;
constexpr std::uint16_t kTlsPort = 9871;
constexpr std::string_view kPrefix = "/webhdfs/v1";
/// What a path keeps of its characters in a URL.
constexpr std::string_view kPathMarks = "/=,+@";
/// And a URL that is encoded. A name node writes letters of other alphabets as they are, which a data node
/// would take for Latin-1.
constexpr std::string_view kUrlMarks = "%:/?#[]@!$&'()*+,;=";
/// A list comes in parts of 1,000 names, unless the cluster is set otherwise; 300 bytes each, and the names.
constexpr std::size_t kLongestAnswer = 16U << 20;
/// Where the message of a wrong URL comes to the point.
constexpr std::string_view kBehindExample = "', ";
constexpr std::size_t kLongestReason = 300;

bool is_good(int status) {
  return status >= 200 && status < 300;
}

/// Of the exceptions that a human must do something about; the rest may pass.
ErrorCode code_of(std::string_view exception) {
  using Names = std::initializer_list<std::string_view>;
  const auto among = [&](Names names) { return std::ranges::find(names, exception) != names.end(); };
  if (exception == "FileNotFoundException") return ErrorCode::kNotFound;
  if (among({"FileAlreadyExistsException", "ParentNotDirectoryException", "PathIsNotDirectoryException"}))
    return ErrorCode::kConflict;
  if (among({"AccessControlException", "SecurityException", "AuthenticationException",
             "AuthorizationException", "InvalidToken", "IllegalArgumentException",
             "UnsupportedOperationException", "InvalidPathException", "HadoopIllegalArgumentException"}))
    return ErrorCode::kInvalid;
  return ErrorCode::kUnavailable;
}

/// A Java stack hangs behind the first line.
std::string first_line(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return line.substr(0, kLongestReason);
}

std::string text_in(const json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t count_in(const json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// A gateway that gives files no ids cannot be read from: they could not be told from each other.
bool is_entry(const json& status) {
  return status.is_object() && count_in(status, "fileId") != 0;
}

WebHdfs::Entry entry_of(const json& status) {
  return {.name = text_in(status, "pathSuffix"),
          .is_folder = text_in(status, "type") == "DIRECTORY",
          .id = count_in(status, "fileId"),
          .length = count_in(status, "length"),
          .mtime = static_cast<std::int64_t>(count_in(status, "modificationTime")) * kMicrosPerMilli};
}

/// The member at the end of a way through objects; null: it is not there.
const json* member_of(const json& answer, std::initializer_list<const char*> way) {
  const json* at = &answer;
  for (const char* name : way) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(name);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

}  // namespace

bool is_webhdfs(std::string_view path) {
  return path.starts_with(kPlain) || path.starts_with(kTls);
}

Result<WebHdfsPath> parse_webhdfs_path(std::string_view text) {
  const bool tls = text.starts_with(kTls);
  const std::string_view scheme = tls ? kTls : kPlain;
  const std::string_view rest = is_webhdfs(text) ? text.substr(scheme.size()) : std::string_view();
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string authority(rest.substr(0, slash));
  const auto wrong = [&](const std::string& what) {
    return fail(ErrorCode::kInvalid, fmt::format("expected a path such as '{}namenode:{}/folder', {}", scheme,
                                                 tls ? kTlsPort : kPlainPort, what));
  };
  if (authority.find('?') != std::string::npos) return wrong("found '?' in the name node's address");
  const bool has_port = authority.find(':', authority.rfind(']') + 1) != std::string::npos;
  auto url = parse_http_url((tls ? "https://" : "http://") + authority);
  if (!url)
    return wrong(
        url.error().message.substr(url.error().message.find(kBehindExample) + kBehindExample.size()));
  if (!has_port) url->port = tls ? kTlsPort : kPlainPort;
  WebHdfsPath path{*url, std::string(scheme) + authority_of(url->host, url->port),
                   std::string(rest.substr(slash))};
  while (path.path.size() > 1 && path.path.ends_with('/')) path.path.pop_back();
  if (path.path.empty()) path.path = "/";
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
  if (std::ranges::any_of(path.path, control)) return wrong("found a control character");
  return path;
}

std::string webhdfs_path_of_id(std::uint64_t id) {
  return fmt::format("/.reserved/.inodes/{}", id);
}

Error read_webhdfs_refusal(int status, std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  const json* const told = member_of(answer, {"RemoteException"});
  if (told == nullptr || !told->is_object()) {
    const bool human = status == 401 || status == 404 || status == 400;
    return {human ? ErrorCode::kInvalid : ErrorCode::kUnavailable,
            fmt::format("the server answers with status {}{}", status,
                        status == 401   ? ": it wants to know who asks, and not by name alone"
                        : status == 404 ? ": it does not speak WebHDFS"
                                        : "")};
  }
  const std::string exception = text_in(*told, "exception");
  const std::string reason = first_line(text_in(*told, "message"));
  return {code_of(exception), reason.empty() ? exception : fmt::format("{} ({})", reason, exception)};
}

class WebHdfs::Session {
 public:
  using Parameters = std::initializer_list<std::pair<const char*, std::string>>;

  explicit Session(WebHdfsOptions options) : options_(std::move(options)) {
    options_.name_node.kept_body_bytes = kLongestAnswer;
    name_node_ = std::make_shared<HttpClient>(options_.name_node);
  }

  [[nodiscard]] const std::string& root() const { return options_.root; }

  void interrupt() {
    const std::scoped_lock lock(mutex_);
    interrupted_ = true;
    name_node_->interrupt();
    if (data_node_) data_node_->interrupt();
  }

  /// One question to the name node, and its answer.
  Result<json> ask(const char* method, const std::string& path, const char* operation, Parameters more = {}) {
    LEAT_ASSIGN(const HttpResponse response, send(method, path, operation, more));
    if (!is_good(response.status)) return refuse(path, operation, response);
    if (response.body.empty()) return json::object();
    json answer = json::parse(response.body, nullptr, false);
    if (answer.is_discarded()) return nonsense(path, operation);
    return answer;
  }

  /// What is done at a data node: the name node says at which.
  Result<std::string> transfer(const char* method, const std::string& path, const char* operation,
                               Parameters more, std::string body, std::size_t expected) {
    LEAT_ASSIGN(const json way, ask(method, path, operation, more));
    // Not from the header of a redirect, which our library gives decoded.
    const json* const location = member_of(way, {"Location"});
    const bool told = location != nullptr && location->is_string();
    const auto url =
        parse_http_url(told ? percent_encoded(location->get_ref<const std::string&>(), kUrlMarks) : "");
    if (!url) return nonsense(path, operation);
    if (options_.name_node.url.scheme == HttpUrl::Scheme::kHttps && url->scheme != HttpUrl::Scheme::kHttps)
      return fail(ErrorCode::kInvalid, shown(path, operation) + ": the name node sends on to " +
                                           url->origin() + ", which is not TLS");
    HttpClientOptions node = options_.name_node;
    node.url = *url;
    node.kept_body_bytes = expected + kErrorBytes;
    LEAT_ASSIGN(const std::shared_ptr<HttpClient> client, go_to(std::move(node)));
    HttpRequest request{
        .method = method, .headers = {{"Content-Type", "application/octet-stream"}}, .body = std::move(body)};
    auto response = client->send(request);
    if (!response) return fail(std::move(response).error(), shown(path, operation));
    if (!is_good(response->status)) return refuse(path, operation, *response);
    return std::move(response->body);
  }

  [[nodiscard]] tl::unexpected<Error> nonsense(const std::string& path, const char* operation) const {
    return fail(ErrorCode::kUnavailable, shown(path, operation) + ": the answer is not WebHDFS's");
  }

 private:
  /// Of a refusal, beside the bytes that were asked for.
  static constexpr std::size_t kErrorBytes = 64U << 10;

  [[nodiscard]] std::string shown(const std::string& path, const char* operation) const {
    return fmt::format("{}{}: {}", options_.root, path, operation);
  }

  Result<HttpResponse> send(const char* method, const std::string& path, const char* operation,
                            Parameters more) {
    HttpRequest request{.method = method, .headers = {}, .body = {}};
    request.target =
        fmt::format("{}{}?op={}&noredirect=true", kPrefix, percent_encoded(path, kPathMarks), operation);
    if (!options_.delegation_token.empty())
      request.target += "&delegation=" + percent_encoded(options_.delegation_token.reveal());
    else if (!options_.user.empty())
      request.target += "&user.name=" + percent_encoded(options_.user);
    for (const auto& [key, value] : more)
      request.target += fmt::format("&{}={}", key, percent_encoded(value, "/"));
    auto response = name_node_->send(request);
    if (!response) return fail(std::move(response).error(), options_.root + path);
    return response;
  }

  /// A connection of its own for each: data nodes close theirs after one request.
  Result<std::shared_ptr<HttpClient>> go_to(HttpClientOptions node) {
    auto client = std::make_shared<HttpClient>(std::move(node));
    const std::scoped_lock lock(mutex_);
    if (interrupted_) return fail(ErrorCode::kCancelled, "interrupted");
    data_node_ = client;
    return client;
  }

  [[nodiscard]] tl::unexpected<Error> refuse(const std::string& path, const char* operation,
                                             const HttpResponse& response) const {
    return fail(read_webhdfs_refusal(response.status, response.body), shown(path, operation));
  }

  WebHdfsOptions options_;
  std::shared_ptr<HttpClient> name_node_;
  std::mutex mutex_;
  std::shared_ptr<HttpClient> data_node_;  // The one under way, or the last.
  bool interrupted_ = false;
};

WebHdfs::WebHdfs(WebHdfsOptions options) : session_(std::make_unique<Session>(std::move(options))) {}

WebHdfs::~WebHdfs() = default;

const std::string& WebHdfs::root() const {
  return session_->root();
}

void WebHdfs::interrupt() {
  session_->interrupt();
}

Result<WebHdfs::Entry> WebHdfs::look(const std::string& path) {
  LEAT_ASSIGN(const json answer, session_->ask("GET", path, "GETFILESTATUS"));
  const json* const status = member_of(answer, {"FileStatus"});
  if (status == nullptr || !is_entry(*status)) return session_->nonsense(path, "GETFILESTATUS");
  return entry_of(*status);
}

Result<std::vector<WebHdfs::Entry>> WebHdfs::list(const std::string& folder) {
  constexpr const char* kOperation = "LISTSTATUS_BATCH";
  std::vector<Entry> entries;
  for (std::uint64_t left = 1; left > 0;) {
    // Without a beginning the list is that of the whole folder.
    const std::string after = entries.empty() ? std::string() : entries.back().name;
    LEAT_ASSIGN(const json answer, session_->ask("GET", folder, kOperation, {{"startAfter", after}}));
    const json* const part =
        member_of(answer, {"DirectoryListing", "partialListing", "FileStatuses", "FileStatus"});
    const json* const listing = member_of(answer, {"DirectoryListing"});
    if (part == nullptr || !part->is_array()) return session_->nonsense(folder, kOperation);
    for (const json& status : *part) {
      if (!is_entry(status)) return session_->nonsense(folder, kOperation);
      entries.push_back(entry_of(status));
    }
    left = part->empty() ? 0 : count_in(*listing, "remainingEntries");
  }
  return entries;
}

Result<std::string> WebHdfs::read(const std::string& path, std::uint64_t offset, std::uint64_t length) {
  LEAT_ASSIGN(std::string bytes,
              session_->transfer("GET", path, "OPEN",
                                 {{"offset", std::to_string(offset)}, {"length", std::to_string(length)}}, {},
                                 static_cast<std::size_t>(length)));
  if (bytes.empty() || bytes.size() > length) return session_->nonsense(path, "OPEN");
  return bytes;
}

Status WebHdfs::make_folder(const std::string& path) {
  LEAT_ASSIGN(const json answer, session_->ask("PUT", path, "MKDIRS"));
  const json* const made = member_of(answer, {"boolean"});
  if (made == nullptr || *made != json(true)) return session_->nonsense(path, "MKDIRS");
  return {};
}

Status WebHdfs::create(const std::string& path, std::string bytes) {
  LEAT_TRY(session_->transfer("PUT", path, "CREATE", {{"overwrite", "false"}}, std::move(bytes), 0));
  return {};
}

Status WebHdfs::append(const std::string& path, std::string bytes) {
  LEAT_TRY(session_->transfer("POST", path, "APPEND", {}, std::move(bytes), 0));
  return {};
}

Result<bool> WebHdfs::truncate(const std::string& path, std::uint64_t length) {
  LEAT_ASSIGN(const json answer,
              session_->ask("POST", path, "TRUNCATE", {{"newlength", std::to_string(length)}}));
  const json* const done = member_of(answer, {"boolean"});
  if (done == nullptr || !done->is_boolean()) return session_->nonsense(path, "TRUNCATE");
  return done->get<bool>();
}

Status WebHdfs::rename(const std::string& from, const std::string& to) {
  LEAT_ASSIGN(const json answer,
              session_->ask("PUT", from, "RENAME", {{"destination", to}, {"renameoptions", "NONE"}}));
  // Renaming with options gives no answer; without them it would be whether anything was done.
  const json* const done = member_of(answer, {"boolean"});
  if (done != nullptr && *done != json(true)) return session_->nonsense(from, "RENAME");
  return {};
}

Status WebHdfs::remove(const std::string& path) {
  LEAT_TRY(session_->ask("DELETE", path, "DELETE"));
  return {};
}

}  // namespace leat::clients
