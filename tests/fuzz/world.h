// A catalog that is data, tables to plan over, and somewhere for rows to go.
#pragma once

#include <string>

#include "pipelines/exec/dataflow.h"
#include "pipelines/plan/catalog.h"

namespace leat::fuzz {

/// Connectors 'stream' (reads; unbounded), 'file' (reads; bounded), 'out' (writes all kinds of rows); format
/// 'any'.
const plan::Catalog& catalog();

/// readings (ts TIMESTAMP(3) with a watermark of 1 s, device STRING, v BIGINT), sites (ts, device, site; the
/// same), names (device STRING PRIMARY KEY …, bounded) and out.
std::string tables();

/// Takes rows and does nothing with them.
class Nowhere final : public exec::Environment {
 public:
  Status output(std::size_t, const Batch&) override { return {}; }
  void dead(std::string_view, const Schema&, const Batch&, std::size_t, std::string_view) override {}
  void late(std::string_view, const Schema&, const Batch&, std::span<const std::uint32_t>) override {}
};

}  // namespace leat::fuzz
