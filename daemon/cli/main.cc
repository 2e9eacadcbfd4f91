// The `leat` command: options to structs, verbs to functions.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <map>
#include <system_error>

#include "daemon/cli/command_tree.h"
#include "daemon/cli/configuration.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/store_verb.h"
#include "daemon/cli/token_verb.h"
#include "daemon/cli/verbs.h"
#include "leat_version.h"
#include "pipelines/base/nearest.h"

namespace {

using namespace leat::cli;

std::vector<std::string> verbs_of(const CLI::App& app) {
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; }))
    verbs.push_back(verb->get_name());
  return verbs;
}

/// "there is no verb 'rnu' (did you mean 'run'?)"
std::string unknown_verb(const CLI::App& app, const std::string& name) {
  return "there is no verb '" + name + "'" + leat::did_you_mean(name, verbs_of(app));
}

/// "'leat outbox' needs one of list, show, …" for a verb without its action.
std::string missing_action(const CLI::App& verb) {
  std::string all;
  for (const std::string& action : verbs_of(verb)) all += (all.empty() ? "" : ", ") + action;
  if (all.empty()) return "'leat " + verb.get_name() + "' needs a FILE, or -e and the SQL, and not both";
  return "'leat " + verb.get_name() + "' needs one of " + all;
}

int complain_of_usage(const std::string& message) {
  std::fprintf(stderr, "leat: %s\nTry 'leat --help' or 'leat VERB --help'.\n", message.c_str());
  return kUsage;
}

int help(const CLI::App& app, const std::string& verb) {
  const CLI::App* of = &app;
  if (!verb.empty()) {
    const auto named = app.get_subcommands([&](const CLI::App* each) { return each->get_name() == verb; });
    if (named.empty()) return complain_of_usage(unknown_verb(app, verb));
    of = named.front();
  }
  // Not App::help: that would give the help of the verb that was parsed, which is "help".
  const std::string name = verb.empty() ? app.get_name() : app.get_name() + " " + verb;
  const std::string text = of->get_formatter()->make_help(of, name, CLI::AppFormatMode::Normal);
  std::fputs(text.c_str(), stdout);
  return kOk;
}

/// --set of the verbs that read the daemon's configuration.
void add_config_setting(CLI::App* verb, std::vector<std::string>& settings) {
  verb->add_option("--set", settings,
                   "KEY=VALUE: a key of the configuration, such as api.listen, that wins over file and "
                   "environment")
      ->allow_extra_args(false);
}

void add_serve(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* verb =
      app.add_subcommand("serve", "Run the daemon: every pipeline of the folder, with the REST API");
  CLI::Option* config =
      verb->add_option("--config", options->config, "Configuration file")->capture_default_str();
  add_config_setting(verb, options->settings);
  verb->callback([&chosen, options, config] {
    options->config_given = config->count() > 0;
    chosen = [options] { return serve(*options); };
  });
}

/// FILE or -e SQL: exactly one of them.
void add_pipeline(CLI::App* verb, std::string& file, std::string& text) {
  CLI::Option_group* group = verb->add_option_group("pipeline");
  group->add_option("FILE", file, "Pipeline file");
  group->add_option("-e,--execute", text, "The pipeline itself, as SQL");
  group->require_option(1);
}

void add_run(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* verb =
      app.add_subcommand("run", "Run one pipeline in the foreground, until its inputs end or Ctrl-C");
  add_pipeline(verb, options->file, options->text);
  verb->add_option("--output", options->output, "Form of a SELECT's rows: table, jsonl, csv or changelog")
      ->type_name("{table,jsonl,csv,changelog}")
      ->capture_default_str();
  verb->add_option("--state", options->state,
                   "Folder that keeps state and positions; without it nothing is kept");
  verb->add_option("--set", options->settings, "KEY=VALUE: a setting that wins over the file's SET")
      ->allow_extra_args(false);
  verb->add_flag("--no-progress", options->no_progress,
                 "Do not show how far a batch has come, which is shown where standard error is a terminal");
  verb->add_option("--batch-bytes", options->batch_bytes,
                   "Read at most so many bytes at a time (1: row by row); the result is the same")
      ->check(CLI::Range(1, 1 << 30));
  verb->add_option("--clock", options->clock,
                   "Whose time it is: the system's, or with 'event' that of the rows, to replay files")
      ->check(CLI::IsMember({"system", "event"}))
      ->capture_default_str();
  verb->callback([&chosen, options] { chosen = [options] { return run(*options); }; });
}

