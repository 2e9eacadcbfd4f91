#include "sinks/mqtt/mqtt_sink_options.h"

#include <doctest/doctest.h>

#include "tests/unit/sinks/option_checks.h"

using namespace leat;
using namespace leat::sinks;

namespace {

OptionMap with(OptionMap more) {
  OptionMap map{{"connector", "mqtt"}, {"format", "json"}, {"url", "mqtt://broker"}, {"topic", "up/{site}"}};
  more.merge(map);
  return more;
}

std::string error_of(std::string_view topic) {
  const auto parsed = TopicTemplate::parse(topic);
  return parsed ? "" : parsed.error().message;
}

std::string rendered(std::string_view topic, std::string_view key) {
  const auto text = TopicTemplate::parse(topic)->render(key);
  return text ? *text : "error: " + text.error().message;
}

}  // namespace

TEST_CASE("a URL and a topic are enough for an mqtt sink") {
  CHECK(errors_of("mqtt", with({})).empty());
  CHECK(names(errors_of("mqtt", {{"connector", "mqtt"}, {"url", "mqtt://b"}}), "topic", "topic"));
}

TEST_CASE("what cannot work with MQTT is named") {
  CHECK(names(errors_of("mqtt", with({{"qos", "3"}})), "qos", "0, 1 or 2"));
  CHECK(names(errors_of("mqtt", with({{"topic", "up/#"}})), "topic", "'#' at position 4"));
  CHECK(names(errors_of("mqtt", with({{"birth.topic", "up/{site}"}})), "birth.topic", "belongs to no row"));
  CHECK(names(errors_of("mqtt", with({{"will.payload", "gone"}})), "will.payload", "needs 'will.topic'"));
  CHECK(names(errors_of("mqtt", with({{"tls.ca-file", "a.pem"}})), "tls.ca-file", "encrypted"));
  CHECK(names(errors_of("mqtt", with({{"max-inflight", "0"}})), "max-inflight", "at least 1"));
}

TEST_CASE("what an mqtt sink waits for is more than no time, and no longer than clocks can count") {
  for (const char* key : {"publish.timeout", "connect-timeout", "reconnect.max-delay"}) {
    CHECK(errors_of("mqtt", with({{key, "36500 d"}})).empty());
    CHECK(names(errors_of("mqtt", with({{key, "36501 d"}})), key, "more than 0, and at most 36500 d"));
    CHECK(names(errors_of("mqtt", with({{key, "110000 d"}})), key, "at most 36500 d"));
    CHECK(names(errors_of("mqtt", with({{key, "0 s"}})), key, "more than 0"));
  }
}

TEST_CASE("the columns of the topic are columns of the table, and single values") {
  const auto problems = [](const char* topic) {
    plan::TableShape table{.name = "up",
                           .physical = {{{"site", Type::string()}, {"tags", Type::array(Type::string())}}}};
    std::vector<OptionError> errors;
    check_mqtt_table(with({{"topic", topic}}), table, errors);
    return errors;
  };
  CHECK(problems("up/{site}").empty());
  CHECK(names(problems("up/{sit}"), "topic", "did you mean 'site'"));
  CHECK(names(problems("up/{tags}"), "topic", "no single value"));
}

TEST_CASE("the client of a sink has another name than that of a source of the same table") {
  SinkContext context;
  context.store = {"0123456789abcdef"};
  context.pipeline = {"p"};
  context.table = {"t"};
  CHECK(client_options_of(MqttSinkOptions{}, context).client_id == "leat-0123456789ab-p-t-out");
}

TEST_CASE("a topic's template names its columns, each once") {
  const auto parsed = TopicTemplate::parse("a/{x}/{y}-{x}");
  REQUIRE(parsed.has_value());
  CHECK(parsed->columns() == std::vector<std::string>{"x", "y"});
  CHECK(TopicTemplate::parse("plain/topic")->columns().empty());
}

TEST_CASE("a template that is no topic is refused where it goes wrong") {
  CHECK(error_of("").find("empty") != std::string::npos);
  CHECK(error_of("a/+/b").find("position 3") != std::string::npos);
  for (const char* text : {"a/{x", "a/{}", "a/x}", "a/{x{y}}"}) CHECK_FALSE(error_of(text).empty());
}

TEST_CASE("a topic is made of the values as they are written") {
  CHECK(rendered("a/{x}", R"({"x":"b c"})") == "a/b c");
  CHECK(rendered("{x}/{y}/{x}", R"({"x":12,"y":true})") == "12/true/12");
  CHECK(rendered("a/{x}", R"({"x":1.50})") == "a/1.50");
  CHECK(rendered("a/{y}/{x}", R"({"x":-3 , "y":9007199254740993})") == "a/9007199254740993/-3");
  CHECK(rendered("plain", "") == "plain");
}

TEST_CASE("a value that cannot be part of a topic is an error that names the column") {
  for (const char* key : {R"({"x":null})", R"({"x":"a+"})", R"({"x":"#"})", R"({"x":[1]})", "{}", "no json"})
    CHECK(rendered("a/{x}", key).find("error: ") == 0);
  CHECK(rendered("a/{x}", R"({"x":null})") == "error: column 'x' of the topic is NULL");
  CHECK(rendered("{x}", R"({"x":")" + std::string(70'000, 'x') + "\"}").find("70000 bytes") !=
        std::string::npos);
}
