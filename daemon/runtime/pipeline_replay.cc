// Dead letters that come back: a letter of a source is put through the dataflow as a message that has just
// come in. It has no position: positions say what has been read of the source, and that stays as it is.
#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "daemon/runtime/pipeline_parts.h"
#include "pipelines/formats/format.h"

namespace leat::runtime {
namespace {

constexpr std::string_view kSourceOrigin = "source ";

/// One piece of memory that holds all bytes of the letters, each payload padded as decoders want it.
struct Copied {
  std::vector<sources::Message> messages;
  HeapPtr memory;
};

Copied copy_messages(std::span<const store::DeadLetterRow> letters, std::int64_t now) {
  std::size_t size = 0;
  for (const auto& [id, pipeline, letter, kept] : letters)
    size += letter.key.size() + letter.attributes.size() + letter.payload.size() + formats::kPayloadPadding;
  const std::shared_ptr<char[]> bytes = std::make_shared<char[]>(size);
  char* end = bytes.get();
  const auto copy = [&end](std::string_view text) {
    if (!text.empty()) std::memcpy(end, text.data(), text.size());
    end += text.size();
    return std::string_view(end - text.size(), text.size());
  };
  Copied copied{.messages = {}, .memory = bytes};
  for (const auto& [id, pipeline, letter, kept] : letters) {
    sources::Message message{.number = {}, .intake_time = now};
    message.key = copy(letter.key);
    message.attributes = copy(letter.attributes);
    message.payload = copy(letter.payload);
    end += formats::kPayloadPadding;
    copied.messages.push_back(message);
  }
  return copied;
}

}  // namespace

/// The input that a letter came from; an error says why it cannot go back there.
Result<std::size_t> Pipeline::input_of(const store::DeadLetterRow& row) const {
  const bool runs = state_ == PipelineState::kRunning;
  if (state_ == PipelineState::kStalled)
    return fail(ErrorCode::kUnavailable, fmt::format("pipeline '{}' waits: {}", name_.value, waiting_for_));
  if (!runs || draining_)
    return fail(ErrorCode::kUnavailable, fmt::format("pipeline '{}' does not run: it is {}", name_.value,
                                                     runs ? "ending" : to_string(state_)));
  const std::string_view origin = row.letter.origin;
  if (!origin.starts_with(kSourceOrigin))
    return fail(
        ErrorCode::kInvalid,
        fmt::format("it comes from {}: only the letters of a source hold a message that can be put back",
                    origin));
  if (row.kept_bytes < row.letter.payload_bytes)
    return fail(ErrorCode::kInvalid,
                fmt::format("only {} of its {} bytes were kept", row.kept_bytes, row.letter.payload_bytes));
  const std::string_view table = origin.substr(kSourceOrigin.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (plan_.scans[i]->table != table) continue;
    if (!inputs_[i]->finished) return i;
    return fail(ErrorCode::kInvalid, fmt::format("the source '{}' is read to its end", table));
  }
  return fail(ErrorCode::kInvalid, fmt::format("the pipeline has no source '{}' any more", table));
}

void Pipeline::replay(std::vector<store::DeadLetterRow> letters, ReplayDone done) {
  ReplayOutcome outcome;
  std::vector<store::DeadLetterRow> usable;
  for (store::DeadLetterRow& row : letters) {
    if (const auto index = input_of(row); !index)
      outcome.refused.push_back({row.id, index.error().message});
    else
      usable.push_back(std::move(row));
  }
  replays_.add(std::move(usable), std::move(outcome), std::move(done));
  wake_->send();
}

Result<Pipeline::Step> Pipeline::step_replay() {
  const auto letters = replays_.next(context_.batch_bytes);
  const Result<std::size_t> index = input_of(letters.front());
  if (!index) {  // Its source has come to its end since.
    replays_.refuse(letters.size(), index.error().message);
    return Step::kWorked;
  }
  const std::size_t dead_before = dead_letters_.size();
  LEAT_TRY(push_replayed(*index, letters));
  replays_.pushed(letters.size(), dead_letters_.size() - dead_before);
  return Step::kWorked;
}

Status Pipeline::push_replayed(std::size_t index, std::span<const store::DeadLetterRow> letters) {
  const Copied copied = copy_messages(letters, context_.clock->wall());
  Batch batch = inputs_[index]->reader->replay(copied.messages, copied.memory, dead_letters_);
  if (batch.size == 0) return {};
  LEAT_ASSIGN(exec::Prepared prepared, dataflow_->prepare(index, std::move(batch)));
  show_rows(inputs_[index]->tap, prepared.batch);
  return dataflow_->push(index, std::move(prepared.batch));
}

}  // namespace leat::runtime
