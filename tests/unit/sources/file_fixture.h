// A filesystem source over a folder of its own, and what has come of it so far.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "sources/filesystem/filesystem_source.h"
#include "tests/support/eventually.h"
#include "tests/support/temporary_folder.h"

namespace leat::sources {

struct FileFixture {
  test::TemporaryFolder folder;
  OptionMap options;
  formats::RecordSplitter splitter;
  formats::RecordSplitter header_splitter;
  bool is_text = true;
  std::vector<std::string> metadata{"file.name", "file.size"};
  Schema partitions;
  std::string position;
  std::unique_ptr<Intake> intake = make_memory_intake({.size = {1 << 20}}, WhenFull::kWait);
  std::unique_ptr<Source> source;
  std::unique_ptr<PositionTracker> tracker;
  std::vector<Message> messages;
  std::vector<HeapPtr> memory;
  bool ended = false;

  FileFixture() { options["path"] = folder.path(); }
  ~FileFixture() {
    if (source) source->stop();
  }
  /// Files of CSV, with a header.
  void with_header(const std::string& use) {
    options["format"] = "csv";
    options["file.header"] = use;
    header_splitter = *formats::find_format("csv")->header_splitter({});
  }
  void follow() { options["source.monitor-interval"] = "1 ms"; }
  Status start(std::size_t chunk_bytes = 64) {
    auto built = filesystem_connector().build(options, {.metadata_keys = metadata,
                                                        .partitions = partitions,
                                                        .now = [] { return std::int64_t{5}; },
                                                        .chunk_bytes = chunk_bytes,
                                                        .splitter = splitter,
                                                        .header_splitter = header_splitter,
                                                        .text = is_text});
    REQUIRE(built.has_value());
    source = *std::move(built);
    tracker = source->tracker(position);
    intake->on_room([this] { source->resume(); });
    return source->start(*intake, position);
  }
  void move(const std::string& from, const std::string& to) const {
    std::filesystem::rename(folder.file(from), folder.file(to));
  }
  /// Ends the source; the next `start` goes on behind `messages` of it.
  void stop() {
    source->stop();
    position = tracker->encode();
    intake = make_memory_intake({.size = {1 << 20}}, WhenFull::kWait);
    messages.clear();
  }
  void pump() {
    auto batch = intake->read(1 << 20);
    REQUIRE(batch.has_value());
    memory.push_back(batch->memory);
    for (const Message& message : batch->messages) {
      messages.push_back(message);
      tracker->consumed(message);
    }
    ended = batch->end;
  }
  std::string text() const {
    std::string all;
    for (const Message& message : messages) all += message.payload;
    return all;
  }
  bool has(const std::string& expected) {
    return test::eventually([&] {
      pump();
      return text() == expected;
    });
  }
  bool ends_with(const std::string& expected) {
    return test::eventually([&] {
             pump();
             return ended;
           }) &&
           text() == expected;
  }
};

}  // namespace leat::sources
