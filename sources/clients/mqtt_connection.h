// The options of a connection to an MQTT broker, which the source and the sink of 'connector' = 'mqtt' share:
// the same keys, the same checks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "sources/clients/mqtt_client.h"

namespace leat::sources {

struct MqttConnectionOptions {
  std::string url;
  std::optional<std::string> client_id;
  MqttVersion version = MqttVersion::k5;
  std::string username;
  Secret password;
  std::string tls_ca_file;
  std::string tls_ca_path;
  std::string tls_certificate_file;
  std::string tls_key_file;
  Secret tls_key_password;
  bool tls_verify = true;
  std::vector<std::string> tls_alpn;
  Micros keep_alive{60 * kMicrosPerSecond};
  Micros connect_timeout{10 * kMicrosPerSecond};
  Micros reconnect_min{kMicrosPerSecond};
  Micros reconnect_max{60 * kMicrosPerSecond};
};

/// The rows of an option table for `Options`, which derives from MqttConnectionOptions.
template <class Options>
struct MqttConnectionRows {
  /// Of the URL, of the connector's `own`, and of what every connection has.
  template <class... Own>
  static OptionTable<Options> table(Own... own) {
    return {url(),          std::move(own)...,  version(),       username(),
            password(),     tls_ca_file(),      tls_ca_path(),   tls_certificate_file(),
            tls_key_file(), tls_key_password(), tls_verify(),    tls_alpn(),
            keep_alive(),   connect_timeout(),  reconnect_min(), reconnect_max()};
  }
  /// `doc` says what the name is for; among the connector's own.
  static Option<Options> client_id(std::string doc) {
    return row("client-id", &MqttConnectionOptions::client_id, Necessity::kOptional, std::move(doc));
  }

 private:
  static Option<Options> url() {
    return row("url", &MqttConnectionOptions::url, Necessity::kRequired,
               "The broker: mqtt://host:1883, mqtts://host:8883, ws://host:80/path or wss://host:443/path.");
  }
  static Option<Options> version() {
    return choice<Options>("protocol-version", in(&MqttConnectionOptions::version),
                           {{"5", MqttVersion::k5}, {"3.1.1", MqttVersion::k311}}, Necessity::kOptional,
                           "Version of MQTT to speak.");
  }
  static Option<Options> username() {
    return row("username", &MqttConnectionOptions::username, Necessity::kOptional, "User to connect as.");
  }
  static Option<Options> password() {
    return row("password", &MqttConnectionOptions::password, Necessity::kOptional, "Password of the user.");
  }
  static Option<Options> tls_ca_file() {
    return row("tls.ca-file", &MqttConnectionOptions::tls_ca_file, Necessity::kOptional,
               "PEM file with the authorities to trust; by default the system's.");
  }
  static Option<Options> tls_ca_path() {
    return row("tls.ca-path", &MqttConnectionOptions::tls_ca_path, Necessity::kOptional,
               "Folder with authorities to trust.");
  }
  static Option<Options> tls_certificate_file() {
    return row("tls.certificate-file", &MqttConnectionOptions::tls_certificate_file, Necessity::kOptional,
               "PEM file with the client's certificate.");
  }
  static Option<Options> tls_key_file() {
    return row("tls.key-file", &MqttConnectionOptions::tls_key_file, Necessity::kOptional,
               "PEM file with the client's key.");
  }
  static Option<Options> tls_key_password() {
    return row("tls.key-password", &MqttConnectionOptions::tls_key_password, Necessity::kOptional,
               "Password of the client's key.");
  }
  static Option<Options> tls_verify() {
    return row("tls.verify", &MqttConnectionOptions::tls_verify, Necessity::kOptional,
               "Whether the broker's certificate and name are checked.");
  }
  static Option<Options> tls_alpn() {
    return row("tls.alpn", &MqttConnectionOptions::tls_alpn, Necessity::kOptional,
               "ALPN protocols to offer, separated by ';'.");
  }
  static Option<Options> keep_alive() {
    return row("keep-alive", &MqttConnectionOptions::keep_alive, Necessity::kOptional,
               "A silent connection is probed this often.");
  }
  static Option<Options> connect_timeout() {
    return row("connect-timeout", &MqttConnectionOptions::connect_timeout, Necessity::kOptional,
               "How long one attempt may take.");
  }
  static Option<Options> reconnect_min() {
    return row("reconnect.min-delay", &MqttConnectionOptions::reconnect_min, Necessity::kOptional,
               "Pause after the first failed attempt; it doubles with each further one.");
  }
  static Option<Options> reconnect_max() {
    return row("reconnect.max-delay", &MqttConnectionOptions::reconnect_max, Necessity::kOptional,
               "Longest pause between attempts.");
  }

  template <class Field>
  static Field Options::*in(Field MqttConnectionOptions::*field) {
    return field;
  }
  template <class Field>
  static Option<Options> row(std::string key, Field MqttConnectionOptions::*field, Necessity necessity,
                             std::string doc) {
    return option<Options, Field>(std::move(key), in(field), necessity, std::move(doc));
  }
};

/// What single keys cannot say: the URL's form, keys of TLS beside a plain URL, durations out of range.
void check_mqtt_connection(const OptionMap& map, const MqttConnectionOptions& options,
                           std::vector<OptionError>& errors);

/// "option 'keep-alive': expected …" at the key's value.
void wrong_mqtt_value(std::vector<OptionError>& errors, std::string key, const std::string& message);

/// An interval that is waited for: more than 0, and at most 36500 d.
void check_mqtt_interval(const std::string& key, Micros interval, std::vector<OptionError>& errors);

/// The client's options as far as the connection goes; `default_client_id` unless one is given.
MqttClientOptions client_options_of(const MqttConnectionOptions& options,
                                    const std::string& default_client_id);

}  // namespace leat::sources
