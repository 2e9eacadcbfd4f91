// The http sink over TLS: whom it believes, and how it shows who it is.
#include <doctest/doctest.h>

#include "tests/contract/sinks/external_process.h"
#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/http_harness.h"
#include "tests/contract/sinks/temporary_folder.h"

using namespace leat;
using namespace leat::contract;
using namespace leat::sinks;

namespace {

/// A self-signed certificate for `name`, its own authority: NAME.pem and NAME.key in the folder.
void make_certificate(const std::string& folder, const std::string& file, const std::string& name) {
  const std::string base = folder + "/" + file;
  ExternalProcess openssl({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test",
                           "-addext", "subjectAltName=" + name, "-keyout", base + ".key", "-out",
                           base + ".pem"});
  REQUIRE(openssl.exit_code() == 0);
}

struct TlsReceiver {
  TemporaryFolder folder;
  ExternalProcess receiver;
  std::string port;

  explicit TlsReceiver(const std::string& name)
      : receiver((make_certificate(folder.path(), "server", name),
                  make_certificate(folder.path(), "client", "DNS:gw"),
                  std::vector<std::string>{"python3", support_script("http_receiver.py"), "--tls-certificate",
                                           file("server.pem"), "--tls-key", file("server.key"),
                                           "--tls-client-ca", file("client.pem")})),
        port(receiver.hear("port").value_or("")) {}

  [[nodiscard]] std::string file(const std::string& name) const { return folder.path() + "/" + name; }

  [[nodiscard]] Delivery deliver(OptionMap more) const {
    more.emplace("url", "https://localhost:" + port + "/in");
    return build_sink("http", more)->deliver(make_shipment(1, {R"({"n":1})"}));
  }
  [[nodiscard]] OptionMap with_client_certificate(OptionMap more) const {
    more.emplace("tls.certificate-file", file("client.pem"));
    more.emplace("tls.key-file", file("client.key"));
    return more;
  }
};

}  // namespace

TEST_CASE("a server whose authority is trusted is delivered to, with the client's certificate") {
  const TlsReceiver tls("DNS:localhost");
  CHECK(delivered(tls.deliver(tls.with_client_certificate({{"tls.ca-file", tls.file("server.pem")}}))));
}

TEST_CASE("a server that nobody vouches for pauses the sink, unless verification is off") {
  const TlsReceiver tls("DNS:localhost");
  CHECK(paused(tls.deliver(tls.with_client_certificate({}))));
  CHECK(delivered(tls.deliver(tls.with_client_certificate({{"tls.verification", "none"}}))));
}

TEST_CASE("a certificate of another host pauses the sink") {
  const TlsReceiver tls("DNS:elsewhere.example");
  CHECK(paused(tls.deliver(tls.with_client_certificate({{"tls.ca-file", tls.file("server.pem")}}))));
}

TEST_CASE(
    "a client without a certificate is not delivered for, and authorities that are missing pause the sink") {
  const TlsReceiver tls("DNS:localhost");
  CHECK(retried(tls.deliver({{"tls.ca-file", tls.file("server.pem")}})));
  CHECK(paused(tls.deliver(tls.with_client_certificate({{"tls.ca-file", tls.file("missing.pem")}}))));
}
