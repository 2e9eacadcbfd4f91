#include "pipelines/formats/protobuf_schema.h"

#include <fmt/format.h>
#include <google/protobuf/any.pb.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/empty.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <optional>
#include <set>
#include <vector>

#include "pipelines/base/nearest.h"

namespace leat::formats {
namespace {

namespace pb = google::protobuf;

constexpr const char* kUserFile = "the .proto file";

/// Keeps the first error.
class FirstError final : public pb::io::ErrorCollector, public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("line {}, column {}: {}", line + 1, column + 1, message);
  }
  void AddError(const std::string& /*file*/, const std::string& element, const pb::Message* /*descriptor*/,
                ErrorLocation /*location*/, const std::string& message) override {
    if (text_.empty()) text_ = element.empty() ? message : element + ": " + message;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// The files that protobuf brings along, by the names under which they are imported.
const std::vector<const pb::FileDescriptor*>& known_files() {
  static const std::vector<const pb::FileDescriptor*> files = {
      pb::Any::descriptor()->file(),        pb::Duration::descriptor()->file(),
      pb::Empty::descriptor()->file(),      pb::FieldMask::descriptor()->file(),
      pb::Struct::descriptor()->file(),     pb::Timestamp::descriptor()->file(),
      pb::DoubleValue::descriptor()->file()};
  return files;
}

bool add_known_file(pb::DescriptorPool& pool, const std::string& name) {
  for (const pb::FileDescriptor* known : known_files()) {
    if (known->name() != name) continue;
    pb::FileDescriptorProto file;
    known->CopyTo(&file);
    return pool.BuildFile(file) != nullptr;
  }
  return false;
}

Result<const pb::FileDescriptor*> build(pb::DescriptorPool& pool, const pb::FileDescriptorProto& file) {
  for (const std::string& name : file.dependency())
    if (pool.FindFileByName(name) == nullptr && !add_known_file(pool, name))
      return fail(ErrorCode::kInvalid,
                  fmt::format("{} imports '{}': give a descriptor set, made by protoc --include_imports "
                              "--descriptor_set_out=…",
                              file.name(), name));
  FirstError errors;
  const pb::FileDescriptor* built = pool.BuildFileCollectingErrors(file, &errors);
  if (built == nullptr) return fail(ErrorCode::kInvalid, fmt::format("{}: {}", file.name(), errors.text()));
  return built;
}

void collect_names(const pb::Descriptor& message, std::vector<std::string>& names) {
  names.push_back(message.full_name());
  for (int i = 0; i < message.nested_type_count(); ++i)
    if (!message.nested_type(i)->options().map_entry()) collect_names(*message.nested_type(i), names);
}

Result<const pb::Descriptor*> find_message(const pb::DescriptorPool& pool, const pb::FileDescriptor& file,
                                           std::string_view name) {
  if (name.empty() && file.message_type_count() == 1) return file.message_type(0);
  std::vector<std::string> names;
  for (int i = 0; i < file.message_type_count(); ++i) collect_names(*file.message_type(i), names);
  if (name.empty())
    return fail(ErrorCode::kInvalid, fmt::format("{} has {} messages: name one with 'protobuf.message-name'",
                                                 file.name(), file.message_type_count()));
  if (const pb::Descriptor* found = pool.FindMessageTypeByName(std::string(name))) return found;
  // The package may be left out.
  if (const pb::Descriptor* found = pool.FindMessageTypeByName(file.package() + "." + std::string(name)))
    return found;
  return fail(ErrorCode::kInvalid,
              fmt::format("{} has no message '{}'{}", file.name(), name, did_you_mean(name, names)));
}

Result<ProtobufSchema> schema_of(std::shared_ptr<const pb::DescriptorPool> pool,
                                 const pb::FileDescriptor& file, std::string_view message) {
  LEAT_ASSIGN(const pb::Descriptor* const found, find_message(*pool, file, message));
  return ProtobufSchema{std::move(pool), found};
}

}  // namespace

Result<ProtobufSchema> schema_of_proto(std::string_view text, std::string_view message) {
  pb::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  FirstError errors;
  pb::io::Tokenizer tokens(&stream, &errors);
  pb::compiler::Parser parser;
  parser.RecordErrorsTo(&errors);
  pb::FileDescriptorProto file;
  file.set_name(kUserFile);
  if (!parser.Parse(&tokens, &file) || !errors.text().empty())
    return fail(ErrorCode::kInvalid, fmt::format("{}, {}", kUserFile, errors.text()));
  auto pool = std::make_shared<pb::DescriptorPool>();
  LEAT_ASSIGN(const pb::FileDescriptor* const built, build(*pool, file));
  return schema_of(std::move(pool), *built, message);
}

Result<ProtobufSchema> schema_of_descriptors(std::string_view set, std::string_view message) {
  pb::FileDescriptorSet files;
  if (!files.ParseFromArray(set.data(), static_cast<int>(set.size())) || files.file_size() == 0)
    return fail(ErrorCode::kInvalid,
                "the descriptor set is none: protoc --include_imports --descriptor_set_out=… "
                "writes one");
  auto pool = std::make_shared<pb::DescriptorPool>();
  const pb::FileDescriptor* last = nullptr;
  for (const pb::FileDescriptorProto& file : files.file()) {
    if ((last = pool->FindFileByName(file.name())) != nullptr) continue;
    LEAT_ASSIGN(last, build(*pool, file));
  }
  return schema_of(std::move(pool), *last, message);
}

}  // namespace leat::formats