void add_test(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<TestOptions>();
  CLI::App* verb = app.add_subcommand(
      "test",
      "Run the tests of pipelines: a folder holds the pipeline, its input and what is expected of it");
  verb->add_option("DIR", options->folders, "Folders of a test, or of folders of tests")->required();
  CLI::Option* update = verb->add_flag("--update")->description("Write what comes out as what is expected");
  verb->callback([&chosen, options, update] {
    if (update->count() > 0) options->expected = TestOptions::Expected::kWritten;
    chosen = [options] { return test(*options); };
  });
}

void add_check(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* verb = app.add_subcommand(
      "check",
      "Say everything that 'leat serve' would refuse in pipeline files and in its configuration; touches no "
      "network");
  verb->add_option("PATH", options->paths, "Pipeline files, folders of them, or a leat.toml")->required();
  add_config_setting(verb, options->settings);
  verb->callback([&chosen, options] { chosen = [options] { return check(*options); }; });
}

void add_explain(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* verb = app.add_subcommand("explain", "Print the plan of a pipeline");
  add_pipeline(verb, options->file, options->text);
  verb->add_option("--set", options->settings, "KEY=VALUE: a setting that wins over the file's SET")
      ->allow_extra_args(false);
  verb->callback([&chosen, options] { chosen = [options] { return explain(*options); }; });
}

void add_describe(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<DescribeOptions>();
  CLI::App* verb = app.add_subcommand("describe",
                                      "Print what is built in: connectors and formats with their options, "
                                      "functions, settings, configuration");
  verb->add_option("NAME", options->words,
                   "[KIND] NAME: what to describe, such as 'connector mqtt', 'format json', 'function LAG' "
                   "or 'mqtt' alone; or a "
                   "list: 'connectors', 'formats', 'forms', 'functions', 'settings', 'configuration'")
      ->expected(0, 2);
  CLI::Option* markdown = verb->add_flag("--markdown")->description("As a page of the reference");
  CLI::Option* schema =
      verb->add_flag("--json-schema")
          ->description("As a JSON Schema: of all connectors and formats, of one, or of 'configuration'")
          ->excludes(markdown);
  verb->callback([&chosen, options, markdown, schema] {
    if (markdown->count() > 0) options->form = DescribeOptions::Form::kMarkdown;
    if (schema->count() > 0) options->form = DescribeOptions::Form::kJsonSchema;
    chosen = [options] { return describe(*options); };
  });
}

void add_config(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* verb =
      app.add_subcommand("config", "The daemon's configuration: what is in force, and whether it is right");
  verb->require_subcommand(1);
  const auto add = [&](const char* name, const char* doc, int (*run)(const ConfigOptions&)) {
    auto options = std::make_shared<ConfigOptions>();
    CLI::App* one = verb->add_subcommand(name, doc);
    CLI::Option* file =
        one->add_option("--config", options->config, "Configuration file")->capture_default_str();
    add_config_setting(one, options->settings);
    one->callback([&chosen, options, file, run] {
      options->config_given = file->count() > 0;
      chosen = [options, run] { return run(*options); };
    });
    return std::pair(one, options);
  };
  const auto [show, shown] =
      add("show", "Every key, its value, and where that comes from: a file that says the same", show_config);
  show->add_flag("--json", shown->json, "Print JSON");
  add("check", "Say all that 'leat serve' would refuse of it", check_config);
}

void add_store_task(CLI::App* verb, const char* name, const char* help, StoreFileOptions::Task task,
                    std::function<int()>& chosen) {
  auto options = std::make_shared<StoreFileOptions>();
  options->task = task;
  CLI::App* one = verb->add_subcommand(name, help);
  if (task == StoreFileOptions::Task::kBackup)
    one->add_option("FILE", options->target, "The copy, a file that is not there yet")->required();
  CLI::Option* config =
      one->add_option("--config", options->config, "Configuration file, which names the data folder")
          ->capture_default_str();
  one->add_option("--data-dir", options->data_dir, "The data folder itself");
  one->callback([&chosen, options, config] {
    options->config_given = config->count() > 0;
    chosen = [options] { return store_file(*options); };
  });
}

