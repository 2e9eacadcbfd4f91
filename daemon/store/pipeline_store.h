// The store's side of deploying: the texts that were deployed over the API, under which identity a pipeline
// is known to the other sides, and what is kept of pipelines that are gone. Calls block; from any thread but
// the storage thread and the engine's loops. Each is one transaction unless it says otherwise.
//
// Identity. Brokers and receivers know a pipeline by a name of its own: MQTT's client ids, Kafka's
// transactional ids, idempotency keys and the journals' file names are made from it. It is the pipeline's
// name at first, stays when the pipeline is renamed (so that sessions, shipments and journals go on), and is
// another one when all of a pipeline was purged (so that numbers that begin anew are no repetition). None is
// given to two pipelines, nor to one twice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/base/ids.h"
#include "pipelines/base/result.h"

namespace leat::store {

struct DeployedPipeline {
  PipelineName pipeline;
  std::uint64_t version = 1;  ///< Counts the texts of the pipeline, from 1.
  std::string sql;
  std::int64_t time = 0;  ///< When it was deployed; gateway clock, microseconds.
};

/// What the store has of a pipeline, whether it runs or not.
struct KeptParts {
  PipelineName pipeline;
  CommitNumber last_commit;
  struct Operator {
    std::string node;  ///< As exec::StateChange::node.
    std::uint64_t entries = 0;
  };
  std::vector<Operator> operators;   ///< Those that have entries, what sources remember included.
  std::vector<TableName> positions;  ///< Sources whose position is kept.
  [[nodiscard]] std::uint64_t entries() const {
    std::uint64_t sum = 0;
    for (const Operator& each : operators) sum += each.entries;
    return sum;
  }
};

/// What becomes of the shipment numbers of an outbox that is purged.
enum class ShipmentNumbers : std::uint8_t {
  kGoOn,       ///< A shipment under way stays, as it may have arrived; numbers go on behind it.
  kBeginAnew,  ///< It goes, too; the pipeline gets another identity in the same transaction.
};

class PipelineStore {
 public:
  virtual ~PipelineStore() = default;

  virtual Result<std::vector<DeployedPipeline>> deployed() = 0;
  /// Puts the text in the place of the pipeline's former one.
  virtual Status deploy(const DeployedPipeline& text) = 0;
  /// Takes the text away, with the pipeline's pause and its use of local tables. What it has made stays.
  virtual Status remove(const PipelineName& pipeline) = 0;
  /// Everything of `from`, kept parts included, is `to`'s from then on; a deployed text becomes `sql`.
  /// Errors: not found (there is nothing of `from`), conflict (there is something of `to`).
  virtual Status rename(const PipelineName& from, const PipelineName& to, const std::string& sql) = 0;

  virtual Result<PipelineName> identity(const PipelineName& pipeline) = 0;
  /// Of all pipelines that ever committed, in the order of their names.
  virtual Result<std::vector<KeptParts>> kept() = 0;
  /// Of one; empty if it never committed.
  virtual Result<KeptParts> kept(const PipelineName& pipeline) = 0;

  // Purges are several transactions, so that commits get their turn; a purge that is cut short leaves less
  // than there was, and nothing that would be taken for the whole.

  /// Drops, and counts as dropped, what waits in one outbox at present and has no number; the answer is how
  /// many records.
  virtual Result<std::uint64_t> purge_outbox(const PipelineName& pipeline, const TableName& sink) = 0;
  /// The same for all outboxes of a pipeline that does not run; with kBeginAnew they are forgotten.
  virtual Result<std::uint64_t> purge_outboxes(const PipelineName& pipeline, ShipmentNumbers numbers) = 0;
  /// Operators' state and counters of a pipeline that does not run, with the positions of all sources but
  /// those of `keep`, whose journals stay.
  virtual Status purge_state(const PipelineName& pipeline, const std::vector<TableName>& keep) = 0;
};

}  // namespace leat::store
