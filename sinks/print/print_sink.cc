#include "sinks/print/print_sink.h"

#include <fmt/format.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "pipelines/base/flink_option.h"
#include "sinks/connector.h"

namespace leat::sinks {

namespace {

struct PrintOptions {
  std::string identifier;
  bool standard_error = false;
};

const OptionTable<PrintOptions>& print_options() {
  static const OptionTable<PrintOptions> table{
      option("print-identifier", &PrintOptions::identifier, Necessity::kOptional,
             "Text before each line, followed by '> '."),
      option("standard-error", &PrintOptions::standard_error, Necessity::kOptional,
             "Print to standard error in place of standard output."),
      flink_option<PrintOptions, std::uint32_t>("sink.parallelism",
                                                "One thread prints the rows, in their order.")};
  return table;
}

class PrintSink final : public Sink {
 public:
  PrintSink(std::FILE* stream, const std::string& identifier)
      : stream_(stream), prefix_(identifier.empty() ? std::string() : identifier + "> ") {}

  Delivery deliver(const Shipment& shipment) override {
    if (interrupted_) return Retry{"interrupted", std::nullopt};
    const auto records = read_blocks(shipment.blocks);
    if (!records) return Retry{records.error().message, std::nullopt, /*paused=*/true};
    std::string lines;
    for (const Record& record : *records) lines.append(prefix_).append(record.payload).push_back('\n');
    const std::size_t written = std::fwrite(lines.data(), 1, lines.size(), stream_);
    if (written != lines.size() || std::fflush(stream_) != 0) {
      const int reason = errno;
      std::clearerr(stream_);
      return Retry{fmt::format("printing: {}", std::strerror(reason)), std::nullopt};
    }
    return Delivered{};
  }

  void interrupt() override { interrupted_ = true; }

 private:
  std::FILE* stream_;  // The process's own stream, or a test's; outlives the sink.
  std::string prefix_;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace

std::unique_ptr<Sink> make_print_sink(std::FILE* stream, const std::string& identifier) {
  return std::make_unique<PrintSink>(stream, identifier);
}

SinkConnector print_connector() {
  SinkConnector connector = sink_connector<PrintOptions>(
      "print", "Prints every change as a line, for trying a pipeline out.", print_options);
  connector.info.changes = plan::SinkChanges::kRetract;
  connector.encoding = Encoding::kChangelog;
  connector.build = [](const OptionMap& map, const SinkContext&) -> Result<std::unique_ptr<Sink>> {
    const PrintOptions options = validated_options(print_options(), map);
    return make_print_sink(options.standard_error ? stderr : stdout, options.identifier);
  };
  return connector;
}

}  // namespace leat::sinks
