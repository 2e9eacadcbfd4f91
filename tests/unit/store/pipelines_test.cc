// Deployed texts, identities, renaming, and what is purged of pipelines.
#include "tests/unit/store/store_fixture.h"

namespace leat::store {
namespace {

const PipelineName kOther{"mill"};

struct PipelinesFixture : BothStores {
  PipelineStore& pipelines() { return store->pipelines(); }
  std::string identity(const PipelineName& pipeline) { return pipelines().identity(pipeline)->value; }
  /// A commit with state, a position and a block.
  void commit_something(const PipelineName& pipeline) {
    Commit commit = next_commit(pipeline);
    commit.positions.push_back({{"readings"}, "here"});
    commit.state.push_back({"0123", "key", false, "value"});
    commit.state.push_back({"source readings", "page", false, "deliveries"});
    commit.blocks.push_back({kSink, 3, "block", 1'000});
    commit.counters = "counters";
    REQUIRE(write(std::move(commit)));
  }
  OutboxStatus outbox(const PipelineName& pipeline) {
    const auto all = store->outbox_status();
    for (const OutboxStatus& one : *all)
      if (one.pipeline == pipeline) return one;
    return {};
  }
};

TEST_CASE_FIXTURE(PipelinesFixture, "a deployed text is there with its version until it is removed") {
  on_both([this] {
    CHECK(pipelines().deployed()->empty());
    REQUIRE(pipelines().deploy({kPipeline, 1, "first", 5}));
    REQUIRE(pipelines().deploy({kPipeline, 2, "second; --  '${env:PASSWORD}'", 6}));
    const auto deployed = *pipelines().deployed();
    REQUIRE(deployed.size() == 1);
    CHECK(deployed[0].version == 2);
    CHECK(deployed[0].sql == "second; --  '${env:PASSWORD}'");
    REQUIRE(store->set_paused(kPipeline, true));
    REQUIRE(pipelines().remove(kPipeline));
    CHECK(pipelines().deployed()->empty());
    CHECK_FALSE(store->is_paused(kPipeline));
  });
}

TEST_CASE_FIXTURE(PipelinesFixture, "a deployed text survives the store's closing") {
  REQUIRE(open());
  REQUIRE(pipelines().deploy({kPipeline, 3, "text", 5}));
  reopen();
  REQUIRE(pipelines().deployed()->size() == 1);
  CHECK(pipelines().deployed()->at(0).version == 3);
}

TEST_CASE_FIXTURE(PipelinesFixture, "renaming moves everything, and the identity stays with the pipeline") {
  on_both([this] {
    commit_something(kPipeline);
    REQUIRE(pipelines().deploy({kPipeline, 4, "old text", 5}));
    REQUIRE(store->set_paused(kPipeline, true));
    REQUIRE(store->set_paused(kPipeline, kSink, true));
    REQUIRE(pipelines().rename(kPipeline, kOther, "new text"));
    const SavedPipeline saved = *store->load(kOther);
    CHECK(saved.last_commit.value == 1);
    CHECK(saved.positions.at(0).position == "here");
    CHECK(saved.state.size() == 2);
    CHECK(store->load(kPipeline)->last_commit.value == 0);
    CHECK(outbox(kOther).records == 3);
    CHECK(store->outbox_level(kOther, kSink).records == 3);
    CHECK(store->outbox_level(kPipeline, kSink).records == 0);
    CHECK(pipelines().deployed()->at(0).sql == "new text");
    CHECK(pipelines().deployed()->at(0).version == 4);
    CHECK(store->is_paused(kOther));
    CHECK(store->is_paused(kOther, kSink));
    CHECK_FALSE(store->is_paused(kPipeline));
    CHECK(identity(kOther) == "plant");
    CHECK(identity(kPipeline) == "plant~2");
  });
}

TEST_CASE_FIXTURE(PipelinesFixture, "an identity is never given twice") {
  on_both([this] {
    REQUIRE(pipelines().deploy({kPipeline, 1, "a", 5}));
    REQUIRE(pipelines().rename(kPipeline, kOther, "a"));
    REQUIRE(pipelines().deploy({kPipeline, 1, "b", 5}));
    REQUIRE(pipelines().rename(kPipeline, {"third"}, "b"));
    CHECK(identity(kOther) == "plant");
    CHECK(identity({"third"}) == "plant~2");
    CHECK(identity(kPipeline) == "plant~3");
    REQUIRE(pipelines().rename(kOther, kPipeline, "a"));
    CHECK(identity(kPipeline) == "plant");
    REQUIRE(pipelines().rename(kPipeline, kOther, "a"));
    CHECK(identity(kPipeline) == "plant~4");
  });
}

TEST_CASE_FIXTURE(PipelinesFixture, "a name that has parts is not taken, one that has none is not renamed") {
  on_both([this] {
    commit_something(kPipeline);
    commit_something(kOther);
    CHECK(pipelines().rename(kPipeline, kOther, "").error().code == ErrorCode::kConflict);
    CHECK(pipelines().rename({"nobody"}, {"third"}, "").error().code == ErrorCode::kNotFound);
    CHECK(store->load(kPipeline)->positions.size() == 1);
    CHECK(identity(kPipeline) == "plant");
  });
}

TEST_CASE_FIXTURE(PipelinesFixture, "what is kept is told, and gone when it is purged") {
  on_both([this] {
    commit_something(kPipeline);
    commit_something(kOther);
    const KeptParts parts = *pipelines().kept(kPipeline);
    CHECK(parts.last_commit.value == 1);
    CHECK(parts.entries() == 2);
    CHECK(parts.positions == std::vector<TableName>{{"readings"}});
    CHECK(pipelines().kept()->size() == 2);
    REQUIRE(pipelines().purge_state(kPipeline, {}));
    CHECK(pipelines().kept(kPipeline)->entries() == 0);
    CHECK(store->load(kPipeline)->state.empty());
    CHECK(store->load(kPipeline)->positions.empty());
    CHECK(pipelines().kept(kOther)->entries() == 2);
  });
}

TEST_CASE_FIXTURE(PipelinesFixture,
                  "a position whose journal stays is kept, with what its source remembers") {
  on_both([this] {
    commit_something(kPipeline);
    REQUIRE(pipelines().purge_state(kPipeline, {{"readings"}}));
    const SavedPipeline saved = *store->load(kPipeline);
    REQUIRE(saved.positions.size() == 1);
    REQUIRE(saved.state.size() == 1);
    CHECK(saved.state[0].node == "source readings");
    CHECK(saved.counters.empty());
    CHECK(saved.last_commit.value == 1);
  });
}

TEST_CASE_FIXTURE(PipelinesFixture, "purging an outbox drops and counts, but not the shipment under way") {
  on_both([this] {
    put_block(2, "first");
    const auto shipment = *next({.max_records = 1});
    put_block(5, "second");
    put_block(7, "third");
    CHECK(*pipelines().purge_outbox(kPipeline, kSink) == 12);
    CHECK(status().dropped == 12);
    CHECK(status().records == 2);
    CHECK(status().dropped_by.oldest == 0);
    CHECK((*next())->number == shipment->number);
    REQUIRE(settle({.number = shipment->number, .sink_state = {}, .delivered = 2, .rejected = {}}));
    CHECK(status().records == 0);
    CHECK(*pipelines().purge_outbox(kPipeline, {"nobody"}) == 0);
  });
}

TEST_CASE_FIXTURE(PipelinesFixture, "an outbox that is forgotten takes a half settled shipment with it") {
  on_both([this] {
    put_block(4, "first");
    const auto shipment = *next();
    REQUIRE(split(shipment->number, 0, 1));
    REQUIRE(settle({.number = shipment->number,
                    .sink_state = {},
                    .delivered = 1,
                    .rejected = {},
                    .first = 0,
                    .next_part = 1}));
    put_block(5, "second");
    CHECK(*pipelines().purge_outboxes(kPipeline, ShipmentNumbers::kBeginAnew) == 8);
    CHECK(store->outbox_status()->empty());
    CHECK(store->outbox_level(kPipeline, kSink).records == 0);
    CHECK(identity(kPipeline) == "plant~2");
    put_block(1, "anew");
    CHECK((*next())->number.value == 1);
  });
}

TEST_CASE_FIXTURE(PipelinesFixture, "a purge that goes on keeps the numbers") {
  on_both([this] {
    put_block(4, "first");
    REQUIRE(next());
    put_block(5, "second");
    CHECK(*pipelines().purge_outboxes(kPipeline, ShipmentNumbers::kGoOn) == 5);
    CHECK(status().records == 4);
    CHECK(identity(kPipeline) == "plant");
  });
}

}  // namespace
}  // namespace leat::store
