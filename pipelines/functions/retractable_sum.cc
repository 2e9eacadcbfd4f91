#include "pipelines/functions/retractable_sum.h"

#include <bit>
#include <cmath>
#include <utility>

namespace leat::functions {
namespace {

constexpr int kOrdersOfBin = 64;

std::int32_t orders_of(double value) {
  constexpr int kBitsOfFraction = 52;
  constexpr std::uint64_t kExponent = 0x7ff;
  // Infinite values and those that are no numbers have the largest exponent, and so a bin of their own.
  const auto exponent = static_cast<int>(std::bit_cast<std::uint64_t>(value) >> kBitsOfFraction & kExponent);
  constexpr int kOffset = 31;  // So that values near 1, 1,000 or 0.001 are in the same bin.
  return static_cast<std::int32_t>((exponent + kOffset) / kOrdersOfBin);
}

}  // namespace

void RetractableSum::add_to(Bin& bin, double value) {
  const double sum = bin.sum + value;
  if (!std::isfinite(sum)) {
    bin.sum = sum;
    return;
  }
  const double of_value = sum - bin.sum;
  bin.rest += (bin.sum - (sum - of_value)) + (value - of_value);
  bin.sum = sum;
}

RetractableSum::Bin& RetractableSum::bin_of(std::int32_t orders) {
  if (first_.values == 0) first_.orders = orders;
  if (first_.orders == orders) return first_;
  for (Bin& bin : more_)
    if (bin.orders == orders) return bin;
  return more_.emplace_back(Bin{.orders = orders});
}

void RetractableSum::change(double value, double rest, int sign) {
  const std::int32_t orders = orders_of(value);
  Bin& bin = bin_of(orders);
  bin.values += sign;
  if (bin.values != 0) {
    add_to(bin, sign * value);
    bin.rest += sign * rest;
    bin.size += sign * std::abs(value);
    return;
  }
  bin = Bin{.orders = orders};
  if (!more_.empty()) std::erase_if(more_, [](const Bin& each) { return each.values == 0; });
}

void RetractableSum::merge(const RetractableSum& other) {
  const auto take = [this](const Bin& from) {
    if (from.values == 0) return;
    Bin& bin = bin_of(from.orders);
    bin.values += from.values;
    add_to(bin, from.sum);
    bin.rest += from.rest;
    bin.size += from.size;
  };
  take(other.first_);
  for (const Bin& bin : other.more_) take(bin);
}

RetractableSum::Value RetractableSum::value() const {
  Bin all = first_;
  for (const Bin& bin : more_) {
    add_to(all, bin.sum);
    all.rest += bin.rest;
  }
  const double nearest = all.sum + all.rest;
  return {nearest, std::isfinite(nearest) ? all.rest - (nearest - all.sum) : 0};
}

double RetractableSum::size() const {
  double size = first_.size;
  for (const Bin& bin : more_) size += bin.size;
  return std::abs(size);
}

void RetractableSum::save(ByteWriter& out) const {
  const auto write = [&out](const Bin& bin) {
    out.zigzag(bin.orders);
    out.zigzag(bin.values);
    for (const double number : {bin.sum, bin.rest, bin.size}) out.float64(number);
  };
  out.varint(more_.size() + 1);
  write(first_);
  for (const Bin& bin : more_) write(bin);
}

void RetractableSum::load(ByteReader& in) {
  *this = {};
  bool is_first = true;
  for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
    Bin bin;
    bin.orders = static_cast<std::int32_t>(in.zigzag());
    bin.values = in.zigzag();
    for (double* number : {&bin.sum, &bin.rest, &bin.size}) *number = in.float64();
    if (std::exchange(is_first, false))
      first_ = bin;
    else
      more_.push_back(bin);
  }
}

}  // namespace leat::functions
