#include "tests/contract/sinks/http_harness.h"

#include <doctest/doctest.h>
#include <httplib.h>
#include <simdjson.h>

#include <sstream>

namespace leat::contract {

using namespace leat::sinks;

namespace {

SeenRequest to_request(const simdjson::dom::object& entry) {
  SeenRequest request;
  request.method = std::string(std::string_view(entry["method"]));
  request.path = std::string(std::string_view(entry["path"]));
  request.body = std::string(std::string_view(entry["body"]));
  request.text = std::string(std::string_view(entry["text"]));
  request.status = static_cast<int>(std::int64_t(entry["status"]));
  request.taken = bool(entry["taken"]);
  for (const simdjson::dom::array pair : simdjson::dom::array(entry["headers"]))
    request.headers.emplace_back(std::string_view(pair.at(0)), std::string_view(pair.at(1)));
  return request;
}

}  // namespace

std::string SeenRequest::header(const std::string& name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

HttpHarness::HttpHarness(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  start("0");
}

void HttpHarness::start(const std::string& port) {
  std::vector<std::string> command{
      "python3", support_script("http_receiver.py"), "--port", port, "--log", folder_.path() + "/log"};
  command.insert(command.end(), arguments_.begin(), arguments_.end());
  receiver_ = std::make_unique<ExternalProcess>(command);
  const auto heard = receiver_->hear("port");
  REQUIRE(heard);
  port_ = *heard;
}

std::string HttpHarness::url(const std::string& path) const {
  return "http://127.0.0.1:" + port_ + path;
}

std::unique_ptr<Sink> HttpHarness::build_with(const OptionMap& more) {
  OptionMap options = more;
  options.emplace("url", url("/in?site=1"));
  options.emplace("body", "json-lines");
  options.emplace("request.timeout", "20 s");
  return build_sink("http", options);
}

std::unique_ptr<Sink> HttpHarness::build_for_nobody() {
  return build_with({{"url", "http://127.0.0.1:1/"}});
}

std::unique_ptr<Sink> HttpHarness::build_unwelcome() {
  script("401");
  return build();
}

Payloads HttpHarness::arrived() {
  Payloads all = before_;
  if (!receiver_) return all;
  for (const SeenRequest& request : requests()) {
    std::istringstream lines(request.taken ? request.text : "");
    for (std::string line; std::getline(lines, line);) all.push_back(line);
  }
  return all;
}

void HttpHarness::go_away() {
  before_ = arrived();
  receiver_.reset();
}

void HttpHarness::come_back() {
  start(port_);
}

void HttpHarness::script(const std::string& steps) const {
  httplib::Client client("127.0.0.1", std::stoi(port_));
  const auto answer = client.Post("/-/script", steps, "text/plain");
  REQUIRE(answer);
  REQUIRE(answer->status == 204);
}

std::vector<SeenRequest> HttpHarness::requests() const {
  httplib::Client client("127.0.0.1", std::stoi(port_));
  const auto answer = client.Get("/-/requests");
  REQUIRE(answer);
  simdjson::dom::parser parser;
  std::vector<SeenRequest> all;
  for (const simdjson::dom::object entry : simdjson::dom::array(parser.parse(answer->body)))
    all.push_back(to_request(entry));
  return all;
}

}  // namespace leat::contract