void add_store(CLI::App& app, std::function<int()>& chosen) {
  using Task = StoreFileOptions::Task;
  CLI::App* verb =
      app.add_subcommand("store", "Look after the store's file: positions, state and results on their way");
  verb->require_subcommand(1);
  add_store_task(verb, "check", "Read all of it and say whether it is sound; a daemon may run", Task::kCheck,
                 chosen);
  add_store_task(verb, "backup", "Copy it to a file, checked; a daemon may run", Task::kBackup, chosen);
  add_store_task(verb, "repair", "Make a new one of what can be read, and set the damaged one aside",
                 Task::kRepair, chosen);
}

void add_token(CLI::App& app, std::function<int()>& chosen) {
  using Task = TokenOptions::Task;
  CLI::App* verb = app.add_subcommand(
      "token", "Who may use the API: make tokens, list them, take them back; a daemon that runs notices");
  verb->require_subcommand(1);
  const auto add = [&](Task task, const char* name, const char* doc) {
    auto options = std::make_shared<TokenOptions>();
    options->task = task;
    CLI::App* one = verb->add_subcommand(name, doc);
    if (task != Task::kList)
      one->add_option("NAME", options->name, "What it is called in lists and in the log")->required();
    if (task != Task::kRevoke) one->add_flag("--json", options->json, "Print JSON");
    CLI::Option* config =
        one->add_option("--config", options->config, "Configuration file, which names the data folder")
            ->capture_default_str();
    one->add_option("--data-dir", options->data_dir, "The data folder itself");
    one->callback([&chosen, options, config] {
      options->config_given = config->count() > 0;
      chosen = [options] { return token(*options); };
    });
    return std::pair(one, options);
  };
  const auto [create, made] =
      add(Task::kCreate, "create", "Make a token and print it, this once; only its hash is kept");
  create->add_option("--role", made->role, "What it allows: read (look, ask), or admin (change, too)")
      ->type_name("{read,admin}")
      ->required();
  create->add_option("--expires", made->expires, "How long it is good for, such as '90 d'; for ever without");
  add(Task::kList, "list", "The names of all tokens, their roles, and until when they are good");
  add(Task::kRevoke, "revoke", "Take a token back");
}

/// How a verb that asks the daemon finds it, and shows that it may. Gives --api.
CLI::Option* add_api(CLI::App* verb, ApiOptions& api) {
  CLI::Option* const url = verb->add_option(
      "--api", api.api,
      "The daemon's API: a URL, or unix:PATH; by default its socket or address as configured");
  verb->add_option("--config", api.config, "Configuration file of the daemon")
      ->capture_default_str()
      ->each([&api](const std::string&) { api.config_given = true; });
  verb->add_option("--token-file", api.token_file,
                   "File that holds a token for the API; by default the variable LEAT_TOKEN");
  verb->add_option("--ca", api.ca, "Certificates (PEM) to trust in place of the system's, for https");
  verb->add_option("--certificate", api.certificate, "This client's certificate (PEM), for https");
  verb->add_option("--key", api.key, "Its private key (PEM)");
  return url;
}

