// leat store check, backup, repair: the store's file itself, beside a daemon that runs or without one.
#include <fmt/format.h>

#include <cstdio>

#include "daemon/cli/configuration.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/store_verb.h"
#include "daemon/store/backup.h"
#include "daemon/store/salvage.h"

namespace leat::cli {
namespace {

int complain(const Error& error, int code) {
  fmt::print(stderr, "leat store: {}\n", error.message);
  return code;
}

Result<std::string> path_of(const StoreFileOptions& options) {
  if (!options.data_dir.empty()) return options.data_dir + "/leat.db";
  return load_configuration(options.config, options.config_given).map([](const config::Loaded& loaded) {
    return loaded.config.data_dir + "/leat.db";
  });
}

int check(const std::string& path, const StoreFileOptions& options) {
  const auto report = store::check_store(path);
  if (!report) return complain(report.error(), kFailed);
  fmt::print(
      "{}: schema {}, {} KiB; {} pipelines, {} state entries, {} records on their way, {} dead letters\n",
      path, report->schema, report->bytes >> 10, report->pipelines, report->state_entries,
      report->waiting_records, report->dead_letters);
  if (report->damaged_files > 0)
    fmt::print("{} damaged files are set aside beside it ({}.damaged-N)\n", report->damaged_files, path);
  if (report->damage.empty()) {
    fmt::print("sound\n");
    return kOk;
  }
  for (const std::string& finding : report->damage) fmt::print(stderr, "damaged: {}\n", finding);
  const std::string place = !options.data_dir.empty() ? " --data-dir " + options.data_dir
                            : options.config_given    ? " --config " + options.config
                                                      : "";
  fmt::print(stderr, "leat store: stop the daemon and run 'leat store repair{}', or put a backup in place\n",
             place);
  return kFailed;
}

int back_up(const std::string& path, const std::string& target) {
  if (const Status done = store::back_up_store(path, target); !done) return complain(done.error(), kFailed);
  fmt::print("{} is a copy of {}, checked. To restore it stop the daemon and put it in the store's place.\n",
             target, path);
  return kOk;
}

int repair(const std::string& path) {
  const auto report = store::repair_store(path);
  if (!report) return complain(report.error(), kFailed);
  for (const store::SalvagedTable& table : report->tables)
    fmt::print("{}: {} rows{}\n", table.name, table.rows,
               table.damaged_places > 0 ? ", others cannot be read" : "");
  fmt::print("{} records on their way are lost, counted as dropped. The damaged file is {}.\n",
             report->lost_records, report->aside);
  return kOk;
}

}  // namespace

int store_file(const StoreFileOptions& options) {
  const auto path = path_of(options);
  if (!path) return complain(path.error(), kBadConfig);
  switch (options.task) {
    case StoreFileOptions::Task::kCheck:
      return check(*path, options);
    case StoreFileOptions::Task::kBackup:
      return back_up(*path, options.target);
    case StoreFileOptions::Task::kRepair:
      return repair(*path);
  }
  return kUsage;
}

}  // namespace leat::cli
