#include "sinks/kafka/kafka_outcome.h"

#include <doctest/doctest.h>
#include <librdkafka/rdkafka.h>

using namespace leat;
using namespace leat::sinks;

namespace {

constexpr bool kLocally = true;
constexpr bool kByBroker = false;

ProduceReport failed(std::vector<FailedRecord> records) {
  return {std::move(records), 0, "", false, {}};
}

}  // namespace

TEST_CASE("a shipment without failures is delivered") {
  CHECK(std::holds_alternative<Delivered>(outcome_of(ProduceReport{})));
}

TEST_CASE("records that are too large are rejected by their indexes") {
  const Delivery outcome = outcome_of(failed({{2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kLocally},
                                              {5, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kLocally}}));
  CHECK(std::get<Rejected>(outcome).records == std::vector<std::uint32_t>{2, 5});
}

TEST_CASE("a batch that the broker refuses names no record, a single one does") {
  const FailedRecord first{0, RD_KAFKA_RESP_ERR_INVALID_RECORD, kByBroker};
  const FailedRecord second{1, RD_KAFKA_RESP_ERR_INVALID_RECORD, kByBroker};
  CHECK(std::get<Rejected>(outcome_of(failed({first, second}))).records.empty());
  CHECK(std::get<Rejected>(outcome_of(failed({second}))).records == std::vector<std::uint32_t>{1});
}

TEST_CASE("nothing is rejected while another record may still go through") {
  const Delivery outcome = outcome_of(failed({{0, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kLocally},
                                              {1, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, kByBroker}}));
  REQUIRE(std::holds_alternative<Retry>(outcome));
  CHECK_FALSE(std::get<Retry>(outcome).paused);
}

TEST_CASE("a missing topic, missing rights and wrong credentials pause the sink") {
  for (const int code : {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                         RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED})
    CHECK(std::get<Retry>(outcome_of(failed({{0, code, kByBroker}}))).paused);
  ProduceReport purged = failed({{0, RD_KAFKA_RESP_ERR__PURGE_QUEUE, kByBroker}});
  purged.event_code = RD_KAFKA_RESP_ERR__AUTHENTICATION;
  purged.event_reason = "bad password";
  CHECK(std::get<Retry>(outcome_of(purged)).paused);
  CHECK(std::get<Retry>(outcome_of(purged)).reason.find("bad password") != std::string::npos);
}