void add_status(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* verb = app.add_subcommand("status", "Say whether the daemon is well, and what runs in it");
  add_api(verb, options->api);
  verb->add_flag("--json", options->json, "Print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return status(*options); }; });
}

void add_reload(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<ReloadOptions>();
  CLI::App* verb = app.add_subcommand(
      "reload",
      "Have the daemon read its configuration and its pipeline folder anew, and say what came of it");
  add_api(verb, options->api);
  verb->add_flag("--json", options->json, "Print JSON");
  verb->add_flag("--refuse-cold", options->refuse_cold,
                 "Do not take texts whose operators would start without state");
  verb->add_flag("--dry-run", options->dry_run, "Say what would happen, and do nothing");
  verb->callback([&chosen, options] { chosen = [options] { return reload(*options); }; });
}

void add_deploy(CLI::App* pipelines, std::function<int()>& chosen) {
  auto options = std::make_shared<DeployOptions>();
  CLI::App* verb = pipelines->add_subcommand(
      "deploy", "Check a text, and put it in the place of the version that runs; its state is taken over");
  add_api(verb, options->api);
  verb->add_flag("--json", options->json, "Print JSON");
  verb->add_option("FILE", options->file, "The pipeline file")->required();
  verb->add_option("--name", options->pipeline,
                   "Name of the pipeline; by default its SET 'pipeline.name', or the file's name");
  verb->add_flag("--accept-cold", options->accept_cold, "Operators may start without state");
  verb->add_flag("--dry-run", options->dry_run, "Say what would happen, and do nothing");
  verb->callback([&chosen, options] { chosen = [options] { return deploy(*options); }; });
}

void add_pipeline_changes(CLI::App* pipelines, std::function<int()>& chosen) {
  add_deploy(pipelines, chosen);
  auto rename = std::make_shared<RenameOptions>();
  CLI::App* verb = pipelines->add_subcommand("rename", "Give a deployed pipeline another name");
  add_api(verb, rename->api);
  verb->add_flag("--json", rename->json, "Print JSON");
  verb->add_option("PIPELINE", rename->pipeline, "Its name")->required();
  verb->add_option("NAME", rename->to, "The new one")->required();
  verb->callback([&chosen, rename] { chosen = [rename] { return rename_pipeline(*rename); }; });
  auto removal = std::make_shared<RemoveOptions>();
  verb = pipelines->add_subcommand("remove", "End a deployed pipeline; what is not purged is kept");
  add_api(verb, removal->api);
  verb->add_flag("--json", removal->json, "Print JSON");
  verb->add_option("PIPELINE", removal->pipeline, "Its name")->required();
  verb->add_option("--purge", removal->purge,
                   "What to throw away, too: journal, state, outbox, tables (a list with commas), or all");
  verb->callback([&chosen, removal] { chosen = [removal] { return remove_pipeline(*removal); }; });
}

void add_pipelines(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* verb = app.add_subcommand(
      "pipelines", "Show the daemon's pipelines; deploy, pause, resume, restart, rename or remove one");
  verb->require_subcommand(1);
  const auto add = [&](const char* action, const char* doc) {
    auto options = std::make_shared<PipelinesOptions>();
    options->action = action;
    CLI::App* sub = verb->add_subcommand(action, doc);
    add_api(sub, options->api);
    sub->add_flag("--json", options->json, "Print JSON");
    if (options->action != "list")
      sub->add_option("PIPELINE", options->pipeline, "Name of the pipeline")->required();
    if (options->action == "show") sub->add_flag("--sql", options->sql, "Print its text, and nothing else");
    sub->callback([&chosen, options] { chosen = [options] { return pipelines(*options); }; });
  };
  add("list", "All pipelines with their state");
  add("show", "One pipeline: sources, operators, sinks, its last error whole");
  add("pause", "Take nothing in any more, also after a restart; what was made is delivered");
  add("resume", "Go on where it was paused");
  add("restart", "Stop it, or take one that has failed, and start it from its last commit");
  add_pipeline_changes(verb, chosen);
}

void add_outbox(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* verb = app.add_subcommand("outbox", "Show what waits for the sinks, and decide about it");
  verb->require_subcommand(1);
  const auto add = [&](const char* action, const char* doc) {
    auto options = std::make_shared<OutboxOptions>();
    options->action = action;
    CLI::App* sub = verb->add_subcommand(action, doc);
    add_api(sub, options->api);
    sub->add_flag("--json", options->json, "Print JSON");
    if (options->action != "list") {
      sub->add_option("PIPELINE", options->pipeline, "Name of the pipeline")->required();
      sub->add_option("SINK", options->sink, "Its sink: the table's name")->required();
    }
    sub->callback([&chosen, options] { chosen = [options] { return outbox(*options); }; });
  };
  add("list", "All sinks with what waits");
  add("show", "One sink, with its last error");
  add("resend", "An undecided shipment has not arrived: send it again");
  add("skip", "An undecided shipment has arrived: settle it without sending");
  add("purge", "Throw away what waits for a sink; a shipment that may have arrived stays");
  add("pause", "Deliver nothing more to a sink, also after a restart");
  add("resume", "End a pause, or the hold of a sink whose place was taken; try at once");
}

void add_streams(CLI::App& app, std::function<int()>& chosen) {
  CLI::App* verb = app.add_subcommand("streams", "Show the streams between pipelines and what waits in them");
  verb->require_subcommand(1);
  const auto add = [&](const char* action, const char* doc) {
    auto options = std::make_shared<StreamsOptions>();
    CLI::App* sub = verb->add_subcommand(action, doc);
    add_api(sub, options->api);
    sub->add_flag("--json", options->json, "Print JSON");
    sub->callback([&chosen, options] { chosen = [options] { return streams(*options); }; });
    return std::pair(sub, options);
  };
  add("list", "All streams, who writes and reads them, and what waits");
  const auto [show, options] = add("show", "One stream, with its columns");
  show->add_option("STREAM", options->stream, "Its name")->required();
}

CLI::App* add_table_action(CLI::App& table, std::function<int()>& chosen, TableOptions::Action action,
                           const std::string& name, const std::string& doc,
                           const std::shared_ptr<TableOptions>& options) {
  CLI::App* verb = table.add_subcommand(name, doc);
  CLI::Option* state =
      verb->add_option("--state", options->state, "The folder of a store that nobody runs on");
  add_api(verb, options->api)->excludes(state);
  verb->callback([&chosen, options, action] {
    options->action = action;
    chosen = [options] { return leat::cli::table(*options); };
  });
  return verb;
}

void add_table(CLI::App& app, std::function<int()>& chosen) {
  using Action = TableOptions::Action;
  auto options = std::make_shared<TableOptions>();
  CLI::App* table = app.add_subcommand("table", "The local tables ('connector' = 'sqlite')");
  table->require_subcommand(1);
  CLI::App* load = add_table_action(*table, chosen, Action::kLoad, "load",
                                    "Load a CSV file with a header, or JSON lines; rows replace those with "
                                    "their PRIMARY KEY",
                                    options);
  load->add_option("FILE", options->file, "The file")->required();
  load->add_option("--table", options->table, "The table")->required();
  load->add_option("--format", options->format, "csv or json; by the file's name if it is not given")
      ->type_name("{csv,json}");
  add_table_action(*table, chosen, Action::kList, "list", "All tables, their rows and who uses them",
                   options);
  const auto named = [&](Action action, const std::string& name, const std::string& doc) {
    add_table_action(*table, chosen, action, name, doc, options)
        ->add_option("TABLE", options->table, "The table")
        ->required();
  };
  named(Action::kShow, "show", "A table's declaration, rows, indexes and users");
  named(Action::kDrop, "drop", "Delete a table that no running pipeline uses");
  named(Action::kMigrate, "migrate", "Rebuild a table as the pipeline declares it that was refused");
}

void add_dead_letters_filter(CLI::App* verb, DeadLettersOptions& options) {
  verb->add_option("--pipeline", options.pipeline, "Letters of this pipeline");
  verb->add_option("--origin", options.origin, "Of this table, or origin such as 'sink upstream'");
  verb->add_option("--since", options.since, "From this time on: 2026-11-22T09:00:00Z, or '2 h' ago");
  verb->add_option("--until", options.until, "Before this time");
}

void add_dead_letters(CLI::App& app, std::function<int()>& chosen) {
  using Action = DeadLettersOptions::Action;
  CLI::App* verb =
      app.add_subcommand("dead-letters", "What could not be used: look at it, put it back, throw it away");
  verb->require_subcommand(1);
  const auto add = [&](const char* name, const char* doc, Action action) {
    auto options = std::make_shared<DeadLettersOptions>();
    options->action = action;
    CLI::App* made = verb->add_subcommand(name, doc);
    add_api(made, options->api);
    made->add_flag("--json", options->json, "Print JSON");
    made->callback([&chosen, options] { chosen = [options] { return dead_letters(*options); }; });
    return std::pair(made, options);
  };
  const auto [list, listed] = add("list", "The newest dead letters", Action::kList);
  add_dead_letters_filter(list, *listed);
  list->add_option("--limit", listed->limit, "At most so many (up to 1000)")->capture_default_str();
  const auto [show, shown] = add("show", "One dead letter with its bytes", Action::kShow);
  show->add_option("ID", shown->ids, "Of the letter")->required()->expected(1);
  show->add_flag("--raw", shown->raw, "The payload's bytes alone, for a file or a pipe");
  for (const auto& [name, doc, action] :
       {std::tuple{"replay", "Put messages back into their pipelines, as if they had just come",
                   Action::kReplay},
        std::tuple{"purge", "Throw dead letters away", Action::kPurge}}) {
    const auto [made, options] = add(name, doc, action);
    add_dead_letters_filter(made, *options);
    made->add_option("ID", options->ids, "These letters");
    made->add_flag("--all", options->all, "All letters");
  }
}

void add_query(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* verb = app.add_subcommand("query", "Ask the daemon's local tables, in SQLite's SQL");
  add_api(verb, options->api);
  verb->add_option("SQL", options->sql, "A SELECT")->required();
  verb->add_option("--limit", options->limit, "At most so many rows (up to 10000)")->capture_default_str();
  verb->add_flag("--json", options->json, "Print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return query(*options); }; });
}

void add_tail(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<TailOptions>();
  CLI::App* verb =
      app.add_subcommand("tail", "Show the rows of a table or view of a running pipeline as they come");
  add_api(verb, options->api);
  verb->add_option("TABLE", options->table, "A source, a sink or a view")->required();
  verb->add_option("--pipeline", options->pipeline, "Whose table, where several have one of the name");
  verb->add_flag("--json", options->json, "Print a JSON object for each row");
  verb->callback([&chosen, options] { chosen = [options] { return tail(*options); }; });
}

void add_trial(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<TrialOptions>();
  CLI::App* verb = app.add_subcommand(
      "trial",
      "Run a query in the daemon for a while, on rows that come or on those of a file; nothing is kept");
  add_api(verb, options->api);
  add_pipeline(verb, options->file, options->text);
  verb->add_option("--pipeline", options->pipeline, "A pipeline whose tables and views the query may use");
  verb->add_option("--table", options->table, "Of several tables that are written, the one to show");
  verb->add_option("--input", options->inputs, "TABLE=FILE: rows of a table, lines in its format")
      ->allow_extra_args(false);
  verb->add_option("--seconds", options->seconds, "At most so long (up to 60)")->capture_default_str();
  verb->add_option("--rows", options->rows, "At most so many rows (up to 10000)")->capture_default_str();
  verb->add_flag("--json", options->json, "Print a JSON object for each row");
  verb->callback([&chosen, options] { chosen = [options] { return trial(*options); }; });
}

void add_top(CLI::App& app, std::function<int()>& chosen) {
  auto options = std::make_shared<TopOptions>();
  CLI::App* verb = app.add_subcommand(
      "top", "Watch the pipelines: rates, lag, what waits, how long operators take; q ends it");
  add_api(verb, options->api);
  verb->add_flag("--once", options->once, "Print one page and end");
  verb->add_flag("--json", options->json, "Print JSON, once");
  verb->add_option("--interval", options->seconds, "Seconds between two looks")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  verb->callback([&chosen, options] { chosen = [options] { return top(*options); }; });
}

void add_completions(CLI::App& app, std::function<int()>& chosen) {
  static const std::map<std::string, Shell> kShells{
      {"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}};
  auto shell = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("completions", "Print a script that completes 'leat' in a shell");
  verb->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->callback([&chosen, &app, shell] {
    chosen = [&app, shell] {
      std::fputs(completions(commands_of(app), kShells.at(*shell)).c_str(), stdout);
      return kOk;
    };
  });
}

/// For the packages; hidden.
void add_man_page(CLI::App& app, std::function<int()>& chosen) {
  auto page = std::make_shared<std::string>();
  CLI::App* verb =
      app.add_subcommand("man-page", "Print a page of the manual, or the default configuration")->group("");
  verb->add_option("PAGE", *page, "leat.1, leat.toml.5, or leat.toml itself")
      ->required()
      ->check(CLI::IsMember({"leat.1", "leat.toml.5", "leat.toml"}));
  verb->callback([&chosen, &app, page] {
    chosen = [&app, page] {
      std::string text;
      if (*page == "leat.1") text = man_page(commands_of(app), leat::kVersion);
      if (*page == "leat.toml.5") text = config_man_page(leat::kVersion);
      if (*page == "leat.toml") text = config_template();
      std::fputs(text.c_str(), stdout);
      return kOk;
    };
  });
}

void add_help(CLI::App& app, std::function<int()>& chosen) {
  auto name = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("help", "Print what --help prints, of Leat or of a verb");
  verb->add_option("VERB", *name, "A verb");
  verb->callback([&chosen, &app, name] { chosen = [&app, name] { return help(app, *name); }; });
}

/// "there is no option '--outptu' (did you mean '--output'?)", or nothing when every option is known.
std::string unknown_option(const CLI::App& app, int argc, char** argv) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
  std::vector<std::string> known;
  for (const CLI::Option* option : verb->get_options([](const CLI::Option*) { return true; }))
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (const CLI::App* group :
       verb->get_subcommands([](const CLI::App* each) { return each->get_name().empty(); }))
    for (const CLI::Option* option : group->get_options([](const CLI::Option*) { return true; }))
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  for (int i = 1; i < argc; ++i) {
    const std::string given = std::string(argv[i]).substr(0, std::string_view(argv[i]).find('='));
    if (!given.starts_with("--") || given == "--") continue;
    if (std::find(known.begin(), known.end(), given) != known.end()) continue;
    return "there is no option '" + given + "'" + leat::did_you_mean(given, known);
  }
  return {};
}

/// What is wrong with the command line, with the verb that was probably meant. A wrong verb comes first:
/// whether there is such an option depends on it.
std::string usage_error(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv) {
  const CLI::App* verb = &app;
  int next = 1;
  for (; !verb->get_subcommands().empty(); ++next) verb = verb->get_subcommands().front();
  const std::vector<std::string> verbs = verbs_of(*verb);  // A group of options is one without a name.
  const bool lacks_verb =
      next < argc && std::ranges::any_of(verbs, [](const auto& name) { return !name.empty(); });
  if (lacks_verb && argv[next][0] != '-') return unknown_verb(*verb, argv[next]);
  if (lacks_verb && next > 1) return missing_action(*verb);
  if (std::string option = unknown_option(app, argc, argv); !option.empty()) return option;
  const bool lacks_any = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && next > 1;
  return lacks_any && !verbs.empty() ? missing_action(*verb) : error.what();
}

int unwritten(const std::error_code& why) {
  fmt::print(stderr, "leat: writing to standard output: {}\n", why.message());
  return kFailed;
}

/// The exit code of a verb that has printed: what is still to be written counts, too.
int written(int code) {
  if (std::fflush(stdout) == 0) return code;
  return unwritten({errno, std::generic_category()});
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Leat: an edge stream processor. Continuous Flink SQL beside the sensors.", "leat");
  app.set_version_flag(
      "--version", [] { return version_text(); }, "Print the version of Leat and of its libraries");
  app.require_subcommand(1);
  std::function<int()> chosen;
  add_serve(app, chosen);
  add_run(app, chosen);
  add_test(app, chosen);
  add_check(app, chosen);
  add_explain(app, chosen);
  add_describe(app, chosen);
  add_config(app, chosen);
  add_store(app, chosen);
  add_token(app, chosen);
  add_status(app, chosen);
  add_pipelines(app, chosen);
  add_reload(app, chosen);
  add_outbox(app, chosen);
  add_streams(app, chosen);
  add_table(app, chosen);
  add_dead_letters(app, chosen);
  add_query(app, chosen);
  add_tail(app, chosen);
  add_trial(app, chosen);
  add_top(app, chosen);
  add_completions(app, chosen);
  add_man_page(app, chosen);
  add_help(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return written(app.exit(success));
  } catch (const CLI::ParseError& error) {
    return complain_of_usage(usage_error(app, error, argc, argv));
  }
  try {
    return written(chosen());
  } catch (const std::system_error& error) {  // fmt's, of a standard output that takes nothing.
    return unwritten(error.code());
  }
}
