#include "sources/mqtt/delivery_log.h"

#include <algorithm>
#include <random>
#include <utility>

#include "pipelines/base/bytes.h"
#include "sources/mqtt/redelivery.h"

namespace leat::sources {
namespace {

constexpr std::uint8_t kVersion = 1;
/// Full pages for all that is remembered, rounded up, and the one that is written over next.
constexpr std::uint64_t kPages = Redelivery::kWindow / DeliveryLog::kPageDeliveries + 2;

void write_records(const std::vector<DeliveryIdentity>& records, ByteWriter& out) {
  for (const DeliveryIdentity& record : records) {
    out.u8(static_cast<std::uint8_t>(record.packet_id));
    out.u8(static_cast<std::uint8_t>(record.packet_id >> 8));
    out.fixed64(record.fingerprint);
  }
}

std::vector<DeliveryIdentity> read_records(ByteReader& in) {
  std::vector<DeliveryIdentity> records;
  while (in.ok() && !in.at_end()) {
    const std::uint16_t low = in.u8();
    const auto packet_id = static_cast<std::uint16_t>(low | in.u8() << 8);
    records.push_back({packet_id, in.fixed64()});
  }
  return records;
}

struct Position {
  std::uint64_t session = 0;
  std::uint64_t generation = 0;
  bool gone = false;
  std::uint64_t count = 0;
  std::uint64_t session_begin = 0;
  std::vector<DeliveryIdentity> page;
  [[nodiscard]] std::uint64_t full() const { return count - page.size(); }
};

Result<Position> read_position(std::string_view bytes) {
  Position position;
  if (bytes.empty()) return position;
  ByteReader in(bytes);
  const bool known = in.u8() == kVersion;
  position.session = in.fixed64();
  position.generation = in.fixed64();
  position.gone = in.u8() != 0;
  position.count = in.varint();
  position.session_begin = in.varint();
  position.page = read_records(in);
  if (!known || !in.ok() || position.session_begin > position.count ||
      position.page.size() != position.count % DeliveryLog::kPageDeliveries)
    return fail(ErrorCode::kInvalid, "this is no position of an mqtt source");
  return position;
}

std::uint64_t draw() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

/// In the order of the pages, so that those that follow each other lie together.
std::string key_of(std::uint64_t page) {
  std::string key;
  for (const int shift : {24, 16, 8, 0}) key.push_back(static_cast<char>(page >> shift & 0xFF));
  return key;
}

}  // namespace

DeliveryLog DeliveryLog::from(std::string_view position, std::uint64_t session) {
  DeliveryLog log;
  log.session_ = session;
  auto saved = read_position(position);
  if (!saved || saved->session != session || saved->generation == 0) {
    log.generation_ = draw();
    return log;
  }
  log.generation_ = saved->generation;
  log.count_ = saved->count;
  log.session_begin_ = saved->gone ? saved->count : saved->session_begin;
  log.page_ = std::move(saved->page);
  return log;
}

void DeliveryLog::add(DeliveryIdentity delivery) {
  page_.push_back(delivery);
  ++count_;
  if (page_.size() < kPageDeliveries) return;
  std::string value;
  ByteWriter out(value);
  out.fixed64(generation_);
  out.varint(count_ - kPageDeliveries);
  write_records(page_, out);
  full_[key_of(count_ / kPageDeliveries % kPages)] = std::move(value);
  page_.clear();
}

std::string DeliveryLog::position(Session session) const {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(kVersion);
  out.fixed64(session_);
  out.fixed64(generation_);
  out.u8(session == Session::kGone ? 1 : 0);
  out.varint(count_);
  out.varint(session_begin_);
  write_records(page_, out);
  return bytes;
}

void DeliveryLog::save(const std::function<void(std::string_view, std::string_view)>& put) {
  for (const auto& [key, value] : full_) put(key, value);
  full_.clear();
}

Status DeliveryHistory::load(std::string_view value) {
  ByteReader in(value);
  const std::uint64_t generation = in.fixed64();
  const std::uint64_t before = in.varint();
  std::vector<DeliveryIdentity> records = read_records(in);
  if (!in.ok() || records.size() != DeliveryLog::kPageDeliveries)
    return fail(ErrorCode::kCorrupt, "a page of the mqtt source's deliveries cannot be read");
  pages_.emplace(before, Page{generation, std::move(records)});
  return {};
}

Result<std::vector<DeliveryIdentity>> DeliveryHistory::up_to(std::string_view position,
                                                             std::uint64_t session) const {
  LEAT_ASSIGN(const Position saved, read_position(position));
  if (saved.session != session || saved.gone) return std::vector<DeliveryIdentity>();
  const auto page_at = [&](std::uint64_t before) -> const Page* {
    const auto [begin, end] = pages_.equal_range(before);
    const auto found = std::find_if(
        begin, end, [&](const auto& page) { return page.second.generation == saved.generation; });
    return found == end ? nullptr : &found->second;
  };
  std::uint64_t first = saved.full();
  while (first > saved.session_begin && page_at(first - DeliveryLog::kPageDeliveries) != nullptr)
    first -= DeliveryLog::kPageDeliveries;
  std::vector<DeliveryIdentity> deliveries;
  for (std::uint64_t before = first; before < saved.full(); before += DeliveryLog::kPageDeliveries)
    deliveries.insert(deliveries.end(), page_at(before)->deliveries.begin(),
                      page_at(before)->deliveries.end());
  deliveries.insert(deliveries.end(), saved.page.begin(), saved.page.end());
  const std::uint64_t gone = saved.session_begin > first ? saved.session_begin - first : 0;
  deliveries.erase(deliveries.begin(), deliveries.begin() + static_cast<std::ptrdiff_t>(gone));
  return deliveries;
}

}  // namespace leat::sources
