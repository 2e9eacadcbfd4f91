// The sinks whose other side is this machine.
#pragma once

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "sinks/print/print_sink.h"
#include "tests/contract/sinks/harness.h"
#include "tests/contract/sinks/temporary_folder.h"

namespace leat::contract {

class FilesystemHarness final : public RemoteHarness {
 public:
  std::unique_ptr<sinks::Sink> build() override { return build_with({}); }

  std::unique_ptr<sinks::Sink> build_with(const OptionMap& more) {
    OptionMap options = more;
    options.emplace("path", path());
    sinks::SinkContext context = test_context();
    context.now = [this] { return now; };
    context.header = header;
    return build_sink("filesystem", options, context);
  }

  /// A file stands where the folder should be: nobody can write below it.
  std::unique_ptr<sinks::Sink> build_for_nobody() override {
    std::ofstream(root_.path() + "/file") << "in the way";
    return build_with({{"path", root_.path() + "/file/below"}});
  }
  void go_away() override {
    std::filesystem::rename(path(), root_.path() + "/aside");
    std::ofstream(path()) << "in the way";
  }
  void come_back() override {
    std::filesystem::remove(path());
    std::filesystem::rename(root_.path() + "/aside", path());
  }
  /// Somebody has cut the file that the sink's state speaks of.
  std::unique_ptr<sinks::Sink> build_unwelcome() override {
    auto sink = build();
    unwelcome_state = std::get<sinks::Delivered>(sink->deliver(make_shipment(1, {"cut later"}))).sink_state;
    for (const std::string& name : names()) std::filesystem::resize_file(path() + "/" + name, 3);
    return sink;
  }

  Payloads arrived() override {
    Payloads lines;
    for (const std::string& name : names()) {
      std::ifstream file(path() + "/" + name);
      for (std::string line; std::getline(file, line);) lines.push_back(line);
    }
    return lines;
  }

  /// In the order of their numbers, whether hidden or not.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    if (std::filesystem::is_directory(path()))
      for (const auto& entry : std::filesystem::directory_iterator(path()))
        all.push_back(entry.path().filename());
    const auto number = [](const std::string& name) { return name.substr(name.rfind('~')); };
    std::sort(all.begin(), all.end(), [&](const auto& a, const auto& b) { return number(a) < number(b); });
    return all;
  }
  [[nodiscard]] std::string path() const { return root_.path() + "/out"; }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream file(path() + "/" + name, std::ios::binary);
    return (std::ostringstream() << file.rdbuf()).str();
  }

  std::int64_t now = 0;
  std::string header;
  std::string unwelcome_state;

 private:
  TemporaryFolder root_;
};

class PrintHarness final : public SinkHarness {
 public:
  ~PrintHarness() override { std::fclose(stream_); }
  std::unique_ptr<sinks::Sink> build() override { return sinks::make_print_sink(stream_, ""); }
  std::unique_ptr<sinks::Sink> build_named(const std::string& name) {
    return sinks::make_print_sink(stream_, name);
  }

  Payloads arrived() override {
    Payloads lines;
    std::ifstream file(folder_.path() + "/terminal");
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

 private:
  TemporaryFolder folder_;
  std::FILE* stream_ = std::fopen((folder_.path() + "/terminal").c_str(), "we");
};

class BlackholeHarness final : public SinkHarness {
 public:
  std::unique_ptr<sinks::Sink> build() override { return build_sink("blackhole", {}); }
  Payloads arrived() override { return {}; }
};

}  // namespace leat::contract
