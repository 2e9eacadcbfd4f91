// leat_bench_count URL QOS MESSAGES: a bare Paho subscriber that only counts: the floor under any MQTT
// source. Prints "ready" when subscribed and, after MESSAGES messages, "MESSAGES SECONDS CPU-SECONDS".
#include <MQTTAsync.h>
#include <fmt/format.h>
#include <mqtt/async_client.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

namespace {

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    fmt::print(stderr, "usage: leat_bench_count URL QOS MESSAGES\n");
    return 2;
  }
  const auto wanted = std::strtoull(argv[3], nullptr, 10);
  MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
  std::atomic<std::uint64_t> count = 0;
  mqtt::async_client client(argv[1], "bench-count", mqtt::create_options(MQTTVERSION_5));
  client.set_message_callback(
      [&count](const mqtt::const_message_ptr&) { count.fetch_add(1, std::memory_order_relaxed); });
  const auto options =
      mqtt::connect_options_builder().mqtt_version(MQTTVERSION_5).clean_start(true).finalize();
  client.connect(options)->wait();
  client.subscribe("bench/#", std::atoi(argv[2]))->wait();
  fmt::print("ready\n");
  std::fflush(stdout);
  while (count == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto begin = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  auto last_progress = begin;
  for (std::uint64_t seen = 0; count < wanted; std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
    const auto now = std::chrono::steady_clock::now();
    if (std::exchange(seen, count.load()) != count) last_progress = now;
    if (now - last_progress > std::chrono::seconds(5))
      break;  // The broker has dropped some: the caller sees the number.
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  fmt::print("{} {:.3f} {:.3f}\n", count.load(), seconds, cpu_seconds() - cpu);
  client.disconnect()->wait();
  return count >= wanted ? 0 : 1;
}
