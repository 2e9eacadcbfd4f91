// The http sink and tests/support/http_receiver.py.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/contract/sinks/external_process.h"
#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/temporary_folder.h"

namespace leat::contract {

/// A request as the receiver saw it.
struct SeenRequest {
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;  ///< Base64 of the bytes.
  std::string text;  ///< Decompressed.
  int status = 0;    ///< 0: none was sent.
  bool taken = false;

  [[nodiscard]] std::string header(const std::string& name) const;
};

class HttpHarness final : public RemoteHarness {
 public:
  /// More arguments for the receiver.
  explicit HttpHarness(std::vector<std::string> arguments = {});

  std::unique_ptr<sinks::Sink> build() override { return build_with({}); }
  std::unique_ptr<sinks::Sink> build_with(const OptionMap& more);
  std::unique_ptr<sinks::Sink> build_for_nobody() override;
  std::unique_ptr<sinks::Sink> build_unwelcome() override;
  Payloads arrived() override;
  void go_away() override;
  void come_back() override;

  /// What the receiver does with the next requests.
  void script(const std::string& steps) const;
  [[nodiscard]] std::vector<SeenRequest> requests() const;
  [[nodiscard]] std::string url(const std::string& path) const;

 private:
  void start(const std::string& port);

  TemporaryFolder folder_;
  std::vector<std::string> arguments_;
  std::string port_;
  std::unique_ptr<ExternalProcess> receiver_;
  Payloads before_;  ///< What had arrived before the receiver went away.
};

}  // namespace leat::contract
