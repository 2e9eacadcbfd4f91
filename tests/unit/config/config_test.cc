#include "daemon/config/config.h"

#include <doctest/doctest.h>

#include "daemon/config/layers.h"
#include "daemon/config/time_zone.h"

using namespace leat;
using namespace leat::config;

namespace {

std::string error_of(const std::string& text) {
  const auto config = parse_config(text, "leat.toml");
  return config ? "" : config.error().message;
}

}  // namespace

TEST_CASE("an empty configuration has all defaults") {
  const auto config = parse_config("", "leat.toml");
  REQUIRE(config);
  CHECK(config->data_dir == "/var/lib/leat");
  CHECK(config->api_listen == "127.0.0.1:8463");
}

TEST_CASE("keys and tables are read") {
  const auto config = parse_config(R"(
    data_dir = "/data"
    stop_timeout = "5 s"
    [gateway]
    id = "mill-1"
    [api]
    listen = "[::1]:0"
    [dead_letters]
    max_bytes = "1 mb"
  )",
                                   "leat.toml");
  REQUIRE(config);
  CHECK(config->data_dir == "/data");
  CHECK(config->stop_timeout == Micros(5 * kMicrosPerSecond));
  CHECK(config->gateway_id == "mill-1");
  CHECK(config->dead_letters_max_bytes.bytes == 1 << 20);
}

TEST_CASE("every wrong key is named with its place and the nearest name") {
  CHECK(error_of("data_dri = \"/x\"") ==
        "leat.toml:1:1: unknown option 'data_dri' (did you mean 'data_dir'?)");
  CHECK(error_of("[api]\nlissen = \"x\"")
            .find("leat.toml:2:1: unknown option 'api.lissen' (did you mean 'api.listen'?)") == 0);
  CHECK(error_of("data_dir = ").find("leat.toml:1:") == 0);
}

TEST_CASE("all errors are reported together, in the order of the file") {
  const std::string all =
      error_of("data_dri = \"/x\"\nstop_timeout = 5\n[log]\nlevel = \"loud\"\nformat = true\n");
  CHECK(all.find("leat.toml:1:1: unknown option 'data_dri'") == 0);
  CHECK(all.find("\nleat.toml:2:1: stop_timeout: expected a duration in quotes, such as \"20 s\", found an "
                 "integer") != std::string::npos);
  CHECK(all.find("\nleat.toml:4:1: log.level: ") != std::string::npos);
  CHECK(all.find(
            "\nleat.toml:5:1: log.format: expected a string in quotes, such as \"auto\", found a boolean") !=
        std::string::npos);
}

TEST_CASE("a number is no string, and a size may be one") {
  CHECK(error_of("data_dir = 5").find("data_dir: expected a string") != std::string::npos);
  CHECK(error_of("[gateway]\nid = 1.5").find("found a float") != std::string::npos);
  CHECK(error_of("data_dir = [\"a\"]").find("found an array") != std::string::npos);
  CHECK(parse_config("[dead_letters]\nmax_count = 50", "leat.toml")->dead_letters_max_count == 50);
  CHECK(parse_config("[dead_letters]\nmax_bytes = 4096", "leat.toml")->dead_letters_max_bytes.bytes == 4096);
  CHECK(error_of("[dead_letters]\nmax_bytes = true").find("found a boolean") != std::string::npos);
}

TEST_CASE("a duration has a unit, and a folder a path") {
  CHECK(error_of("stop_timeout = \"20\"") ==
        "leat.toml:1:1: stop_timeout: expected a duration with its unit, such as '20 s' or '20 ms', found "
        "'20'");
  CHECK(error_of("[api]\nrequest_timeout = \"5\"").find("such as '5 s'") != std::string::npos);
  CHECK(parse_config("stop_timeout = \"20 s\"\n[gateway]\nid = \"20\"", "leat.toml"));
  CHECK(
      error_of("pipelines_dir = \"\"").find("leat.toml:1:1: pipelines_dir: expected the path of a folder") ==
      0);
  CHECK(error_of("data_dir = \"\"").find("leat.toml:1:1: data_dir: expected the path of a folder") == 0);
  CHECK(error_of("[dead_letters]\nmax_count = true") ==
        "leat.toml:2:1: dead_letters.max_count: expected an integer, such as 100000, found a boolean");
}

TEST_CASE("the store has no bound, or one that its own tables fit into") {
  CHECK_FALSE(parse_config("", "leat.toml")->store_max_bytes);
  CHECK(parse_config("[store]\nmax_bytes = \"2 gb\"", "leat.toml")->store_max_bytes->bytes == 2ULL << 30);
  CHECK(error_of("[store]\nmax_bytes = \"1000 kb\"").find("expected 1 mb or more") != std::string::npos);
}

