#include "sources/filesystem/filesystem_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "pipelines/column/charset.h"
#include "pipelines/formats/file_header.h"
#include "pipelines/formats/format.h"
#include "pipelines/formats/lines.h"
#include "pipelines/formats/partition_folder.h"
#include "sources/filesystem/file_listing.h"
#include "sources/filesystem/file_matching.h"
#include "sources/filesystem/file_position.h"
#include "sources/filesystem/filesystem_options.h"
#include "sources/filesystem/line_reader.h"
#include "sources/pause_gate.h"

namespace leat::sources {
namespace {

/// How long a bounded source waits before it asks a disk again that has refused.
constexpr Micros kRetry{kMicrosPerSecond};
/// Followed files that are kept open, so that their last lines can be read when their names are gone. Beyond
/// it a file is opened at each look.
constexpr std::size_t kMostOpenFiles = 256;

enum class MetadataField : std::uint8_t { kPath, kName, kSize, kModificationTime, kPartition };

struct Metadatum {
  MetadataField field = MetadataField::kPath;
  Type::Field partition = {};  ///< Of kPartition.
};

Result<MetadataField> metadata_field(const std::string& key) {
  if (key == "file.path") return MetadataField::kPath;
  if (key == "file.name") return MetadataField::kName;
  if (key == "file.size") return MetadataField::kSize;
  if (key == "file.modification-time") return MetadataField::kModificationTime;
  return fail(ErrorCode::kInvalid, fmt::format("the filesystem connector has no metadata '{}'", key));
}

/// What a dead letter says of a file of which the rest is lost.
std::string text_of(const LineReader::Chunk& chunk, const std::string& path) {
  return fmt::format("{}: {}; expanded, its first {} bytes were read, and nothing behind them",
                     make_valid_utf8(path), chunk.damage, chunk.end);
}

/// Lines that end as they did on the first Macs are one line to everybody else: taken for a header, all of
/// them would be passed over.
bool ends_lines_by_returns(std::string_view header) {
  const std::string_view but_last = header.substr(0, header.empty() ? 0 : header.size() - 1);
  return header.find('\n') == std::string_view::npos && but_last.find('\r') != std::string_view::npos;
}

/// What is said of files and folders that we may not read while the rest is read; empty: there are none.
std::string text_of(const ClosedPaths& closed) {
  if (closed.size() < 2) return closed.empty() ? std::string() : closed.front().why;
  return fmt::format("{}, and {} more that cannot be read", closed.front().why, closed.size() - 1);
}

bool is_in(const std::string& path, const ClosedPath& closed) {
  return path == closed.path || (path.starts_with(closed.path) && path[closed.path.size()] == '/');
}

/// In a cluster the bytes of a file that is removed are gone, too.
bool is_gone(const Status& read) {
  return !read && read.error().code == ErrorCode::kNotFound;
}

/// What goes wrong with one file need not hold up the others.
bool is_of_one_file(const Error& error) {
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kConflict ||
         error.code == ErrorCode::kIo;
}

FileSelection selection_in(const FilesystemOptions& options, const Schema& partitions) {
  FileSelection selection = selection_of(options);
  for (const Type::Field& column : partitions.fields) selection.partitions.push_back(column.name);
  return selection;
}

/// A name is bytes; what is no UTF-8 in it is replaced. `text` lies in memory that the column keeps.
void append_name(std::string_view text, ColumnBuilder& out) {
  if (is_valid_utf8(text))
    out.append_view(text);
  else
    out.append_string(make_valid_utf8(text));
}

class FilesystemSource final : public Source {
 public:
  static Result<std::unique_ptr<Source>> build(const OptionMap& map, const SourceContext& context) {
    std::vector<Metadatum> metadata;
    for (const std::string& key : context.metadata_keys) {
      if (const auto partition = context.partitions.find(key)) {
        metadata.push_back({MetadataField::kPartition, context.partitions.fields[*partition]});
        continue;
      }
      LEAT_ASSIGN(const MetadataField field, metadata_field(key));
      metadata.push_back({.field = field});
    }
    const FilesystemOptions options = read_filesystem_options(map);
    return std::unique_ptr<Source>(new FilesystemSource(options, context, std::move(metadata)));
  }
  ~FilesystemSource() override { stop(); }

