// leat table: the local tables of the running daemon, or of a store that nobody runs on.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/verbs.h"
#include "daemon/runtime/pipeline_file.h"
#include "daemon/runtime/table_load.h"
#include "daemon/store/store.h"
#include "pipelines/formats/format.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

/// What one request carries: escaped as JSON it must fit into what the API takes, 64 KiB.
constexpr std::size_t kPieceBytes = 24 * 1024;

int complain(const Error& error) {
  fmt::print(stderr, "leat table: {}\n", error.message);
  return kFailed;
}

/// A table's place: the daemon that runs, or a folder.
class Place {
 public:
  virtual ~Place() = default;
  virtual Result<std::vector<ordered_json>> list() = 0;
  virtual Result<runtime::Loaded> load(const std::string& table, const runtime::TableText& text) = 0;
  virtual Status change(const std::string& table, const std::string& what) = 0;
};

class Daemon final : public Place {
 public:
  explicit Daemon(ApiClient client) : client_(std::move(client)) {}

  Result<std::vector<ordered_json>> list() override {
    LEAT_ASSIGN(const ordered_json answer, client_.get("/api/v1/tables"));
    std::vector<ordered_json> tables;
    for (const ordered_json& table : answer.at("tables")) tables.push_back(table);
    return tables;
  }
  Result<runtime::Loaded> load(const std::string& table, const runtime::TableText& text) override {
    LEAT_ASSIGN(const ordered_json answer,
                client_.post("/api/v1/tables/" + segment(table) + "/rows",
                             {{"format", text.format}, {"columns", text.columns}, {"rows", text.text}}));
    return runtime::Loaded{answer.value("rows", std::uint64_t{0}), answer.value("refused", std::uint64_t{0}),
                           answer.value("first_refusal", std::string())};
  }
  Status change(const std::string& table, const std::string& what) override {
    LEAT_TRY(client_.post("/api/v1/tables/" + segment(table) + "/" + what, ordered_json::object())
                 .map([](const ordered_json&) {}));
    return {};
  }

 private:
  ApiClient client_;
};

ordered_json as_json(const store::TableStatus& table) {
  ordered_json users = ordered_json::array();
  for (const auto& user : table.users)
    users.push_back({{"pipeline", user.pipeline.value}, {"role", user.role}});
  return {{"name", table.name},
          {"rows", table.rows},
          {"indexes", table.indexes},
          {"users", std::move(users)},
          {"migration_wanted", table.migration_wanted},
          {"declaration", runtime::declaration_of(table)}};
}

/// A store under its lock.
class Folder final : public Place {
 public:
  static Result<std::unique_ptr<Place>> open(const std::string& folder) {
    store::StoreOptions options{.path = folder + "/leat.db"};
    std::error_code failed;
    if (!std::filesystem::exists(options.path, failed))
      return fail(ErrorCode::kNotFound, fmt::format("there is no store in '{}'", folder));
    std::vector<std::string> notes;
    std::unique_ptr<Folder> made(new Folder);
    LEAT_ASSIGN(made->store_, store::Store::open(std::move(options), notes));
    for (const std::string& note : notes) fmt::print(stderr, "leat table: {}\n", note);
    return made;
  }
  ~Folder() override {
    if (store_) store_->close();
  }

  Result<std::vector<ordered_json>> list() override {
    LEAT_ASSIGN(const auto tables, store_->tables().list());
    std::vector<ordered_json> all;
    for (const store::TableStatus& table : tables) all.push_back(as_json(table));
    return all;
  }
  Result<runtime::Loaded> load(const std::string& table, const runtime::TableText& text) override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return runtime::load_into_table(store_->tables(), table, text,
                                    std::chrono::duration_cast<Micros>(now).count());
  }
  Status change(const std::string& table, const std::string& what) override {
    return what == "drop" ? store_->tables().drop(table) : store_->tables().migrate(table);
  }

 private:
  Folder() = default;
  std::unique_ptr<store::Store> store_;
};

Result<std::unique_ptr<Place>> place_of(const TableOptions& options) {
  if (!options.state.empty()) return Folder::open(options.state);
  LEAT_ASSIGN(ApiClient client, ApiClient::find(options.api));
  return std::make_unique<Daemon>(std::move(client));
}

// ---- Loading ---------------------------------------------------------------------------------------------

Result<std::string> text_of(const std::string& path) {
  auto read = runtime::read_file(path);
  if (!read) return fail(ErrorCode::kInvalid, read.error().message);
  std::string text = *std::move(read);
  if (!simdjson::validate_utf8(text))
    return fail(ErrorCode::kInvalid, fmt::format("'{}' is no UTF-8 text", path));
  return text;
}

/// The names in the first line of a CSV file, which is taken away from `text`.
std::vector<std::string> take_header(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // What some editors put before UTF-8.
  std::vector<std::string> names;
  while (true) {
    const std::size_t comma = line.find(',');
    std::string_view name = line.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"'))
      name = name.substr(1, name.size() - 2);
    names.emplace_back(name);
    if (comma == std::string_view::npos) return names;
    line.remove_prefix(comma + 1);
  }
}