TEST_CASE("an address of the API is a host and a port") {
  CHECK(parse_listen("127.0.0.1:8463")->port == 8463);
  CHECK(parse_listen("[::1]:0")->host == "::1");
  CHECK(parse_listen("localhost:1")->host == "localhost");
  CHECK(parse_listen("0.0.0.0:8463")->host == "0.0.0.0");
  for (const char* text : {"127.0.0.1", "127.0.0.1:99999", ":80", "[]:80", "a:b"})
    CHECK_FALSE(parse_listen(text));
  CHECK(error_of("[api]\nlisten = \"127.0.0.1\"").find("leat.toml:2:1: api.listen: the port is missing") ==
        0);
}

TEST_CASE("the place of the API's address is kept for what is found later") {
  CHECK(parse_config("[api]\nlisten = \"0.0.0.0:1\"", "leat.toml")->api_listen_place == "leat.toml:2:1");
  CHECK(parse_config("", "leat.toml")->api_listen_place.empty());
}

TEST_CASE("keys of TLS belong together") {
  CHECK(error_of("[api]\ntls_cert = \"a\"").find("leat.toml:2:1: api.tls_cert needs api.tls_key") == 0);
  CHECK(error_of("[api]\ntls_key = \"a\"").find("api.tls_key needs api.tls_cert") != std::string::npos);
  CHECK(error_of("[api]\ntls_client_ca = \"a\"").find("needs api.tls_cert") != std::string::npos);
  CHECK(error_of("[api]\ntls_admins = [\"a\"]").find("needs api.tls_client_ca") != std::string::npos);
  CHECK(error_of("[api]\ntls_client_role = \"root\"").find("expected 'read' or 'admin', found 'root'") !=
        std::string::npos);
  CHECK(error_of("[api]\ntls_cert = \"a\"\ntls_key = \"b\"\ntls_client_ca = \"c\"").empty());
}

TEST_CASE("names are a list, in TOML's form or in Flink's") {
  CHECK(parse_config("[api]\nnames = [\"a.example\", \"b\"]", "")->api_names ==
        std::vector<std::string>{"a.example", "b"});
  CHECK(parse_config("[api]\nnames = \"a;b\"", "")->api_names == std::vector<std::string>{"a", "b"});
  CHECK(parse_config("[api]\nnames = []", "")->api_names.empty());
  CHECK(error_of("[api]\nnames = [1]").find("found an array") != std::string::npos);
  CHECK(error_of("[api]\nnames = [\"a:80\"]").find("without a port, found 'a:80'") != std::string::npos);
}

TEST_CASE("the API's limits have bounds of their own") {
  for (const char* text :
       {"max_connections = 7", "max_tails = 0", "requests_per_second = 0", "max_header = 100",
        "max_body = \"65 mb\"", "request_timeout = \"10 ms\"", "socket = \"leat.sock\""})
    CHECK(error_of("[api]\n" + std::string(text)).find("expected") != std::string::npos);
  CHECK(error_of("[api]\nmax_connections = 500\nrequests_per_second = 20\nsocket = \"/tmp/a\"").empty());
  CHECK(error_of("[api]\nsocket = \"/" + std::string(200, 'x') + "\"").find("at most 107 bytes") !=
        std::string::npos);
}

TEST_CASE("the socket is where the configuration says, if it says so") {
  CHECK(socket_path(*parse_config("[api]\nsocket = \"/tmp/a\"", "")) == "/tmp/a");
  CHECK(socket_path(*parse_config("[api]\nsocket = \"\"", "")).empty());
  CHECK(socket_path(*parse_config("data_dir = \"/srv/second\"", "")).empty());
}

TEST_CASE("a gateway's id cannot carry a line break into a header") {
  CHECK(error_of("[gateway]\nid = \"mill-1.north_2\"").empty());
  CHECK(error_of("[gateway]\nid = \"a\\nX-Evil: 1\"").find("leat.toml:2:1: gateway.id: only letters") == 0);
}

TEST_CASE("zones are files of the zone data, whatever a name looks like") {
  CHECK(is_installed_zone("Europe/Berlin"));
  CHECK(host_time_zone().size() > 1);
  for (const char* name : {"", "Europe", "Europe/Nowhere", "/etc/localtime", "../zoneinfo/Europe/Berlin"})
    CHECK_MESSAGE(!is_installed_zone(name), name);
}

TEST_CASE("every key is documented") {
  for (const OptionDoc& doc : config_docs()) CHECK(doc.doc.size() > 10);
}
