// 'connector' = 'kafka' as a source: the records of topics, from positions that are part of the commit, so
// each is processed exactly once whatever dies when. Partitions are taken by name, as Flink does; a group is
// only told how far the source has come, and gives the first positions if the options ask for that.
//
// One thread looks which partitions there are, and moves messages from the library's queue, which is bounded,
// to the intake. When the intake is full it waits, the library's queue fills up, and the rest stays at the
// broker.
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector kafka_source_connector();

/// 'connector' = 'upsert-kafka': a record is the latest row of its key, and one without a value says that the
/// row is gone.
SourceConnector upsert_kafka_source_connector();

}  // namespace leat::sources
