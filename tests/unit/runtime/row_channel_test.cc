#include "daemon/runtime/row_channel.h"

#include <doctest/doctest.h>

#include "daemon/runtime/message_tap.h"
#include "pipelines/base/time.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/column/text.h"

using namespace leat;
using namespace leat::runtime;

namespace {

constexpr std::chrono::milliseconds kNoWait{0};

Batch batch(std::size_t rows, const std::string& text = "x") {
  ColumnBuilder texts(Type::string());
  for (std::size_t row = 0; row < rows; ++row) texts.append_string(text);
  Batch made{.size = rows};
  made.columns = {texts.finish()};
  return made;
}

std::shared_ptr<RowChannel> channel(RowChannel::Bounds bounds = {}) {
  return std::make_shared<RowChannel>(Schema{{{"t", Type::string()}}}, "UTC", bounds);
}

std::size_t count(const RowChannel::Seen& seen) {
  std::size_t rows = 0;
  for (const auto& each : seen.rows) rows += each->size;
  return rows;
}

}  // namespace

TEST_CASE("copied rows keep none of the memory that they were copied from") {
  const auto memory = std::make_shared<std::string>("abcdef");
  ColumnBuilder texts(Type::string());
  texts.keep(memory);
  texts.append_view(std::string_view(*memory).substr(0, 3));
  texts.append_view(std::string_view(*memory).substr(3));
  Batch original{.size = 2};
  original.columns = {texts.finish()};
  original.kinds = {RowKind::kInsert, RowKind::kDelete};
  const Batch copy = copy_rows(original, 1, 1);
  original = {};
  texts = ColumnBuilder(Type::string());
  CHECK(memory.use_count() == 1);
  std::string text;
  append_row_text(copy, 0, {}, text);
  CHECK(text == "-D[def]");
}

TEST_CASE("what does not fit into a reader's ring is skipped and counted") {
  const auto rows = channel({.rows = 10, .bytes = 1'000});
  for (int i = 0; i < 5; ++i) rows->put({{std::make_shared<const Batch>(batch(3)), 30}});
  const RowChannel::Seen seen = rows->wait(kNoWait);
  CHECK(count(seen) == 9);
  CHECK(seen.skipped == 6);
  rows->put({{std::make_shared<const Batch>(batch(1)), 2'000}});  // Alone it may be as large as it is.
  rows->put({{std::make_shared<const Batch>(batch(1)), 1}});
  const RowChannel::Seen next = rows->wait(kNoWait);
  CHECK(count(next) == 1);
  CHECK(next.skipped == 1);
}

TEST_CASE("the first reason of an end stays, and nothing follows it") {
  const auto rows = channel();
  rows->end("first");
  rows->end("second");
  rows->put({{std::make_shared<const Batch>(batch(1)), 1}});
  const RowChannel::Seen seen = rows->wait(kNoWait);
  CHECK(seen.ended == "first");
  CHECK(seen.rows.empty());
}

TEST_CASE("a tap copies so many rows a second, however many come and whoever reads") {
  RowTap tap;
  const auto first = channel();
  const auto second = channel();
  tap.add(first);
  tap.add(second);
  std::int64_t now = 100 * kMicrosPerSecond;
  tap.rows(batch(5'000), now);
  CHECK(count(first->wait(kNoWait)) == 1'000);
  const RowChannel::Seen seen = second->wait(kNoWait);
  CHECK(count(seen) == 1'000);
  CHECK(seen.skipped == 4'000);
  tap.rows(batch(5'000), now += kMicrosPerSecond / 10);
  tap.rows(batch(5'000), now);
  CHECK(count(first->wait(kNoWait)) == 0);  // Readers are woken a few times a second only.
  tap.tick(now += kMicrosPerSecond / 10);
  const RowChannel::Seen next = first->wait(kNoWait);
  CHECK(count(next) == 100);
  CHECK(next.skipped == 9'900);
}

TEST_CASE("a tap copies so many bytes a second") {
  RowTap tap;
  const auto rows = channel({.rows = 10'000, .bytes = 100 << 20});
  tap.add(rows);
  tap.rows(batch(100, std::string(100'000, 'x')), kMicrosPerSecond);
  CHECK(count(rows->wait(kNoWait)) == 11);
}

TEST_CASE("a reader that has left is forgotten, and costs nothing") {
  RowTap tap;
  CHECK(tap.idle());
  const auto rows = channel();
  tap.add(rows);
  CHECK_FALSE(tap.idle());
  rows->leave();
  tap.tick(kMicrosPerSecond);
  CHECK(tap.idle());
  CHECK(rows.use_count() == 1);
}

TEST_CASE("readers get what was copied, and are told, when the tap goes") {
  const auto rows = channel();
  {
    RowTap tap;
    tap.add(rows);
    tap.rows(batch(1), 100 * kMicrosPerSecond);
    tap.rows(batch(2), 100 * kMicrosPerSecond + 1);
  }
  const RowChannel::Seen seen = rows->wait(kNoWait);
  CHECK(count(seen) == 3);
  CHECK(seen.ended == "the pipeline has ended");
}

TEST_CASE("messages go through a tap into the intake, those that do not fit are counted") {
  MessageTap tap;
  const std::string payload(1'000, 'p');
  const std::vector<sources::Message> messages(
      10, {.number = {}, .intake_time = 7, .payload = payload, .key = "k"});
  tap.offer(messages);  // Nobody is there yet.
  const auto intake = sources::make_memory_intake({.size = ByteSize{5'000}}, sources::WhenFull::kNever);
  std::string why;
  tap.connect(*intake, [&](const std::string& sentence) { why = sentence; });
  tap.offer(messages);
  CHECK(tap.skipped() >= 5);
  CHECK(intake->queued_messages() == 10 - tap.skipped());
  const auto read = intake->read(1);
  REQUIRE(read);
  CHECK(read->messages.at(0).payload == payload);
  CHECK(read->messages.at(0).intake_time == 7);
  tap.end("over");
  tap.end("again");
  CHECK(why == "over");
  tap.disconnect();
  CHECK(tap.left());
}
