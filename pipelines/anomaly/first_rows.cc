#include "pipelines/anomaly/first_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace leat::anomaly {
namespace {

constexpr double kMostDeviations = 8;
constexpr double kDeviationOfMedianDistance = 1.4826;  // Of normal values.

/// How far from the median a value may be.
double most_distance(std::vector<double> distances) {
  const double usual = median_of(distances);
  if (usual > 0) return kMostDeviations * kDeviationOfMedianDistance * usual;
  std::erase(distances, 0.0);
  if (distances.size() < 2) return 0;
  std::sort(distances.begin(), distances.end());
  return kMostDeviations * distances[(distances.size() - 1) / 2];
}

}  // namespace

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : values[middle - 1] / 2 + values[middle] / 2;
}

std::vector<double> FirstRows::values() const {
  std::vector<double> values;
  values.reserve(rows_.size());
  for (const FirstRow& row : rows_) values.push_back(row.value);
  return values;
}

std::vector<FirstRow> FirstRows::take_winsorized() {
  const double median = median_of(values());
  std::vector<double> distances;
  for (const FirstRow& row : rows_) distances.push_back(std::abs(row.value - median));
  const double most = most_distance(std::move(distances));
  for (FirstRow& row : rows_) row.value = std::clamp(row.value, median - most, median + most);
  return take();
}

std::size_t FirstRows::most_bytes(std::size_t rows) {
  return std::bit_ceil(rows) * sizeof(FirstRow);
}

void FirstRows::save(ByteWriter& out) const {
  out.varint(rows_.size());
  for (const FirstRow& row : rows_) {
    out.float64(row.value);
    out.zigzag(row.time);
  }
}

void FirstRows::load(ByteReader& in) {
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    const double value = in.float64();
    rows_.push_back({value, in.zigzag()});
  }
}

}  // namespace leat::anomaly