/// Where the piece of whole records ends that `text` begins with.
std::size_t piece_of(const formats::RecordSplitter& split, std::string_view text) {
  if (text.size() <= kPieceBytes) return text.size();
  for (std::size_t length = kPieceBytes;; length = std::min(2 * length, text.size())) {
    const std::string_view begin = text.substr(0, length);
    const std::size_t whole =
        split ? split(begin, formats::Behind::kMore) : begin.rfind('\n') + 1;  // npos + 1 is 0.
    if (whole > 0) return whole;
    if (length == text.size()) return length;
  }
}

Result<formats::RecordSplitter> splitter_of(const std::string& format) {
  const formats::Format* const found = formats::find_format(format);
  if (found == nullptr)
    return fail(ErrorCode::kInvalid, fmt::format("there is no format '{}': csv or json", format));
  if (!found->make_splitter) return formats::RecordSplitter();
  return found->make_splitter({});
}

Result<runtime::Loaded> load_file(Place& place, const TableOptions& options) {
  const bool json = options.file.ends_with(".json") || options.file.ends_with(".jsonl");
  runtime::TableText piece{.format = !options.format.empty() ? options.format : json ? "json" : "csv"};
  LEAT_ASSIGN(const std::string file, text_of(options.file));
  LEAT_ASSIGN(const formats::RecordSplitter split, splitter_of(piece.format));
  std::string_view rest = file;
  if (piece.format == "csv") piece.columns = take_header(rest);
  runtime::Loaded all;
  while (!rest.empty()) {
    piece.text = rest.substr(0, piece_of(split, rest));
    rest.remove_prefix(piece.text.size());
    LEAT_ASSIGN(const runtime::Loaded loaded, place.load(options.table, piece));
    all.rows += loaded.rows;
    all.refused += loaded.refused;
    if (all.first_refusal.empty()) all.first_refusal = loaded.first_refusal;
  }
  return all;
}

int load(Place& place, const TableOptions& options) {
  const auto loaded = load_file(place, options);
  if (!loaded) return complain(loaded.error());
  fmt::print("{} row{} into '{}'\n", loaded->rows, loaded->rows == 1 ? "" : "s", options.table);
  if (loaded->refused == 0) return kOk;
  fmt::print(stderr, "leat table: {} record{} not fit and {} left out; the first: {}\n", loaded->refused,
             loaded->refused == 1 ? " does" : "s do", loaded->refused == 1 ? "was" : "were",
             loaded->first_refusal);
  return kFailed;
}

// ---- Telling ---------------------------------------------------------------------------------------------

std::string users_of(const ordered_json& table) {
  std::string users;
  for (const ordered_json& user : table.at("users"))
    users += fmt::format("{}{} {}", users.empty() ? "" : ", ", user.at("pipeline").get<std::string>(),
                         user.at("role").get<std::string>());
  return users.empty() ? "no pipeline uses it" : users;
}

int list(Place& place) {
  const auto tables = place.list();
  if (!tables) return complain(tables.error());
  for (const ordered_json& table : *tables)
    fmt::print("{:<24} {:>12} rows  {}{}\n", table.at("name").get<std::string>(),
               table.at("rows").get<std::uint64_t>(), users_of(table),
               table.at("migration_wanted").get<bool>() ? "; a pipeline wants another shape" : "");
  if (tables->empty()) fmt::print("no tables: a pipeline makes one with 'connector' = 'sqlite'\n");
  return kOk;
}

int show(Place& place, const TableOptions& options) {
  const std::string& name = options.table;
  const auto tables = place.list();
  if (!tables) return complain(tables.error());
  const auto found = std::ranges::find_if(
      *tables, [&](const ordered_json& table) { return table.at("name").get<std::string>() == name; });
  if (found == tables->end()) return complain({ErrorCode::kNotFound, "there is no table '" + name + "'"});
  fmt::print("{}\n\n{} rows; {}\n", found->at("declaration").get<std::string>(),
             found->at("rows").get<std::uint64_t>(), users_of(*found));
  for (const ordered_json& index : found->at("indexes")) fmt::print("index ({})\n", index.get<std::string>());
  if (found->at("migration_wanted").get<bool>())
    fmt::print(
        "{}\n",
        with_place(
            fmt::format("a pipeline declares it in another shape: 'leat table migrate {}' rebuilds it so",
                        name),
            options.api));
  return kOk;
}

int change(Place& place, const std::string& table, const std::string& what) {
  if (const Status changed = place.change(table, what); !changed) return complain(changed.error());
  if (what == "drop")
    fmt::print("'{}' is gone\n", table);
  else
    fmt::print("'{}' is rebuilt; restart the pipeline that was refused\n", table);
  return kOk;
}

}  // namespace

int table(const TableOptions& options) {
  const auto place = place_of(options);
  if (!place) return complain(place.error());
  switch (options.action) {
    case TableOptions::Action::kLoad:
      return load(**place, options);
    case TableOptions::Action::kList:
      return list(**place);
    case TableOptions::Action::kShow:
      return show(**place, options);
    case TableOptions::Action::kDrop:
      return change(**place, options.table, "drop");
    case TableOptions::Action::kMigrate:
      return change(**place, options.table, "migrate");
  }
  return kUsage;
}

}  // namespace leat::cli
