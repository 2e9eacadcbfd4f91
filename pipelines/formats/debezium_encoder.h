// Changes into Debezium's events, as Flink writes them: +I and +U are creates of `after`, -U and -D deletes
// of `before`.
#pragma once

#include <string>
#include <string_view>

#include "pipelines/formats/debezium_options.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/json_encoder.h"

namespace leat::formats {

class DebeziumEncoder final : public Encoder {
 public:
  DebeziumEncoder(const DebeziumOptions& options, const Schema& schema);

  void encode(const Batch& batch, EncodedSink& out,
              std::vector<std::pair<std::uint32_t, std::string>>& bad) override;

 private:
  JsonEncoder rows_;
  std::string no_before_;  // What stands for an image that is not there.
  std::string no_after_;
};

}  // namespace leat::formats
