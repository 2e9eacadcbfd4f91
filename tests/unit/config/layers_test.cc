#include "daemon/config/layers.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace leat;
using namespace leat::config;

namespace {

/// A folder with leat.toml and leat.d, an environment and options.
struct Layers {
  Layers() {
    std::string name = (std::filesystem::temp_directory_path() / "leat-config-XXXXXX").string();
    folder = ::mkdtemp(name.data());
    inputs.file = (folder / "leat.toml").string();
  }
  ~Layers() { std::filesystem::remove_all(folder); }

  void file(const std::string& text) { std::ofstream(folder / "leat.toml") << text; }
  void drop_in(const std::string& name, const std::string& text) {
    std::filesystem::create_directories(folder / "leat.d");
    std::ofstream(folder / "leat.d" / name) << text;
  }
  void variable(const std::string& name, const std::string& value) {
    inputs.environment.emplace_back(name, value);
  }
  Loaded loaded() const {
    auto all = load(inputs);
    REQUIRE_MESSAGE(all, all.error().message);
    return *std::move(all);
  }
  std::string error() const {
    const auto all = load(inputs);
    return all ? "" : all.error().message;
  }
  std::string place(const std::string& name, const std::string& at) const {
    return (folder / name).string() + ":" + at;
  }

  std::filesystem::path folder;
  Inputs inputs;
};

const Value& value_of(const Loaded& loaded, const std::string& key) {
  for (const Value& value : loaded.values)
    if (value.doc.key == key) return value;
  FAIL("no key ", key);
  return loaded.values.front();
}

}  // namespace

TEST_CASE("each layer wins over those before it, key by key") {
  Layers layers;
  layers.file("data_dir = \"/file\"\n[log]\nlevel = \"warn\"\nformat = \"json\"\n[gateway]\nid = \"file\"");
  layers.drop_in("20.toml", "[log]\nlevel = \"error\"\n[gateway]\nid = \"twenty\"");
  layers.drop_in("10.toml", "[log]\nlevel = \"debug\"\n[api]\nlisten = \"127.0.0.1:1\"");
  layers.drop_in("30.off", "nonsense");
  layers.variable("LEAT_GATEWAY__ID", "environment");
  layers.variable("LEAT_API__LISTEN", "127.0.0.1:2");
  layers.inputs.settings = {"api.listen=127.0.0.1:3", "api.listen=127.0.0.1:4"};
  const Loaded all = layers.loaded();
  CHECK(all.config.data_dir == "/file");
  CHECK(all.config.log_level == "error");
  CHECK(all.config.log_format == "json");
  CHECK(all.config.gateway_id == "environment");
  CHECK(all.config.api_listen == "127.0.0.1:4");
  CHECK(all.config.stop_timeout == Config{}.stop_timeout);
  CHECK(all.files.size() == 3);
  CHECK(value_of(all, "data_dir").origin.place == layers.place("leat.toml", "1:1"));
  CHECK(value_of(all, "log.level").origin.place == layers.place("leat.d/20.toml", "2:1"));
  CHECK(value_of(all, "gateway.id").origin.place == "environment variable LEAT_GATEWAY__ID");
  CHECK(all.config.api_listen_place == "--set api.listen");
  CHECK(value_of(all, "stop_timeout").origin.layer == Layer::kDefault);
  CHECK(value_of(all, "stop_timeout").text == "20 s");
}

TEST_CASE("without a file there are the defaults, and an empty one is as good") {
  Layers layers;
  layers.inputs.missing = Inputs::Missing::kDefaults;
  CHECK(layers.loaded().files.empty());
  layers.drop_in("a.toml", "data_dir = \"/drop\"");
  CHECK(layers.loaded().config.data_dir == "/drop");
  layers.inputs.missing = Inputs::Missing::kError;
  CHECK(load(layers.inputs).error().code == ErrorCode::kNotFound);
  layers.file("");
  CHECK(layers.loaded().config.api_listen == Config{}.api_listen);
}

