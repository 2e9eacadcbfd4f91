// The options of 'connector' = 'http' as a source.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/formats/format.h"
#include "sources/http/http_ports.h"
#include "sources/journal_options.h"

namespace leat::sources {

struct HttpSourceOptions : JournalOptions {
  std::string listen;
  std::string path = "/";
  Secret token;
  bool insecure = false;
  std::string certificate_file;
  std::string key_file;
  std::string client_ca_file;
  formats::Framing body = formats::Framing::kMessage;
  ByteSize max_body{1U << 20};
  std::uint32_t max_connections = 64;
  Micros request_timeout{30 * kMicrosPerSecond};
  std::uint32_t remembered_keys = 16'384;
};

const OptionTable<HttpSourceOptions>& http_source_options();

/// Reads and judges; appends what is wrong. The options are complete only when nothing was appended.
HttpSourceOptions read_http_source_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                           std::vector<OptionError>& errors);
/// For options that were found right before.
HttpSourceOptions read_http_source_options(const OptionMap& map);

/// Whether the port may be opened at all; the reason why not. A port that other machines reach asks for a
/// token or for certificates, or its user has said that anyone may come.
Status check_http_exposure(const HttpSourceOptions& options);

HttpPortSettings port_settings_of(const HttpSourceOptions& options);

}  // namespace leat::sources
