#include "daemon/runtime/trial_sources.h"

#include <algorithm>
#include <utility>

#include "pipelines/formats/lines.h"
#include "pipelines/plan/table.h"

namespace leat::runtime {
namespace {

/// So much at a time goes through the pipeline: it looks at the time between two pieces.
constexpr std::size_t kPieceBytes = 16 * 1024;
/// Of messages that came through a tap and wait; beyond, they are skipped.
constexpr ByteSize kTappedBytes{4ULL << 20};

/// Nobody starts a trial a second time.
class NoPosition final : public sources::PositionTracker {
 public:
  void consumed(const sources::Message&) override {}
  [[nodiscard]] std::string encode() const override { return {}; }
};

class PastedSource final : public sources::Source {
 public:
  PastedSource(std::string text, sources::SourceContext context)
      : text_(std::move(text)), context_(std::move(context)) {}

  Status start(sources::Intake& intake, std::string_view) override {
    for (std::string_view rest = context_.text ? formats::without_byte_order_mark(text_) : text_;
         !rest.empty();) {
      const std::string_view piece = rest.substr(0, piece_of(rest));
      intake.append(piece, {}, {}, context_.now());
      rest.remove_prefix(piece.size());
    }
    intake.end();
    return {};
  }
  void stop() override {}
  [[nodiscard]] sources::SourceHealth health() const override {
    return {.link = sources::SourceHealth::Link::kEnded};
  }
  [[nodiscard]] std::unique_ptr<sources::PositionTracker> tracker(std::string_view) const override {
    return std::make_unique<NoPosition>();
  }

 private:
  /// Whole records.
  [[nodiscard]] std::size_t piece_of(std::string_view rest) const {
    for (std::size_t length = kPieceBytes; length < rest.size(); length *= 2) {
      const std::string_view tried = rest.substr(0, length);
      const std::size_t whole = context_.splitter ? context_.splitter(tried, formats::Behind::kMore)
                                                  : tried.rfind('\n') + 1;  // None: 0.
      if (whole > 0) return whole;
    }
    return rest.size();
  }

  const std::string text_;
  const sources::SourceContext context_;
};

class TappedSource final : public sources::Source {
 public:
  TappedSource(std::unique_ptr<sources::Source> own, std::shared_ptr<MessageTap> tap, MessageTap::Ended ended)
      : own_(std::move(own)), tap_(std::move(tap)), ended_(std::move(ended)) {}

  Status start(sources::Intake& intake, std::string_view) override {
    tap_->connect(intake, ended_);
    return {};
  }
  void stop() override { tap_->disconnect(); }
  [[nodiscard]] sources::SourceHealth health() const override {
    return {.link = sources::SourceHealth::Link::kConnected};
  }
  [[nodiscard]] std::unique_ptr<sources::PositionTracker> tracker(std::string_view) const override {
    return std::make_unique<NoPosition>();
  }
  void append_metadata(const sources::Message& message,
                       std::span<ColumnBuilder* const> columns) const override {
    own_->append_metadata(message, columns);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(
      const sources::Message& message) const override {
    return own_->describe(message);
  }
  [[nodiscard]] bool deletes(const sources::Message& message) const override {
    return own_->deletes(message);
  }
  [[nodiscard]] std::optional<sources::Refusal> refuse(const sources::Message& message) const override {
    return own_->refuse(message);
  }
  [[nodiscard]] std::unique_ptr<formats::Decoder> own_decoder() const override { return own_->own_decoder(); }

 private:
  const std::unique_ptr<sources::Source> own_;
  const std::shared_ptr<MessageTap> tap_;
  const MessageTap::Ended ended_;
};

}  // namespace

sources::SourceConnector pasted_source(std::string text) {
  sources::SourceConnector connector;
  connector.info.name = "pasted";
  connector.intake = sources::IntakeKind::kJournal;  // Of one in memory, `append` would wait for the loop.
  connector.framing = formats::Framing::kLines;
  connector.build = [text = std::move(text)](const OptionMap&, const sources::SourceContext& context)
      -> Result<std::unique_ptr<sources::Source>> { return std::make_unique<PastedSource>(text, context); };
  return connector;
}

sources::SourceConnector tapped_source(const sources::SourceConnector& own, std::shared_ptr<MessageTap> tap,
                                       MessageTap::Ended ended) {
  sources::SourceConnector connector = own;
  connector.intake = sources::IntakeKind::kJournal;
  connector.intake_options = [](const OptionMap&) { return sources::IntakeOptions{.size = kTappedBytes}; };
  connector.build = [build = own.build, tap = std::move(tap), ended = std::move(ended)](
                        const OptionMap& options,
                        const sources::SourceContext& context) -> Result<std::unique_ptr<sources::Source>> {
    LEAT_ASSIGN(std::unique_ptr<sources::Source> source, build(options, context));
    return std::make_unique<TappedSource>(std::move(source), tap, ended);
  };
  return connector;
}

sources::SourceConnector over_tables(const sources::SourceConnector& own, sources::LocalTableReader& tables) {
  sources::SourceConnector connector = own;
  connector.build = [build = own.build, &tables](const OptionMap& options,
                                                 const sources::SourceContext& context) {
    sources::SourceContext other = context;
    other.tables = &tables;
    return build(options, other);
  };
  return connector;
}

std::shared_ptr<const plan::ScanNode> as_own_table(const plan::ScanNode& scan) {
  auto own = std::make_shared<plan::ScanNode>(scan);
  own->connector = "sqlite";
  own->options.clear();
  return own;
}

std::shared_ptr<const plan::ScanNode> as_pasted(const plan::ScanNode& scan) {
  auto pasted = std::make_shared<plan::ScanNode>(scan);
  pasted->connector = "pasted";
  pasted->bounded = true;
  if (!pasted->options.contains("format") && !pasted->options.contains("value.format"))
    pasted->options["format"] = "json";
  plan::without_splits(*pasted);
  for (const plan::ScanNode::Metadata& metadata : pasted->metadata) {
    pasted->physical_wanted.push_back(pasted->physical.size());
    pasted->physical.fields.push_back({metadata.key, metadata.type});
  }
  pasted->metadata.clear();
  pasted->partitions = {};
  return pasted;
}

}  // namespace leat::runtime
