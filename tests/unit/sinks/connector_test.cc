#include "sinks/connector.h"

#include <doctest/doctest.h>

using namespace leat;
using namespace leat::sinks;

namespace {

std::string name_of(const std::string& pipeline, const std::string& table, Shipment shipment = {}) {
  SinkContext context;
  context.pipeline = {pipeline};
  context.table = {table};
  shipment.store = {"abc"};
  shipment.number = {7};
  return shipment_name(context, shipment);
}

}  // namespace

TEST_CASE("a shipment's name holds store, pipeline, table and number") {
  CHECK(name_of("site-power", "upstream") == "abc:site-power:upstream:7");
}

TEST_CASE("names of other pipelines and tables never meet") {
  CHECK(name_of("a:b", "c") != name_of("a", "b:c"));
  CHECK(name_of("a%3Ab", "c") != name_of("a:b", "c"));
  CHECK(name_of("größe", "t") == "abc:gr%C3%B6%C3%9Fe:t:7");
}

TEST_CASE("a slice of a shipment has a name of its own") {
  Shipment slice;
  slice.part = Shipment::Part{4, 2};
  CHECK(name_of("p", "t", slice) == "abc:p:t:7:4+2");
}
