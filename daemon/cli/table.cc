// leat table: the local tables of the running daemon, or of a store that nobody runs on.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <ranges>

#include "daemon/cli/api_client.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/verbs.h"
#include "daemon/runtime/pipeline_file.h"
#include "daemon/runtime/table_load.h"
#include "daemon/store/store.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/lines.h"

namespace leat::cli {
namespace {

using nlohmann::ordered_json;

/// What the API takes in one request.
constexpr std::size_t kRequestBytes = 64 << 10;

int complain(const Error& error) {
  fmt::print(stderr, "leat table: {}\n", error.message);
  return kFailed;
}

ordered_json request_of(const runtime::TableText& text) {
  return {{"format", text.format}, {"columns", text.columns}, {"rows", text.text}};
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
                client_.post("/api/v1/tables/" + segment(table) + "/rows", request_of(text)));
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

/// Takes a field away from a line of CSV, with the comma behind it. False: there is none behind it.
bool take_field(std::string_view& line, std::string& field) {
  bool quoted = false;
  field.clear();
  while (!line.empty()) {
    const char c = line.front();
    line.remove_prefix(1);
    if (c == ',' && !quoted) return true;
    if (c != '"') {
      field += c;
    } else if (quoted && line.starts_with('"')) {
      field += c;
      line.remove_prefix(1);
    } else {
      quoted = !quoted;
    }
  }
  return false;
}

/// The names in the first line of a CSV file, which is taken away from `text`.
std::vector<std::string> take_header(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);  // What some editors put before UTF-8.
  std::vector<std::string> names;
  std::string field;
  bool more = true;
  while (more) {
    more = take_field(line, field);
    const std::size_t begin = std::min(field.find_first_not_of(' '), field.size());
    names.push_back(field.substr(begin, field.find_last_not_of(' ') + 1 - begin));
  }
  return names;
}

/// How much of a text becomes a JSON string of at most so many bytes.
std::size_t length_within(std::string_view text, std::size_t bytes) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const bool has_short = byte == '"' || byte == '\\' || byte == '\n' || byte == '\r' || byte == '\t';
    const std::size_t escaped = has_short ? 2 : byte < 0x20 ? 6 : 1;
    if (escaped > bytes) return at;
    bytes -= escaped;
  }
  return text.size();
}

std::size_t whole_records(const formats::RecordSplitter& split, std::string_view text) {
  return split ? split(text, formats::Behind::kMore) : text.rfind('\n') + 1;  // npos + 1 is 0.
}

/// The length of the record that `text` begins with, which is longer than `known`.
std::size_t long_record(const formats::RecordSplitter& split, std::string_view text, std::size_t known) {
  const auto is_cut = [&](std::size_t length) { return whole_records(split, text.substr(0, length)) == 0; };
  std::size_t enough = std::min(known + 1, text.size());
  while (enough < text.size() && is_cut(enough)) enough = std::min(2 * enough, text.size());
  const auto lengths = std::views::iota(known + 1, enough);
  return known + 1 +
         static_cast<std::size_t>(std::ranges::partition_point(lengths, is_cut) - lengths.begin());
}

Result<formats::RecordSplitter> splitter_of(const std::string& format) {
  const formats::Format* const found = formats::find_format(format);
  if (found == nullptr)
    return fail(ErrorCode::kInvalid, fmt::format("there is no format '{}': csv or json", format));
  if (!found->make_splitter) return formats::RecordSplitter();
  return found->make_splitter({});
}

Error too_long(const TableOptions& options, std::string_view before, std::size_t record) {
  return {ErrorCode::kInvalid,
          fmt::format("'{}', line {}: the record has {} bytes, and the daemon takes {} at once: stop it, and "
                      "load the file with '--state DIR', its data folder",
                      options.file, std::ranges::count(before, '\n') + 1, record, kRequestBytes)};
}

/// The file from `begin` on in pieces of whole records, each of one request. Refused before anything is
/// loaded: a record that does not fit into one.
Result<std::vector<std::string_view>> pieces_of(const TableOptions& options, const runtime::TableText& empty,
                                                std::string_view file, std::size_t begin) {
  LEAT_ASSIGN(const formats::RecordSplitter split, splitter_of(empty.format));
  const std::size_t room = kRequestBytes - std::min(request_of(empty).dump().size(), kRequestBytes);
  std::vector<std::string_view> pieces;
  while (begin < file.size()) {
    const std::string_view rest = file.substr(begin);
    const std::size_t fitting = length_within(rest, room);
    std::size_t piece = fitting == rest.size() ? fitting : whole_records(split, rest.substr(0, fitting));
    if (piece == 0) {
      piece = long_record(split, rest, fitting);
      if (options.state.empty())
        return tl::unexpected<Error>(too_long(options, file.substr(0, begin), piece));
    }
    pieces.push_back(rest.substr(0, piece));
    begin += piece;
  }
  return pieces;
}

/// Piece by piece; `all` is what has been loaded, also of a load that fails.
Status load_file(Place& place, const TableOptions& options, runtime::Loaded& all) {
  const bool json = options.file.ends_with(".json") || options.file.ends_with(".jsonl");
  runtime::TableText piece{.format = !options.format.empty() ? options.format : json ? "json" : "csv"};
  LEAT_ASSIGN(const std::string file, text_of(options.file));
  std::string_view rest = file;
  if (piece.format == "csv") piece.columns = take_header(rest);
  LEAT_ASSIGN(const auto pieces, pieces_of(options, piece, file, file.size() - rest.size()));
  for (const std::string_view text : pieces) {
    piece.text = text;
    LEAT_ASSIGN(const runtime::Loaded loaded, place.load(options.table, piece));
    all.rows += loaded.rows;
    all.refused += loaded.refused;
    if (all.first_refusal.empty()) all.first_refusal = loaded.first_refusal;
  }
  return {};
}

int load(Place& place, const TableOptions& options) {
  runtime::Loaded loaded;
  const Status whole = load_file(place, options, loaded);
  if (whole || loaded.rows > 0)
    fmt::print("{} row{} into '{}'{}\n", loaded.rows, loaded.rows == 1 ? "" : "s", options.table,
               whole ? "" : ", before this happened:");
  if (loaded.refused > 0)
    fmt::print(stderr, "leat table: {} record{} not fit and {} left out; the first: {}\n", loaded.refused,
               loaded.refused == 1 ? " does" : "s do", loaded.refused == 1 ? "was" : "were",
               loaded.first_refusal);
  if (!whole) return complain(whole.error());
  return loaded.refused == 0 ? kOk : kFailed;
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
