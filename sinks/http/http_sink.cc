#include "sinks/http/http_sink.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "pipelines/formats/compression.h"
#include "sinks/connector.h"
#include "sinks/http/http_body.h"
#include "sinks/http/http_options.h"
#include "sinks/http/http_outcome.h"
#include "sources/clients/http_client.h"
#include "sources/clients/oauth_token.h"

namespace leat::sinks {

namespace {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// The headers that are the same in every request.
HeaderList common_headers(const HttpOptions& options, const SinkContext& context) {
  HeaderList headers;
  for (const auto& [name, value] : options.headers) headers.emplace_back(name, value.reveal());
  if (!gives_header(options, "content-type"))
    headers.emplace_back("Content-Type", body_content_type(options.body, context.content_type));
  if (!options.user.empty())
    headers.emplace_back("Authorization",
                         clients::basic_authorization(options.user, options.password.reveal()));
  if (!options.token.empty()) headers.emplace_back("Authorization", "Bearer " + options.token.reveal());
  if (options.compression == HttpCompression::kGzip) headers.emplace_back("Content-Encoding", "gzip");
  headers.emplace_back("User-Agent", "leat");
  headers.emplace_back("Leat-Gateway", context.gateway_id);
  return headers;
}

/// How far the shipment at hand has come, one request per record.
struct Progress {
  std::string shipment;       ///< Its name; another one begins anew.
  std::uint32_t settled = 0;  ///< Records before this one are delivered or refused.
  std::vector<std::uint32_t> refused;
  std::string reason;  ///< Of the first refusal.
};

class HttpSink final : public Sink {
 public:
  HttpSink(const HttpOptions& options, SinkContext context)
      : method_(options.method == HttpMethod::kPut ? "PUT" : "POST"),
        body_(options.body),
        compression_(options.compression),
        headers_(common_headers(options, context)),
        context_(std::move(context)),
        client_(client_options(options, options.url)) {
    if (!options.token_url.empty()) tokens_.emplace(oauth_options(options));
  }

  Delivery deliver(const Shipment& shipment) override {
    const auto records = read_blocks(shipment.blocks);
    if (!records) return Retry{records.error().message, std::nullopt, /*paused=*/true};
    if (records->empty()) return Delivered{};
    if (body_ == BodyForm::kSingle) return deliver_singly(shipment, *records);
    return post(*records, shipment_name(context_, shipment), shipment.attempt);
  }

  void interrupt() override {
    client_.interrupt();
    if (tokens_) tokens_->interrupt();
  }

 private:
  Delivery deliver_singly(const Shipment& shipment, std::span<const Record> records) {
    const std::string name = shipment_name(context_, shipment);
    if (progress_.shipment != name) progress_ = Progress{name};
    while (progress_.settled < records.size()) {
      const std::uint32_t index = progress_.settled;
      Delivery outcome = post(records.subspan(index, 1), fmt::format("{}:{}", name, index), shipment.attempt);
      if (std::holds_alternative<Retry>(outcome)) return outcome;
      if (auto* rejected = std::get_if<Rejected>(&outcome)) refuse(index, std::move(rejected->reason));
      ++progress_.settled;
    }
    Progress done = std::exchange(progress_, Progress{});
    if (done.refused.empty()) return Delivered{};
    return Rejected{std::move(done.reason), std::move(done.refused)};
  }

  void refuse(std::uint32_t index, std::string reason) {
    if (progress_.refused.empty()) progress_.reason = std::move(reason);
    progress_.refused.push_back(index);
  }

  /// One request.
  Delivery post(std::span<const Record> records, std::string key, std::uint32_t attempt) {
    auto request = make_request(records, std::move(key), attempt);
    if (!request) return Retry{request.error().message, std::nullopt};
    auto response = authorized(*request);
    // A token may be revoked before its time.
    if (response && response->status == 401 && tokens_ && tokens_->forget()) response = authorized(*request);
    if (response) return outcome_of(*response, context_.now(), attempt);
    const bool needs_a_human = response.error().code == ErrorCode::kInvalid;
    const auto after = tokens_ ? parse_retry_after(tokens_->retry_after(), context_.now()) : std::nullopt;
    return Retry{response.error().message, after, needs_a_human};
  }

  /// Sends it with a token, where the server wants one.
  Result<clients::HttpResponse> authorized(clients::HttpRequest& request) {
    if (!tokens_) return client_.send(request);
    LEAT_ASSIGN(std::string authorization, tokens_->authorization(clients::OAuthTokens::Clock::now()));
    request.headers.emplace_back("Authorization", std::move(authorization));
    auto response = client_.send(request);
    request.headers.pop_back();
    return response;
  }

  Result<clients::HttpRequest> make_request(std::span<const Record> records, std::string key,
                                            std::uint32_t attempt) const {
    clients::HttpRequest request{method_, headers_, make_body(body_, records, context_.separator)};
    if (compression_ == HttpCompression::kGzip) {
      LEAT_ASSIGN(request.body, formats::compress(request.body, formats::Compression::kGzip));
    }
    request.headers.emplace_back("Idempotency-Key", std::move(key));
    if (attempt > 1) request.headers.emplace_back("Leat-Attempt", std::to_string(attempt));
    return request;
  }

  std::string method_;
  BodyForm body_;
  HttpCompression compression_;
  HeaderList headers_;
  SinkContext context_;
  clients::HttpClient client_;
  std::optional<clients::OAuthTokens> tokens_;
  Progress progress_;
};

}  // namespace

SinkConnector http_connector() {
  SinkConnector connector = sink_connector<HttpOptions>(
      "http", "Requests with records to an HTTP or HTTPS server.", http_options, check_http_options);
  connector.info.needs_format = true;
  connector.batch_limits = [](const OptionMap& map) {
    return batch_limits_of(validated_options(http_options(), map));
  };
  connector.build = [](const OptionMap& map, const SinkContext& context) -> Result<std::unique_ptr<Sink>> {
    const HttpOptions options = validated_options(http_options(), map);
    return std::make_unique<HttpSink>(options, context);
  };
  return connector;
}

}  // namespace leat::sinks
