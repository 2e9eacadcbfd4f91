#include "pipelines/anomaly/deseasonalised.h"

namespace leat::anomaly {

Verdict Deseasonalised::judge(std::span<const double> values, std::int64_t time) {
  const SeasonalLevel::Expectation expected = season_.expect(time);
  season_.learn(expected, values[0]);
  const double plain = values[0] - expected.season;
  Verdict verdict = inner_->observe({&plain, 1}, time);
  for (double* bound : {&verdict.forecast, &verdict.lower, &verdict.upper}) *bound += expected.season;
  return verdict;
}

// head := season, head of the other
void Deseasonalised::save(ByteWriter& out) const {
  season_.save(out);
  inner_->save(out);
}

Status Deseasonalised::load(ByteReader& in) {
  season_.load(in);
  return inner_->load(in);
}

void Deseasonalised::save_pages(StatePages& pages) {
  season_.save_pages(pages);
  inner_->save_pages(pages);
}

Status Deseasonalised::load_page(std::string_view page, std::string_view value) {
  if (!SeasonalLevel::owns(page)) return inner_->load_page(page, value);
  ByteReader name(page);
  ByteReader content(value);
  return season_.load_page(name, content);
}

void Deseasonalised::unsave_pages(StatePages& pages) {
  season_.unsave_pages(pages);
  inner_->unsave_pages(pages);
}

}  // namespace leat::anomaly
