#include "sources/mqtt/delivery_log.h"

#include <algorithm>
#include <utility>

#include "pipelines/base/bytes.h"
#include "sources/mqtt/redelivery.h"

namespace leat::sources {
namespace {

/// The pages under way and those that the memory needs.
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
    const auto packet_id = static_cast<std::uint16_t>(low | std::uint16_t{in.u8()} << 8);
    records.push_back({packet_id, in.fixed64()});
  }
  return records;
}

struct Position {
  std::uint64_t count = 0;
  std::uint64_t session = 0;
  std::vector<DeliveryIdentity> page;
};

Result<Position> read_position(std::string_view bytes) {
  Position position;
  if (bytes.empty()) return position;
  ByteReader in(bytes);
  position.count = in.varint();
  position.session = in.varint();
  position.page = read_records(in);
  if (!in.ok() || position.session > position.count ||
      position.page.size() != position.count % DeliveryLog::kPageDeliveries)
    return fail(ErrorCode::kInvalid, "this is no position of an mqtt source");
  return position;
}

}  // namespace

Result<DeliveryLog> DeliveryLog::from(std::string_view position) {
  LEAT_ASSIGN(Position saved, read_position(position));
  DeliveryLog log;
  log.count_ = saved.count;
  log.session_ = saved.session;
  log.page_ = std::move(saved.page);
  return log;
}

void DeliveryLog::add(DeliveryIdentity delivery) {
  page_.push_back(delivery);
  ++count_;
  if (page_.size() < kPageDeliveries) return;
  std::string key;
  std::string value;
  ByteWriter(key).fixed32(static_cast<std::uint32_t>(count_ / kPageDeliveries % kPages));
  ByteWriter out(value);
  out.varint(count_ - kPageDeliveries);
  write_records(page_, out);
  full_[std::move(key)] = std::move(value);
  page_.clear();
}

std::string DeliveryLog::position() const {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(count_);
  out.varint(session_);
  write_records(page_, out);
  return bytes;
}

void DeliveryLog::save(const std::function<void(std::string_view, std::string_view)>& put) {
  for (const auto& [key, value] : full_) put(key, value);
  full_.clear();
}

Status DeliveryHistory::load(std::string_view, std::string_view value) {
  ByteReader in(value);
  const std::uint64_t before = in.varint();
  std::vector<DeliveryIdentity> records = read_records(in);
  if (!in.ok() || records.size() != DeliveryLog::kPageDeliveries)
    return fail(ErrorCode::kCorrupt, "a page of the mqtt source's deliveries cannot be read");
  pages_[before] = std::move(records);
  return {};
}

Result<std::vector<DeliveryIdentity>> DeliveryHistory::up_to(std::string_view position) const {
  LEAT_ASSIGN(Position saved, read_position(position));
  std::uint64_t first = saved.count - saved.page.size();
  while (first > saved.session && first >= DeliveryLog::kPageDeliveries &&
         pages_.contains(first - DeliveryLog::kPageDeliveries))
    first -= DeliveryLog::kPageDeliveries;
  std::vector<DeliveryIdentity> deliveries;
  for (auto page = pages_.find(first); page != pages_.end() && page->first < saved.count; ++page)
    deliveries.insert(deliveries.end(), page->second.begin(), page->second.end());
  deliveries.insert(deliveries.end(), saved.page.begin(), saved.page.end());
  const std::uint64_t gone = saved.session > first ? saved.session - first : 0;
  deliveries.erase(deliveries.begin(), deliveries.begin() + static_cast<std::ptrdiff_t>(gone));
  return deliveries;
}

}  // namespace leat::sources
