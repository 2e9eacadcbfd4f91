// Reads one unit: its requests one after the other, and what they answer as one JSON object of the table's
// columns. Whoever asks for the reading brings the means: how a request is made. On the source's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sources/modbus/modbus_answer.h"
#include "sources/modbus/read_plan.h"

namespace leat::sources {

struct UnitAnswer {
  enum class Kind : std::uint8_t {
    kRow,      ///< `payload` is the row; some of it may be refused.
    kRefused,  ///< The unit answers, and refuses every request.
    kSilent,   ///< It does not answer, or not in a way that can be understood.
    kBroken,   ///< The connection is gone.
    kStopped,  ///< Interrupted.
  };
  Kind kind = Kind::kRow;
  std::string payload;
  /// "holding 40 to 41 (a, b): exception 2, illegal data address; …"; empty: all is well.
  std::string trouble;
};

/// Makes one request of the unit at hand; fills the words, as many as the request has, if it is answered.
using AskUnit = std::function<ReadOutcome(const ReadRequest&, std::span<std::uint16_t>)>;

class UnitReader {
 public:
  UnitReader(std::vector<MappedColumn> columns, const ReadLimits& limits, ByteOrder order);

  /// A request that a unit refuses (any exception that is not ReadOutcome::is_silence) costs its columns,
  /// which are NULL. At one that is not answered the others are left out: a unit that is off would cost a
  /// time-out for each.
  UnitAnswer read(const AskUnit& ask);

 private:
  /// The value's text of each column of an answered request goes to `values_`.
  void take(const ReadRequest& request, const std::vector<std::uint16_t>& words);
  [[nodiscard]] std::string object() const;

  const std::vector<MappedColumn> columns_;
  const std::vector<ReadRequest> requests_;
  const ByteOrder order_;
  std::vector<std::string> keys_;    // `"name":` of each column.
  std::vector<std::string> values_;  // Of the unit that is being read; empty: none.
};

}  // namespace leat::sources
