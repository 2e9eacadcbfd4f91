// The verbs of the `leat` command. Each has its options as a struct, filled by main.cc, and one function that
// does the work and answers with the exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/cli/api_client.h"

namespace leat::cli {

struct ServeOptions {
  std::string config = "/etc/leat/leat.toml";
  bool config_given = false;          ///< A default file that is missing is no error.
  std::vector<std::string> settings;  ///< --set
};
int serve(const ServeOptions& options);

struct RunOptions {
  std::string file;                   ///< Empty: `text`.
  std::string text;                   ///< -e
  std::string output = "table";       ///< table, jsonl, csv, changelog
  std::string state;                  ///< --state DIR; empty: nothing is kept.
  std::vector<std::string> settings;  ///< --set K=V
  std::size_t batch_bytes = 0;        ///< --batch-bytes; 0: the default.
  std::string clock = "system";       ///< --clock: system, event
  bool no_progress = false;           ///< --no-progress
};
int run(const RunOptions& options);

struct CheckOptions {
  std::vector<std::string> paths;     ///< Files, or folders whose *.sql files are checked.
  std::vector<std::string> settings;  ///< --set, for the *.toml files among them.
};
int check(const CheckOptions& options);

struct ExplainOptions {
  std::string file;
  std::string text;
  std::vector<std::string> settings;
};
int explain(const ExplainOptions& options);

struct DescribeOptions {
  /// [KIND] NAME, a list ("functions"), or nothing: connectors and formats.
  std::vector<std::string> words;
  enum class Form : std::uint8_t { kText, kMarkdown, kJsonSchema } form = Form::kText;
};
int describe(const DescribeOptions& options);

struct TestOptions {
  std::vector<std::string> folders;
  enum class Expected : std::uint8_t { kCompared, kWritten } expected = Expected::kCompared;
};
int test(const TestOptions& options);

struct StatusOptions {
  ApiOptions api;
  bool json = false;  ///< --json
};
/// Exits with 1 when the daemon is not ready.
int status(const StatusOptions& options);

struct PipelinesOptions {
  ApiOptions api;
  std::string action;  ///< list, show, pause, resume, restart
  std::string pipeline;
  bool json = false;  ///< --json
  bool sql = false;   ///< show: the text alone.
};
int pipelines(const PipelinesOptions& options);

struct DeployOptions {
  ApiOptions api;
  std::string file;
  std::string pipeline;      ///< --name; empty: as the text says, or the file.
  bool accept_cold = false;  ///< --accept-cold
  bool dry_run = false;      ///< --dry-run
  bool json = false;         ///< --json
};
int deploy(const DeployOptions& options);

struct RemoveOptions {
  ApiOptions api;
  std::string pipeline;
  std::string purge;  ///< --purge; empty: nothing.
  bool json = false;  ///< --json
};
int remove_pipeline(const RemoveOptions& options);

struct RenameOptions {
  ApiOptions api;
  std::string pipeline;
  std::string to;
  bool json = false;  ///< --json
};
int rename_pipeline(const RenameOptions& options);

struct ReloadOptions {
  ApiOptions api;
  bool refuse_cold = false;  ///< --refuse-cold
  bool dry_run = false;      ///< --dry-run
  bool json = false;         ///< --json
};
/// Exits with 78 when a file or the configuration is refused.
int reload(const ReloadOptions& options);

struct OutboxOptions {
  ApiOptions api;
  std::string action;  ///< list, show, resend, skip, pause, resume, purge
  std::string pipeline;
  std::string sink;
  bool json = false;  ///< --json
};
int outbox(const OutboxOptions& options);

struct StreamsOptions {
  ApiOptions api;
  std::string stream;  ///< Empty: all of them.
  bool json = false;   ///< --json
};
int streams(const StreamsOptions& options);

struct TableOptions {
  enum class Action : std::uint8_t { kLoad, kList, kShow, kDrop, kMigrate } action = Action::kList;
  std::string table;
  std::string file;    ///< Of kLoad.
  std::string format;  ///< --format: csv, json; empty: by the file's name.
  std::string state;   ///< --state DIR: a store that nobody runs on; empty: the daemon.
  ApiOptions api;
};
int table(const TableOptions& options);

struct DeadLettersOptions {
  enum class Action : std::uint8_t { kList, kShow, kReplay, kPurge } action = Action::kList;
  ApiOptions api;
  // Which letters; all that is given must hold.
  std::vector<std::int64_t> ids;
  std::string pipeline;
  std::string origin;
  std::string since;
  std::string until;
  bool all = false;         ///< --all: none of the above is needed.
  std::size_t limit = 100;  ///< list: the newest so many.
  bool json = false;        ///< --json
  bool raw = false;         ///< show: the payload's bytes alone.
};
int dead_letters(const DeadLettersOptions& options);

struct QueryOptions {
  ApiOptions api;
  std::string sql;
  std::size_t limit = 1000;  ///< --limit
  bool json = false;         ///< --json
};
int query(const QueryOptions& options);

struct TailOptions {
  ApiOptions api;
  std::string table;
  std::string pipeline;  ///< --pipeline
  bool json = false;     ///< --json: a line for each row.
};
int tail(const TailOptions& options);

struct TrialOptions {
  ApiOptions api;
  std::string file;
  std::string text;                 ///< -e
  std::string pipeline;             ///< --pipeline: its tables and views may be used.
  std::string table;                ///< --table: of several that are written.
  std::vector<std::string> inputs;  ///< --input TABLE=FILE
  std::size_t seconds = 10;         ///< --seconds
  std::size_t rows = 1000;          ///< --rows
  bool json = false;                ///< --json: a line for each row.
};
int trial(const TrialOptions& options);

struct TopOptions {
  ApiOptions api;
  bool once = false;        ///< --once
  bool json = false;        ///< --json: implies --once.
  std::size_t seconds = 1;  ///< --interval
};
int top(const TopOptions& options);

/// "leat 0.1.0" and the versions of the libraries it runs with.
std::string version_text();

}  // namespace leat::cli