TEST_CASE("what is wrong is named with its place in every layer, in their order") {
  Layers layers;
  layers.file("[log]\nlevel = \"loud\"\nlevle = \"info\"");
  layers.drop_in("a.toml", "stop_timeout = 5");
  layers.drop_in("b.toml", "data_dir = ");
  layers.variable("LEAT_API__LISEN", "x");
  layers.variable("LEAT_STOP_TIMEOUT", "soon");
  layers.inputs.settings = {"api.max_connections=many", "gatway.id=x", "log.level"};
  const std::string all = layers.error();
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < all.size(); at = all.find('\n', at) + 1) {
    lines.push_back(all.substr(at, all.find('\n', at) - at));
    if (all.find('\n', at) == std::string::npos) break;
  }
  REQUIRE_MESSAGE(lines.size() == 9, all);
  CHECK(lines[0].starts_with(layers.place("leat.toml", "2:1: log.level: expected 'debug'")));
  CHECK(lines[1].starts_with(layers.place("leat.toml", "3:1: unknown option 'log.levle' (did you mean")));
  CHECK(lines[2].starts_with(layers.place("leat.d/a.toml", "1:1: stop_timeout: expected a duration")));
  CHECK(lines[3].starts_with(layers.place("leat.d/b.toml", "1:")));
  CHECK(lines[4] ==
        "environment variable LEAT_API__LISEN: no key of the configuration is called so (did you mean "
        "'LEAT_API__LISTEN'?)");
  CHECK(lines[5].starts_with("environment variable LEAT_STOP_TIMEOUT: "));
  CHECK(lines[6].starts_with("--set api.max_connections: "));
  CHECK(lines[7].starts_with("--set gatway.id: unknown option 'gatway.id' (did you mean 'gateway.id'?)"));
  CHECK(lines[8].starts_with("--set log.level: expected KEY=VALUE"));
}

TEST_CASE("a wrong value is refused where a later layer would win, too") {
  Layers layers;
  layers.file("stop_timeout = \"soon\"");
  layers.inputs.settings = {"stop_timeout=5 s"};
  CHECK(layers.error().starts_with(layers.place("leat.toml", "1:1: ")));
}

TEST_CASE("keys that belong together may be of several layers") {
  Layers layers;
  layers.file("[api]\ntls_cert = \"a\"");
  CHECK(layers.error().find("api.tls_cert needs api.tls_key") != std::string::npos);
  layers.variable("LEAT_API__TLS_KEY", "b");
  CHECK(layers.loaded().config.api_tls_key == "b");
}

TEST_CASE("names of the environment that are not the configuration's are left alone") {
  Layers layers;
  layers.file("");
  for (const char* name : {"LEAT_TOKEN", "LEAT_FAULT", "LEAT_MQTT_PASSWORD", "LEAT_SERVICE_HOST",
                           "LEAT_PORT_8463_TCP", "LEATHER", "PATH"})
    layers.variable(name, "x");
  CHECK(layers.error().empty());
  for (const char* name :
       {"LEAT_API_LISTEN", "LEAT_DATADIR", "LEAT_LOG_LEVEL", "LEAT_PIPELINES__DIR", "LEAT_NO__SUCH_KEY"}) {
    Layers mistyped;
    mistyped.file("");
    mistyped.variable(name, "x");
    CHECK_MESSAGE(mistyped.error().starts_with("environment variable " + std::string(name) + ": "), name);
  }
}

TEST_CASE("lists of the environment are separated by ';'") {
  Layers layers;
  layers.file("[api]\nnames = [\"of.file\"]");
  layers.variable("LEAT_API__NAMES", "a.example;b");
  CHECK(layers.loaded().config.api_names == std::vector<std::string>{"a.example", "b"});
}

TEST_CASE("every key has a variable of its own, and the file a folder") {
  CHECK(variable_of("api.listen") == "LEAT_API__LISTEN");
  CHECK(variable_of("data_dir") == "LEAT_DATA_DIR");
  CHECK(drop_in_folder("/etc/leat/leat.toml") == "/etc/leat/leat.d");
  CHECK(drop_in_folder("/etc/leat/north.toml") == "/etc/leat/north.d");
}

TEST_CASE("the keys that differ are told, whatever layer they come from") {
  Layers layers;
  layers.file("[log]\nlevel = \"info\"");
  const Loaded before = layers.loaded();
  CHECK(changed_keys(before, layers.loaded()).empty());
  layers.file("[log]\nlevel = \"warn\"\n[store]\nmax_bytes = \"1 gb\"");
  CHECK(changed_keys(before, layers.loaded()) == std::vector<std::string>{"log.level", "store.max_bytes"});
  layers.file("");
  CHECK(changed_keys(before, layers.loaded()).empty());  // "info" is the default.
}
