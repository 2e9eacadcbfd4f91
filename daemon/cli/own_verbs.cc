// Verbs that need no daemon, or are it.
#include <memory>
#include <utility>

#include "daemon/cli/command_line.h"
#include "daemon/cli/configuration.h"
#include "daemon/cli/store_verb.h"
#include "daemon/cli/token_verb.h"
#include "daemon/cli/verbs.h"

namespace leat::cli {
namespace {

/// --set of the verbs that read the daemon's configuration.
void add_config_setting(CLI::App* verb, std::vector<std::string>& settings) {
  verb->add_option("--set", settings,
                   "KEY=VALUE: a key of the configuration, such as api.listen, that wins over file and "
                   "environment")
      ->allow_extra_args(false);
}

void add_serve(CLI::App& app, Chosen& chosen) {
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

void add_run(CLI::App& app, Chosen& chosen) {
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

void add_test(CLI::App& app, Chosen& chosen) {
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

void add_check(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* verb = app.add_subcommand(
      "check",
      "Say everything that 'leat serve' would refuse in pipeline files and in its configuration; touches no "
      "network");
  verb->add_option("PATH", options->paths, "Pipeline files, folders of them, or a leat.toml")->required();
  add_config_setting(verb, options->settings);
  verb->callback([&chosen, options] { chosen = [options] { return check(*options); }; });
}

void add_explain(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<ExplainOptions>();
  CLI::App* verb = app.add_subcommand("explain", "Print the plan of a pipeline");
  add_pipeline(verb, options->file, options->text);
  verb->add_option("--set", options->settings, "KEY=VALUE: a setting that wins over the file's SET")
      ->allow_extra_args(false);
  verb->callback([&chosen, options] { chosen = [options] { return explain(*options); }; });
}

void add_describe(CLI::App& app, Chosen& chosen) {
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

void add_config(CLI::App& app, Chosen& chosen) {
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

/// Which data folder is meant. Gives --config.
CLI::Option* add_data_folder(CLI::App* verb, std::string& config, std::string& data_dir) {
  CLI::Option* const option =
      verb->add_option("--config", config, "Configuration file, which names the data folder")
          ->capture_default_str();
  verb->add_option("--data-dir", data_dir, "The data folder itself");
  return option;
}

void add_store_task(CLI::App* verb, const char* name, const char* help, StoreFileOptions::Task task,
                    Chosen& chosen) {
  auto options = std::make_shared<StoreFileOptions>();
  options->task = task;
  CLI::App* one = verb->add_subcommand(name, help);
  if (task == StoreFileOptions::Task::kBackup)
    one->add_option("FILE", options->target, "The copy, a file that is not there yet")->required();
  CLI::Option* config = add_data_folder(one, options->config, options->data_dir);
  one->callback([&chosen, options, config] {
    options->config_given = config->count() > 0;
    chosen = [options] { return store_file(*options); };
  });
}

void add_store(CLI::App& app, Chosen& chosen) {
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

void add_token(CLI::App& app, Chosen& chosen) {
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
    CLI::Option* config = add_data_folder(one, options->config, options->data_dir);
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

}  // namespace

void add_pipeline(CLI::App* verb, std::string& file, std::string& text) {
  CLI::Option_group* group = verb->add_option_group("pipeline");
  group->add_option("FILE", file, "Pipeline file");
  group->add_option("-e,--execute", text, "The pipeline itself, as SQL");
  group->require_option(1);
}

void add_own_verbs(CLI::App& app, Chosen& chosen) {
  add_serve(app, chosen);
  add_run(app, chosen);
  add_test(app, chosen);
  add_check(app, chosen);
  add_explain(app, chosen);
  add_describe(app, chosen);
  add_config(app, chosen);
  add_store(app, chosen);
  add_token(app, chosen);
}

}  // namespace leat::cli
