#include "sources/http/http_source.h"

#include <fmt/format.h>
#include <httplib.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <thread>
#include <utility>

#include "pipelines/base/fault_point.h"
#include "pipelines/formats/lines.h"
#include "pipelines/formats/utf8.h"
#include "sources/clients/backoff.h"
#include "sources/http/accepted_keys.h"
#include "sources/http/body_encoding.h"
#include "sources/http/http_metadata.h"
#include "sources/http/http_ports.h"
#include "sources/http/http_record.h"
#include "sources/http/http_source_options.h"
#include "sources/pause_gate.h"

namespace leat::sources {
namespace {

using listen::Answer;
using listen::Peer;
using listen::problem;

constexpr Micros kFirstTry{100 * kMicrosPerMilli};
constexpr Micros kLongestWait{30 * kMicrosPerSecond};
constexpr std::string_view kPosition = "\x01";  // Its version: the intake's reader knows the place.

// httplib would expand the body, bounded badly, and take a form's fields out of it. So both headers are
// hidden from it under names that no client can have sent: those are taken out first.
constexpr const char* kHiddenEncoding = "Leat-Content-Encoding";
constexpr const char* kHiddenType = "Leat-Content-Type";

void hide(httplib::Request& request, const char* name, const char* hidden) {
  const std::string value = request.get_header_value(name);
  request.headers.erase(name);
  request.headers.erase(hidden);
  if (!value.empty()) request.headers.emplace(hidden, value);
}

/// Equal in a time that does not tell how far they are.
bool same_secret(std::string_view a, std::string_view b) {
  const auto digest = [](std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    return hash;
  };
  const auto first = digest(a);
  const auto second = digest(b);
  return CRYPTO_memcmp(first.data(), second.data(), first.size()) == 0;
}

Answer come_again(int status, const std::string& title, const std::string& detail) {
  Answer answer = problem(status, title, detail);
  answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

/// Keeps the keys of what is committed.
class KeyTracker final : public PositionTracker {
 public:
  explicit KeyTracker(KeyLog& log) : log_(log) {}
  void consumed(const Message& message) override {
    if (const auto key = decode_http_record(message.attributes).key) log_.add(*key);
  }
  [[nodiscard]] std::string encode() const override { return std::string(kPosition); }
  void save(const std::function<void(std::string_view, std::string_view)>& put) override { log_.save(put); }

 private:
  KeyLog& log_;  // The source's, which outlives its tracker.
};

class HttpSource final : public Source, private HttpReceiver {
 public:
  static Result<std::unique_ptr<Source>> build(const OptionMap& map, const SourceContext& context) {
    const HttpSourceOptions options = read_http_source_options(map);
    // What came in place of a secret's name is known only now.
    LEAT_TRY(check_http_exposure(options));
    LEAT_ASSIGN(HttpMetadataWriter metadata, HttpMetadataWriter::make(options.path, context.metadata_keys));
    return std::unique_ptr<Source>(new HttpSource(options, context, std::move(metadata)));
  }
  ~HttpSource() override { stop(); }

  Status restore(std::string_view, std::string_view value) override { return log_.restore(value); }
  Status start(Intake& intake, std::string_view from) override;
  void resume() override;
  void stop() override;
  [[nodiscard]] SourceHealth health() const override {
    const std::scoped_lock lock(health_mutex_);
    return health_;
  }
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view) const override {
    return std::make_unique<KeyTracker>(log_);
  }
  void append_metadata(const Message& message, std::span<ColumnBuilder* const> columns) const override {
    metadata_.append(message, columns);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(
      const Message& message) const override {
    return {{"path", options_.path},
            {"remote-address", std::string(decode_http_record(message.attributes).remote)}};
  }

 private:
  HttpSource(const HttpSourceOptions& options, const SourceContext& context, HttpMetadataWriter metadata)
      : options_(options),
        now_(context.now),
        is_text_(context.text),
        metadata_(std::move(metadata)),
        log_(options.remembered_keys),
        keys_(options.remembered_keys),
        ports_(context.ports != nullptr ? *context.ports : own_ports_) {}

  // HttpReceiver, on the connections' threads.
  std::optional<Answer> judge(httplib::Request& request, const Peer& peer) override;
  Answer take(const httplib::Request& request, const Peer& peer) override;
  void turned_away(const std::string& why) override;

  std::optional<Answer> refuse_sender(const httplib::Request& request) const;
  std::optional<Answer> refuse_form(httplib::Request& request) const;
  Answer store(std::string_view body, const HttpRecord& record);
  Answer counted(Answer answer, const Peer& peer);

  /// On the source's thread: until the address is ours.
  void open_port();
  void tell(SourceHealth::Link link, std::string detail);

  const HttpSourceOptions options_;
  const std::function<std::int64_t()> now_;
  const bool is_text_;
  const HttpMetadataWriter metadata_;
  mutable KeyLog log_;        // Its tracker's, too; of the loop.
  Intake* intake_ = nullptr;  // The runtime's; outlives the source. From `start` to `stop`.

  /// Held over look-up, append and the pause that it may ask for, and by `resume`: so a key is appended once,
  /// and room that is announced meanwhile is not forgotten.
  std::mutex flow_mutex_;
  AcceptedKeys keys_;      // Under flow_mutex_.
  bool paused_ = false;    // Under flow_mutex_.
  bool stopping_ = false;  // Under flow_mutex_.

  mutable std::mutex health_mutex_;
  SourceHealth health_;  // Under health_mutex_.

  PauseGate gate_;
  HttpPorts own_ports_;  // Used where the daemon has none to share.
  HttpPorts& ports_;
  std::unique_ptr<HttpPorts::Route> route_;  // The source's thread's; `stop` takes it when that has ended.
  std::thread thread_;
};

Status HttpSource::start(Intake& intake, std::string_view from) {
  if (!from.empty() && from != kPosition)
    return fail(ErrorCode::kInvalid, "this is no position of an http source");
  intake_ = &intake;
  for (const KeyHash& key : log_.restored()) keys_.add(key);
  intake.visit_unread([this](const Message& message) {
    if (const auto key = decode_http_record(message.attributes).key) keys_.add(*key);
  });
  tell(SourceHealth::Link::kConnecting, {});
  thread_ = std::thread([this] { open_port(); });
  return {};
}

void HttpSource::open_port() {
  Backoff backoff(kFirstTry, kLongestWait, static_cast<std::uint32_t>(now_()));
  const HttpPortSettings settings = port_settings_of(options_);
  while (!gate_.stopped()) {
    auto route = ports_.open(settings, options_.path, *this);
    if (route) {
      route_ = *std::move(route);
      const listen::Address found{settings.address.host, route_->port()};
      const std::scoped_lock lock(health_mutex_);
      ++health_.connects;
      if (health_.link != SourceHealth::Link::kPaused) health_.link = SourceHealth::Link::kConnected;
      health_.detail = fmt::format("listening on {}{}", listen::to_string(found), options_.path);
      return;
    }
    const Micros wait = backoff.next();
    tell(SourceHealth::Link::kLost,
         fmt::format("{}, next try in {}", route.error().message, shown_wait(wait)));
    if (!gate_.wait_for(wait)) return;
  }
}

void HttpSource::tell(SourceHealth::Link link, std::string detail) {
  const std::scoped_lock lock(health_mutex_);
  health_.link = link;
  health_.detail = std::move(detail);
}

void HttpSource::resume() {
  const std::scoped_lock lock(flow_mutex_);
  if (!std::exchange(paused_, false)) return;
  const std::scoped_lock told(health_mutex_);
  if (health_.link == SourceHealth::Link::kPaused) health_.link = SourceHealth::Link::kConnected;
}

void HttpSource::stop() {
  if (intake_ == nullptr) return;
  {
    const std::scoped_lock lock(flow_mutex_);
    stopping_ = true;
  }
  intake_->interrupt();
  gate_.stop();
  if (thread_.joinable()) thread_.join();
  route_.reset();
  intake_ = nullptr;
}

void HttpSource::turned_away(const std::string& why) {
  const std::scoped_lock lock(health_mutex_);
  ++health_.refused;
  health_.last_refusal = why;
}

Answer HttpSource::counted(Answer answer, const Peer& peer) {
  if (answer.status >= 400) turned_away(fmt::format("{} to {}", answer.status, peer.address));
  return answer;
}

/// What stands behind the scheme of an Authorization header: Bearer, or Token as InfluxDB's clients have it.
std::string_view token_of(std::string_view shown) {
  const std::size_t space = shown.find(' ');
  if (space == std::string_view::npos) return {};
  std::string scheme(shown.substr(0, space));
  for (char& letter : scheme) letter = static_cast<char>(letter | 0x20);  // Of letters the small one.
  return scheme == "bearer" || scheme == "token" ? shown.substr(space + 1) : std::string_view();
}

/// Who is not let in. A page in a browser can send to any address that it reaches; it cannot know a token.
std::optional<Answer> HttpSource::refuse_sender(const httplib::Request& request) const {
  const std::string& token = options_.token.reveal();
  if (token.empty()) {
    if (!request.has_header("Origin") && !request.has_header("Sec-Fetch-Site")) return std::nullopt;
    return problem(403, "not allowed", "pages in browsers do not send here; give the table a 'token'");
  }
  const std::string shown = request.get_header_value("Authorization");
  if (same_secret(token_of(shown), token)) return std::nullopt;
  Answer refused =
      problem(401, "not known",
              shown.empty() ? "send 'Authorization: Bearer TOKEN'" : "the token is not this table's");
  refused.headers.emplace_back("WWW-Authenticate", R"(Bearer realm="leat")");
  return refused;
}

std::optional<Answer> HttpSource::refuse_form(httplib::Request& request) const {
  if (request.method != "POST" && request.method != "PUT") {
    Answer refused = problem(405, "method not allowed", "records come by POST or PUT");
    refused.headers.emplace_back("Allow", "POST, PUT");
    return refused;
  }
  if (request.get_header_value_count("Content-Encoding") > 1 ||
      !find_body_encoding(request.get_header_value("Content-Encoding")))
    return problem(415, "not that encoding", "the Content-Encoding may be gzip, zstd or identity");
  if (request.get_header_value("Content-Type").starts_with("multipart/"))
    return problem(415, "not a form", "send the records as the body");
  if (request.get_header_value_count("Idempotency-Key") > 1)
    return problem(400, "not understood", "there is more than one Idempotency-Key");
  hide(request, "Content-Encoding", kHiddenEncoding);
  hide(request, "Content-Type", kHiddenType);
  return std::nullopt;
}

std::optional<Answer> HttpSource::judge(httplib::Request& request, const Peer& peer) {
  std::optional<Answer> refused = refuse_sender(request);
  if (!refused) refused = refuse_form(request);
  // One with a key may be a repeat of what is here already; that is known when all of it has come.
  if (!refused && !request.has_header("Idempotency-Key")) {
    const std::scoped_lock lock(flow_mutex_);
    if (paused_) refused = come_again(429, "too much at once", "the journal is nearly full");
  }
  if (!refused) return std::nullopt;
  return counted(*std::move(refused), peer);
}

Answer HttpSource::take(const httplib::Request& request, const Peer& peer) {
  const auto encoding = find_body_encoding(request.get_header_value(kHiddenEncoding));
  const auto body = expand_body(encoding.value_or(formats::Compression::kNone), request.body,
                                static_cast<std::size_t>(options_.max_body.bytes));
  if (!body) {
    const bool large = body.error().code == ErrorCode::kExhausted;
    return counted(problem(large ? 413 : 400, large ? "too large" : "not understood", body.error().message),
                   peer);
  }
  if (body->empty())
    return counted(
        problem(400, "no record", "the request has no body; send it with its Content-Length, or chunked"),
        peer);
  std::string type = request.get_header_value(kHiddenType);
  if (!formats::valid_utf8(type)) type.clear();
  const std::string key = request.get_header_value("Idempotency-Key");
  HttpRecord record{.remote = peer.address, .content_type = type};
  if (!key.empty()) record.key = hash_of_key(key);
  const KeptHeaders headers = metadata_.wants_headers() ? KeptHeaders(request.headers, type) : KeptHeaders();
  record.headers = headers.views();
  // Of records on lines the decoder does not know where the body begins.
  return counted(store(is_text_ ? formats::without_byte_order_mark(*body) : std::string_view(*body), record),
                 peer);
}

Answer HttpSource::store(std::string_view body, const HttpRecord& record) {
  const Answer taken{.status = 202};
  const std::string attributes = encode_http_record(record);
  const std::scoped_lock lock(flow_mutex_);
  if (stopping_) return come_again(503, "stopping", "the table is not read any more; try again");
  if (record.key && keys_.contains(*record.key)) {
    intake_->count_redelivered();
    return taken;
  }
  if (paused_) return come_again(429, "too much at once", "the journal is nearly full");
  const Appended appended = intake_->append(body, {}, attributes, now_());
  if (appended == Appended::kAboveHigh || appended == Appended::kFull) {
    paused_ = true;
    tell(SourceHealth::Link::kPaused, "the journal is at its high-water mark: senders get 429");
  }
  if (appended == Appended::kFull) return come_again(429, "too much at once", "the journal is full");
  if (appended == Appended::kFailed) return come_again(503, "not stored", "the disk refuses the journal");
  if (record.key) keys_.add(*record.key);
  LEAT_FAULT_POINT("journal.before-acknowledgement");
  return taken;
}

}  // namespace

SourceConnector http_source_connector() {
  SourceConnector connector;
  connector.info = {
      .name = "http",
      .doc =
          "As a source: a listener of its own that devices send records to, by POST; a request is in a "
          "journal "
          "before it is answered. As a sink: requests with records to an HTTP or HTTPS server.",
      .can_read = true,
      .needs_format = true,
      .source_options = [] { return http_source_options().docs(); },
      .validate_source =
          [](const OptionMap& map, const std::vector<OptionDoc>& foreign, std::vector<OptionError>& errors) {
            read_http_source_options(map, foreign, errors);
          },
      .metadata = http_metadata_columns,
      .bounded = [](const OptionMap&) { return false; }};
  connector.intake = IntakeKind::kJournal;
  connector.framing_by_options = [](const OptionMap& map) { return read_http_source_options(map).body; };
  connector.build = HttpSource::build;
  connector.intake_options = [](const OptionMap& map) {
    return intake_options_of(read_http_source_options(map));
  };
  return connector;
}

}  // namespace leat::sources
