// Verbs that ask the daemon.
#include <memory>
#include <tuple>
#include <utility>

#include "daemon/cli/command_line.h"
#include "daemon/cli/verbs.h"

namespace leat::cli {
namespace {

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

void add_status(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* verb = app.add_subcommand("status", "Say whether the daemon is well, and what runs in it");
  add_api(verb, options->api);
  verb->add_flag("--json", options->json, "Print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return status(*options); }; });
}

void add_reload(CLI::App& app, Chosen& chosen) {
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

void add_deploy(CLI::App* pipelines, Chosen& chosen) {
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

void add_pipeline_changes(CLI::App* pipelines, Chosen& chosen) {
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

void add_pipelines(CLI::App& app, Chosen& chosen) {
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

void add_outbox(CLI::App& app, Chosen& chosen) {
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

void add_streams(CLI::App& app, Chosen& chosen) {
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

CLI::App* add_table_action(CLI::App& table, Chosen& chosen, TableOptions::Action action,
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

void add_table(CLI::App& app, Chosen& chosen) {
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

void add_dead_letters(CLI::App& app, Chosen& chosen) {
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

void add_query(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<QueryOptions>();
  CLI::App* verb = app.add_subcommand("query", "Ask the daemon's local tables, in SQLite's SQL");
  add_api(verb, options->api);
  verb->add_option("SQL", options->sql, "A SELECT")->required();
  verb->add_option("--limit", options->limit, "At most so many rows (up to 10000)")->capture_default_str();
  verb->add_flag("--json", options->json, "Print JSON");
  verb->callback([&chosen, options] { chosen = [options] { return query(*options); }; });
}

void add_tail(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<TailOptions>();
  CLI::App* verb =
      app.add_subcommand("tail", "Show the rows of a table or view of a running pipeline as they come");
  add_api(verb, options->api);
  verb->add_option("TABLE", options->table, "A source, a sink or a view")->required();
  verb->add_option("--pipeline", options->pipeline, "Whose table, where several have one of the name");
  verb->add_flag("--json", options->json, "Print a JSON object for each row");
  verb->callback([&chosen, options] { chosen = [options] { return tail(*options); }; });
}

void add_trial(CLI::App& app, Chosen& chosen) {
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

void add_top(CLI::App& app, Chosen& chosen) {
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

}  // namespace

void add_asking_verbs(CLI::App& app, Chosen& chosen) {
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
}

}  // namespace leat::cli