  Status start(Intake& intake, std::string_view from) override;
  void resume() override { gate_.open(); }
  void stop() override;
  [[nodiscard]] SourceHealth health() const override {
    const std::scoped_lock lock(mutex_);
    return health_;
  }
  [[nodiscard]] std::unique_ptr<PositionTracker> tracker(std::string_view from) const override {
    return std::make_unique<FileTracker>(reading(), decode_position(from).value_or(FilePlaces{}));
  }
  void append_metadata(const Message& message, std::span<ColumnBuilder* const> columns) const override;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(
      const Message& message) const override {
    return {{"path", make_valid_utf8(decode_chunk(message.attributes).path)}};
  }
  [[nodiscard]] std::optional<Refusal> refuse(const Message& message) const override {
    const FileChunk chunk = decode_chunk(message.attributes);
    if (!chunk.damage.empty()) return Refusal{std::string(chunk.damage), message.payload.size()};
    if (chunk.overlong == 0) return std::nullopt;
    return Refusal{
        fmt::format("line of {} bytes is longer than the limit of {} bytes", chunk.overlong, kMaxLineBytes),
        chunk.overlong};
  }

 private:
  FilesystemSource(const FilesystemOptions& options, const SourceContext& context,
                   std::vector<Metadatum> metadata)
      : tree_(tree_of(options)),
        selection_(selection_in(options, context.partitions)),
        is_remote_(clients::is_webhdfs(options.path)),
        compression_(options.compression),
        monitor_interval_(options.monitor_interval),
        chunk_bytes_(context.chunk_bytes),
        splitter_(context.splitter),
        header_(context.header_splitter ? options.header : formats::FileHeader::kNone),
        header_splitter_(context.header_splitter),
        now_(context.now),
        partitions_(context.partitions),
        default_partition_(options.default_partition),
        metadata_(std::move(metadata)),
        is_text_(context.text) {}

  [[nodiscard]] FileReading reading() const {
    return monitor_interval_ ? FileReading::kFollowing : FileReading::kBounded;
  }

  // All below on the source's thread.
  void run();
  /// What stands in the way of a path for good.
  Status check_path() const;
  /// A run that is to end may not read something, or has read nothing and will read nothing.
  [[nodiscard]] bool is_hopeless(const Error& error) const {
    if (reading() == FileReading::kFollowing) return false;
    const bool missing = error.code == ErrorCode::kNotFound || error.code == ErrorCode::kConflict;
    return error.code == ErrorCode::kInvalid || (missing && places_.empty());
  }
  /// One pass over the files. Errors: not found, io; the next pass goes on where this one stopped.
  Status read_files();
  Status read_file(const std::string& path);
  /// How much there is in all files, and in those before the first that is still read.
  void measure(const FoundFiles& files, FoundFiles::const_iterator first);
  /// `taken` bytes of the present file.
  void show_progress(std::uint64_t taken);
  /// What there is of the files that are followed.
  struct Look {
    FoundFiles files;
    ClosedPaths closed;
    FileMatches matches;
  };
  Result<Look> look() const;
  /// One look at the files that are followed, and all that is new in them.
  Status follow_files();
  /// What is new in those that are there.
  Status follow_found(Look& look);
  /// What has been written to files whose names are gone.
  Status read_open_files();
  Status read_left(const FileMatches& matches);
  void rename_places(const FileMatches& matches);
  void forget(const std::string& path);
  Status follow_file(const std::string& path, const FileFacts& facts);
  /// What is new in a followed file.
  Status read_on(const std::string& path, std::uint64_t inode, LineReader::LastLine last_line);
  Status read_lines(LineReader& reader, const std::string& path, LineReader::LastLine last_line);
  /// A reader at the file's beginning goes behind its header. False: there is none yet, or none that can be
  /// read.
  Result<bool> pass_header(LineReader& reader, const std::string& path, LineReader::LastLine last_line);
  /// Why a file has no place in the table, by the folders it is in; empty: it has one.
  [[nodiscard]] std::string misplaced(const std::string& path) const;
  /// Hands a chunk on. False: nothing is to follow of its file.
  bool give(const LineReader& reader, LineReader::Chunk chunk, const std::string& path);
  /// False: the source is to end.
  bool append(const LineReader& reader, const LineReader::Chunk& chunk, const std::string& path,
              const FilePlace& place);
  [[nodiscard]] Result<std::unique_ptr<LineReader>> open(const std::string& path) const {
    return LineReader::open(*tree_, path, compression_, chunk_bytes_, splitter_);
  }
  /// Where to begin in a file that has just been opened.
  [[nodiscard]] FilePlace place_in(const std::string& path, const LineReader& reader) const;
  void set_health(SourceHealth::Link link, std::string detail = {}) {
    const std::scoped_lock lock(mutex_);
    health_.link = link;
    health_.detail = std::move(detail);
  }
  void set_trouble(std::string trouble) {
    const std::scoped_lock lock(mutex_);
    health_.trouble = std::move(trouble);
  }

