#include "daemon/runtime/link_log.h"

#include <utility>

namespace leat::runtime {

using Link = sources::SourceHealth::Link;

std::vector<News> SourceLinkLog::look(const sources::SourceHealth& health) {
  std::vector<News> news;
  // A first connection that is lost already was there before it was lost; a later one came after the loss.
  const bool came_first = losses_ == 0 && connects_ == 0;
  if (came_first) connected(health, news);
  if (health.losses > losses_) {
    losses_ = health.losses;
    told_ = Told::kDown;
    news.push_back({News::Weight::kTrouble, "source lost its connection, trying again", health.last_loss});
  }
  connected(health, news);
  if (std::exchange(sessions_lost_, health.sessions_lost) < health.sessions_lost)
    news.push_back(
        {News::Weight::kTrouble,
         "the broker had forgotten the session: what was published meanwhile did not come; subscribed anew",
         health.detail});
  if (std::exchange(jumps_, health.jumps) < health.jumps)
    news.push_back(
        {News::Weight::kTrouble, "the broker has not what the source wanted to read",
         health.last_jump + "; messages passed over in all: " + std::to_string(health.messages_gone)});
  state(health, news);
  // The first of those that follow each other: a sender that is refused comes again and again.
  const bool refuses = std::exchange(refused_, health.refused) < health.refused;
  if (!std::exchange(refuses_, refuses) && refuses)
    news.push_back({News::Weight::kTrouble, "source refuses what is sent to it", health.last_refusal});
  trouble(health, news);
  if (std::exchange(disk_refuses_, !health.disk.empty()) == health.disk.empty())
    news.push_back(disk_refuses_
                       ? News{News::Weight::kTrouble,
                              "the disk refuses the source's journal: nothing is acknowledged", health.disk}
                       : News{News::Weight::kStateChange, "the disk takes the source's journal again", {}});
  return news;
}

/// While nothing can be read that is told already.
void SourceLinkLog::trouble(const sources::SourceHealth& health, std::vector<News>& news) {
  if (health.is_out()) return;
  if (std::exchange(troubled_, !health.trouble.empty()) != health.trouble.empty()) return;
  news.push_back(troubled_
                     ? News{News::Weight::kTrouble, "a part of the source cannot be read", health.trouble}
                     : News{News::Weight::kStateChange, "all of the source can be read again", {}});
}

/// Tells the first connection, and later ones only while they stand: of those that came and went the loss is
/// told.
void SourceLinkLog::connected(const sources::SourceHealth& health, std::vector<News>& news) {
  if (health.connects == connects_) return;
  const bool first = std::exchange(connects_, health.connects) == 0;
  if (health.link != Link::kConnected && !first) return;
  told_ = Told::kConnected;
  news.push_back({News::Weight::kStateChange, "source connected", health.detail});
}

void SourceLinkLog::state(const sources::SourceHealth& health, std::vector<News>& news) {
  const auto tell = [&](Told what, News::Weight weight, std::string_view message) {
    if (std::exchange(told_, what) != what) news.push_back({weight, message, health.detail});
  };
  if (health.link == Link::kLost && told_ != Told::kDown)
    tell(Told::kDown, News::Weight::kTrouble, "source cannot connect, trying again");
  if (health.link == Link::kUnreadable)
    tell(Told::kUnreadable, News::Weight::kTrouble, "source cannot be read, looking again");
  if (health.link == Link::kPaused && pauses_ == Pauses::kTold)
    tell(Told::kPaused, News::Weight::kTrouble, "source paused: its intake is nearly full");
  const bool reads = health.link == Link::kIdle || health.link == Link::kEnded;
  if (reads && told_ == Told::kUnreadable)
    tell(Told::kNothing, News::Weight::kStateChange, "source can be read again");
}

std::optional<News> DeliveryLog::look(const DeliveryStatus& status) {
  using State = DeliveryStatus::State;
  if (std::exchange(is_in_trouble_, !status.trouble.empty()) == status.trouble.empty())
    return is_in_trouble_ ? News{News::Weight::kTrouble, "sink is in trouble", status.trouble}
                          : News{News::Weight::kStateChange, "sink is well again", {}};
  const bool settled = std::exchange(shipments_, status.shipments) < status.shipments;
  const bool retried = std::exchange(retries_, status.retries) < status.retries;
  // A shipment that was settled ended the outage, whatever came behind; the next look tells that.
  if (told_ != Told::kNothing && (settled || status.state == State::kIdle)) {
    told_ = Told::kNothing;
    return News{News::Weight::kStateChange, "sink delivers again", {}};
  }
  if (std::exchange(rejected_, status.rejected) < status.rejected)
    return News{News::Weight::kTrouble,
                "the other side of a sink refuses records for good: they are dead letters now",
                status.last_error};
  if (status.state == State::kWaiting || status.state == State::kPaused) return refused(status);
  const bool off_schedule = status.state == State::kOffSchedule;
  if (std::exchange(off_schedule_, off_schedule) != off_schedule && off_schedule)
    return News{News::Weight::kStateChange, "sink waits for the hours of its schedule", {}};
  if (!retried || told_ != Told::kNothing || status.state != State::kIdle) return std::nullopt;
  return News{News::Weight::kTrouble, "sink did not take what was sent, and took it when tried again",
              status.last_error};
}

std::optional<News> DeliveryLog::refused(const DeliveryStatus& status) {
  const bool held = status.hold != DeliveryStatus::Hold::kNone;
  const bool paused = status.state == DeliveryStatus::State::kPaused;
  const Told what = held ? Told::kHeld : paused ? Told::kPaused : Told::kRefused;
  if (told_ >= what) return std::nullopt;
  told_ = what;
  return News{News::Weight::kTrouble,
              what == Told::kHeld     ? "sink is paused: it waits for a decision"
              : what == Told::kPaused ? "sink is paused: somebody must act; it goes on trying"
                                      : "sink does not take what is sent, trying again",
              status.last_error};
}

}  // namespace leat::runtime