  const std::unique_ptr<FileTree> tree_;  // Before the readers of its files.
  const FileSelection selection_;
  const bool is_remote_;
  const FileCompression compression_;
  const std::optional<Micros> monitor_interval_;
  const std::size_t chunk_bytes_;
  const formats::RecordSplitter splitter_;
  const formats::FileHeader header_;
  const formats::RecordSplitter header_splitter_;  // Not null where there are headers.
  const std::function<std::int64_t()> now_;
  const Schema partitions_;
  const std::string default_partition_;
  const std::vector<Metadatum> metadata_;
  const bool is_text_;
  Intake* intake_ = nullptr;  // The runtime's; outlives the source. From `start` to `stop`.
  FilePlaces places_;
  std::uint64_t done_bytes_ = 0;  // Of the files that a bounded source is through with.
  PlaceChanges changes_;          // Since the last message.
  std::map<std::string, std::unique_ptr<LineReader>> open_;  // Followed files, by path.
  /// Followed files that are remote or compressed, as they were found when they were last read to their ends.
  struct Seen {
    FileFacts facts;
    bool left_last_line = false;  ///< Of a compressed one: a line without an end is behind what was read.
  };
  std::map<std::string, Seen, std::less<>> seen_;
  std::set<std::string> leaving_;  // Their files were gone at the last look; read to the end at the next one.
  /// What the metadata of the rows of a message are made of, of the last one. On the loop.
  struct Origin {
    std::string attributes;
    FileChunk chunk;
    std::vector<std::string> partitions;  // As metadata_; empty where it is no partition.
  };
  [[nodiscard]] const Origin& origin_of(const Message& message) const;
  mutable Origin origin_;
  std::string attributes_;  // Scratch.
  mutable std::mutex mutex_;
  SourceHealth health_;
  PauseGate gate_;
  std::thread thread_;
};

Status FilesystemSource::start(Intake& intake, std::string_view from) {
  LEAT_ASSIGN(places_, decode_position(from));
  // A cluster may take its time.
  if (!is_remote_) LEAT_TRY(check_path());
  intake_ = &intake;
  thread_ = std::thread([this] { run(); });
  return {};
}

/// Nobody waits for a file in a run that is to end: it is named at once. One that follows waits for whatever
/// may come, but not for what can never be followed.
Status FilesystemSource::check_path() const {
  if (reading() == FileReading::kBounded) {
    LEAT_TRY(find_files(*tree_, selection_));
    return {};
  }
  const auto there = tree_->look(selection_.path);
  const bool other = there && *there && (*there)->kind == FileEntry::Kind::kOther;
  return other ? Status(tl::unexpected<Error>(no_file(selection_.path))) : Status();
}

void FilesystemSource::stop() {
  gate_.stop();
  tree_->interrupt();
  if (intake_ != nullptr) intake_->interrupt();
  if (thread_.joinable()) thread_.join();
  intake_ = nullptr;
}

void FilesystemSource::run() {
  while (!gate_.stopped()) {
    const Status pass = read_files();
    if (gate_.stopped()) return;
    if (pass && reading() == FileReading::kBounded) {
      intake_->end();
      return set_health(SourceHealth::Link::kEnded);
    }
    if (!pass && is_hopeless(pass.error())) {
      set_health(SourceHealth::Link::kFailed, pass.error().message);
      return intake_->end();
    }
    const Micros pause = monitor_interval_.value_or(kRetry);
    if (pass) {
      set_health(SourceHealth::Link::kIdle);
    } else {
      set_trouble({});
      set_health(SourceHealth::Link::kUnreadable,
                 fmt::format("{}, next look in {}", pass.error().message, format_duration(pause)));
    }
    if (!gate_.wait_for(pause)) return;
  }
}

Status FilesystemSource::read_files() {
  if (reading() == FileReading::kFollowing) return follow_files();
  LEAT_ASSIGN(const FoundFiles files, find_files(*tree_, selection_));
  // The position names the file that was read last; the ones before it are done.
  const auto first = places_.empty() ? files.begin() : files.lower_bound(places_.rbegin()->first);
  measure(files, first);
  for (auto file = first; file != files.end() && !gate_.stopped(); ++file) {
    LEAT_TRY(read_file(file->first));
    done_bytes_ += file->second.size;
    show_progress(0);
  }
  return {};
}

void FilesystemSource::measure(const FoundFiles& files, FoundFiles::const_iterator first) {
  done_bytes_ = 0;
  std::uint64_t left = 0;
  for (auto file = files.begin(); file != first; ++file) done_bytes_ += file->second.size;
  for (auto file = first; file != files.end(); ++file) left += file->second.size;
  const std::scoped_lock lock(mutex_);
  health_.whole_bytes = done_bytes_ + left;
  health_.done_bytes = done_bytes_;
}

void FilesystemSource::show_progress(std::uint64_t taken) {
  if (reading() == FileReading::kFollowing) return;
  const std::scoped_lock lock(mutex_);
  health_.done_bytes = done_bytes_ + taken;
}

Status FilesystemSource::read_file(const std::string& path) {
  auto opened = open(path);
  if (!opened && opened.error().code == ErrorCode::kNotFound && path != selection_.path) return {};
  if (!opened) return tl::unexpected<Error>(opened.error());
  const Status read = read_lines(**opened, path, LineReader::LastLine::kComplete);
  // What a batch has begun it must not pass for whole.
  if (is_gone(read))
    return fail(ErrorCode::kInvalid, fmt::format("{} was removed while it was read", make_valid_utf8(path)));
  return read;
}

Result<FilesystemSource::Look> FilesystemSource::look() const {
  Look look;
  LEAT_ASSIGN(look.files, find_files(*tree_, selection_, &look.closed));
  look.matches = match_files(places_, look.files);
  // What we may not see for now is not gone, and keeps its place.
  std::erase_if(look.matches.left, [&](const std::string& path) {
    return std::ranges::any_of(look.closed, [&](const ClosedPath& closed) { return is_in(path, closed); });
  });
  return look;
}

Status FilesystemSource::follow_files() {
  auto look = this->look();
  if (!look) {
    LEAT_TRY(read_open_files());
    return tl::unexpected<Error>(look.error());
  }
  if (!look->matches.left.empty()) {
    // A file that is renamed during a look may be in it under neither name; the second look has it.
    look = this->look();
    if (!look) return tl::unexpected<Error>(look.error());
  }
  LEAT_TRY(read_left(look->matches));
  if (gate_.stopped()) return {};
  rename_places(look->matches);
  return follow_found(*look);
}

Status FilesystemSource::follow_found(Look& look) {
  bool any = false;
  const auto follow = [&](const std::string& path) -> Status {
    const Status read = follow_file(path, look.files.at(path));
    any = any || read.has_value();
    if (read || !is_of_one_file(read.error())) return read;
    look.closed.push_back({path, read.error().message});
    return {};
  };
  // What was written to a rotated file is older than its successor's lines.
  for (const auto& [path, from] : look.matches.moved) LEAT_TRY(follow(path));
  for (const auto& [path, facts] : look.files)
    if (!look.matches.moved.contains(path) && !leaving_.contains(path)) LEAT_TRY(follow(path));
  if (!any && !look.closed.empty()) return fail(ErrorCode::kInvalid, text_of(look.closed));
  set_trouble(text_of(look.closed));
  return {};
}

Status FilesystemSource::read_open_files() {
  for (const auto& [path, reader] : open_) {
    const Status read = read_lines(*reader, path, LineReader::LastLine::kAwaited);
    if (!read && !is_gone(read)) return read;
  }
  return {};
}

/// Whoever writes a file may go on for a moment after it was renamed or removed. So it is read once more at
/// the next look, then its last line is complete; only then a new file under its path is begun.
Status FilesystemSource::read_left(const FileMatches& matches) {
  std::set<std::string> leaving;
  for (const std::string& path : matches.left) {
    if (gate_.stopped()) return {};
    const auto reader = open_.find(path);
    const bool last_look = leaving_.contains(path) || matches.moved.contains(path);
    Status read;
    if (reader != open_.end())
      read = read_lines(*reader->second, path,
                        last_look ? LineReader::LastLine::kComplete : LineReader::LastLine::kAwaited);
    if (gate_.stopped()) return {};
    if (is_gone(read)) read = {};
    if (reader == open_.end() || last_look || !read)
      forget(path);
    else
      leaving.insert(path);
    LEAT_TRY(read);
  }
  leaving_ = std::move(leaving);
  return {};
}

void FilesystemSource::forget(const std::string& path) {
  places_.erase(path);
  open_.erase(path);
  seen_.erase(path);
  changes_[path] = std::nullopt;
}

void FilesystemSource::rename_places(const FileMatches& matches) {
  // All are taken out before one is put in: the names of a rotation form a chain.
  FilePlaces places;
  std::map<std::string, std::unique_ptr<LineReader>> open;
  for (const auto& [path, from] : matches.moved) {
    places.emplace(path, places_.at(from));
    if (const auto reader = open_.find(from); reader != open_.end())
      open.emplace(path, std::move(reader->second));
    forget(from);
  }
  for (const auto& [path, place] : places) changes_[path] = place;
  places_.merge(places);
  open_.merge(open);
}

Status FilesystemSource::follow_file(const std::string& path, const FileFacts& facts) {
  if (gate_.stopped()) return {};
  // To look into a plain file of this machine costs next to nothing, and tells of more than size and time do.
  const bool costs = is_remote_ || is_compressed(path, compression_);
  auto last_line = LineReader::LastLine::kAwaited;
  if (costs) {
    Seen& seen = seen_[path];
    const bool unchanged = seen.facts == facts;
    if (unchanged && !seen.left_last_line) return {};
    // Whoever writes compressed files in parts may end one amid a line: it is taken once nothing follows.
    if (unchanged) last_line = LineReader::LastLine::kIfWhole;
    seen = {facts};
  }
  const Status read = read_on(path, facts.id, last_line);
  if (!read) seen_.erase(path);
  return is_gone(read) ? Status() : read;
}

Status FilesystemSource::read_on(const std::string& path, std::uint64_t inode,
                                 LineReader::LastLine last_line) {
  const auto kept = open_.find(path);
  if (kept != open_.end()) return read_lines(*kept->second, path, last_line);
  auto opened = open(path);
  if (!opened && opened.error().code != ErrorCode::kNotFound) return tl::unexpected<Error>(opened.error());
  if (!opened || (*opened)->file().inode() != inode) {
    seen_.erase(path);  // Gone or renamed since the look; the next one sees it.
    return {};
  }
  LEAT_TRY(read_lines(**opened, path, last_line));
  const bool compressed = is_compressed(path, compression_);
  if (compressed) seen_[path].left_last_line = (*opened)->left_last_line();
  const bool kept_open = places_.contains(path) && !compressed;
  if (kept_open && open_.size() < kMostOpenFiles) open_.emplace(path, *std::move(opened));
  return {};
}

FilePlace FilesystemSource::place_in(const std::string& path, const LineReader& reader) const {
  const auto found = places_.find(path);
  const bool same = found != places_.end() && found->second.inode == reader.file().inode();
  return same ? found->second : FilePlace{};
}

Status FilesystemSource::read_lines(LineReader& reader, const std::string& path,
                                    LineReader::LastLine last_line) {
  const FilePlace from = place_in(path, reader);
  if (from.offset == kNoFurther) return {};
  // By now the path may be another file's.
  if (header_ == formats::FileHeader::kNames && from.offset > 0)
    LEAT_TRY(reader.find_header(header_splitter_));
  LEAT_TRY(reader.seek(from.offset, from.tail));
  bool more = true;
  if (const std::string why = misplaced(path); reader.offset() == 0 && !why.empty())
    more = give(reader, {.damage = why}, path);
  if (more && header_ != formats::FileHeader::kNone && reader.offset() == 0) {
    LEAT_ASSIGN(more, pass_header(reader, path, last_line));
  }
  while (more && !gate_.stopped()) {
    const bool first = reader.offset() == 0;
    LEAT_ASSIGN(LineReader::Chunk chunk, reader.next(last_line));
    if (chunk.bytes.empty() && chunk.damage.empty()) break;
    if (first && is_text_) chunk.bytes = formats::without_byte_order_mark(chunk.bytes);
    if (!chunk.damage.empty()) chunk.damage = text_of(chunk, path);
    more = give(reader, std::move(chunk), path);
  }
  reader.free_buffer();
  return {};
}

Result<bool> FilesystemSource::pass_header(LineReader& reader, const std::string& path,
                                           LineReader::LastLine last_line) {
  LEAT_ASSIGN(auto header, reader.first_record(header_splitter_, last_line));
  if (!header) return false;
  if (!header->damage.empty()) header->damage = text_of(*header, path);
  if (header->damage.empty() && header->overlong == 0 && ends_lines_by_returns(header->bytes))
    header = {.bytes = header->bytes.substr(0, kKeptLineBytes),
              .damage = fmt::format("{}: its lines end with carriage returns alone; end them with newlines",
                                    make_valid_utf8(path))};
  if (!header->damage.empty() || header->overlong > 0) return give(reader, *std::move(header), path);
  return true;
}

std::string FilesystemSource::misplaced(const std::string& path) const {
  for (const Type::Field& column : partitions_.fields) {
    const auto text = formats::partition_text(path, column.name);
    if (!text) return fmt::format("{} is in no folder '{}=…'", make_valid_utf8(path), column.name);
    ColumnBuilder value(column.type);
    if (formats::append_partition(*text, default_partition_, column.type, value)) continue;
    const std::string place =
        fmt::format("{}: column '{}' of the folders: ", make_valid_utf8(path), column.name);
    if (!is_valid_utf8(*text)) return place + "invalid UTF-8";
    return place + fmt::format("expected {}, found \"{}\"", column.type.to_string(), *text);
  }
  return {};
}

bool FilesystemSource::give(const LineReader& reader, LineReader::Chunk chunk, const std::string& path) {
  const bool damaged = !chunk.damage.empty();
  const FilePlace place{damaged ? kNoFurther : chunk.end, reader.file().inode(), reader.tail()};
  if (!append(reader, chunk, path, place)) return false;
  places_[path] = place;
  show_progress(reader.file().taken());
  return !damaged;
}

bool FilesystemSource::append(const LineReader& reader, const LineReader::Chunk& chunk,
                              const std::string& path, const FilePlace& place) {
  const FileFacts facts = reader.file().facts();
  encode_chunk({path, place, facts.size, facts.mtime, chunk.overlong, chunk.damage}, changes_, attributes_);
  const bool has_names = header_ == formats::FileHeader::kNames && chunk.damage.empty();
  const std::string_view names = has_names ? reader.header() : "";
  while (!gate_.stopped()) {
    const Appended appended = intake_->append(chunk.bytes, names, attributes_, now_());
    if (appended == Appended::kStored) break;
    set_health(SourceHealth::Link::kPaused, selection_.path + ": the intake is full");
    const bool goes_on = appended == Appended::kFailed ? gate_.wait_for(kRetry) : gate_.wait_for_room();
    if (!goes_on) return false;
    set_health(SourceHealth::Link::kIdle);
    if (appended == Appended::kAboveHigh) break;  // It is stored.
  }
  changes_.clear();
  return true;
}

const FilesystemSource::Origin& FilesystemSource::origin_of(const Message& message) const {
  if (origin_.attributes == message.attributes) return origin_;
  origin_ = {std::string(message.attributes), {}, {}};
  origin_.chunk = decode_chunk(origin_.attributes);
  for (const Metadatum& metadatum : metadata_)
    origin_.partitions.push_back(
        formats::partition_text(origin_.chunk.path, metadatum.partition.name).value_or(""));
  return origin_;
}

void FilesystemSource::append_metadata(const Message& message,
                                       std::span<ColumnBuilder* const> columns) const {
  const Origin& origin = origin_of(message);
  // Texts lie in the message, which the columns keep.
  const std::string_view path =
      message.attributes.substr(static_cast<std::size_t>(origin.chunk.path.data() - origin.attributes.data()),
                                origin.chunk.path.size());
  for (std::size_t i = 0; i < metadata_.size(); ++i) {
    switch (metadata_[i].field) {
      case MetadataField::kPath:
        append_name(path, *columns[i]);
        break;
      case MetadataField::kName:
        append_name(path.substr(path.rfind('/') + 1), *columns[i]);
        break;
      case MetadataField::kSize:
        columns[i]->append<std::int64_t>(static_cast<std::int64_t>(origin.chunk.size));
        break;
      case MetadataField::kModificationTime:
        columns[i]->append<std::int64_t>(floor_div(origin.chunk.mtime, kMicrosPerMilli) * kMicrosPerMilli);
        break;
      case MetadataField::kPartition:
        // It was judged when the file was opened.
        if (!formats::append_partition(origin.partitions[i], default_partition_, metadata_[i].partition.type,
                                       *columns[i]))
          columns[i]->append_null();
        break;
    }
  }
}

std::vector<plan::MetadataColumn> metadata_columns(const OptionMap&) {
  return {{.key = "file.path", .type = Type::string().with_nullable(false), .doc = "Whole path of the file."},
          {.key = "file.name", .type = Type::string().with_nullable(false), .doc = "Its name."},
          {.key = "file.size", .type = Type::big_int().with_nullable(false), .doc = "Its size in bytes."},
          {.key = "file.modification-time",
           .type = Type::timestamp_ltz(3).with_nullable(false),
           .doc = "When it was last written."}};
}

}  // namespace

FileLookupOptions file_lookup_options(const OptionMap& map) {
  const FilesystemOptions options = read_filesystem_options(map);
  return {selection_of(options), options.monitor_interval, options.lookup_max_rows};
}

SourceConnector filesystem_connector() {
  SourceConnector connector;
  connector.info = {
      .name = "filesystem",
      .doc = "Reads the lines of files, once or following them as they grow.",
      .can_read = true,
      .can_look_up = true,
      .refuse_lookup =
          [](const OptionMap& map) {
            // It would hold up all pipelines until the cluster answers.
            const bool remote = clients::is_webhdfs(read_filesystem_options(map).path);
            return std::string(remote ? "its files are in a cluster" : "");
          },
      .has_partitions = true,
      .needs_format = true,
      .source_options = [] { return filesystem_options().docs(); },
      .validate_source =
          [](const OptionMap& map, const std::vector<OptionDoc>& foreign, std::vector<OptionError>& errors) {
            read_filesystem_options(map, foreign, errors);
            formats::check_in_files(map, errors);
          },
      .metadata = metadata_columns,
      .bounded =
          [](const OptionMap& map) { return !read_filesystem_options(map).monitor_interval.has_value(); }};
  connector.intake = IntakeKind::kMemory;
  connector.framing = formats::Framing::kLines;
  connector.names_fields = [](const OptionMap& map) {
    return read_filesystem_options(map).header == formats::FileHeader::kNames;
  };
  connector.build = FilesystemSource::build;
  // A few chunks of look-ahead; the file itself is the queue.
  connector.intake_options = [](const OptionMap&) { return IntakeOptions{.size = {4U << 20}}; };
  return connector;
}

}  // namespace leat::sources
