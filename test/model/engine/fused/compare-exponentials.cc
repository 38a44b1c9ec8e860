// How far ExpOfDifference is from e^(x - y) in float64, in units in the last place of float32, divided by |x - y| where that is more than 1; and what it makes
// of numbers out of range. One line of JSON.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "simd.h"

namespace {

using namespace palimpsest;

double Exponential(float x, float y) { return ExpOfDifference(Broadcast(x), Broadcast(y))[kLanes - 1]; }

double Distance(float x) {
  const float expected = static_cast<float>(std::exp(static_cast<double>(x)));
  const double unit = std::nextafter(expected, std::numeric_limits<float>::infinity()) - static_cast<double>(expected);
  return std::abs(Exponential(x, 0.0f) - std::exp(static_cast<double>(x))) / unit;
}

}  // namespace

int main() {
  double most = 0;
  for (float x = -86.0f; x <= 88.0f; x += std::abs(x) < 1 ? 1e-6f : 1e-4f) most = std::max(most, Distance(x) / std::max(1.0f, std::abs(x)));
  const bool zero = Exponential(-87.5f, 0.0f) == 0 && Exponential(-1e30f, 3.0f) == 0 && Exponential(-std::numeric_limits<float>::infinity(), 0.0f) == 0;
  const bool broken = std::isnan(Exponential(std::nanf(""), 0.0f)) && std::isnan(Exponential(0.0f, std::nanf("")));
  std::printf("{\"distance\":%.3f,\"zero\":%s,\"broken\":%s}\n", most, zero ? "true" : "false", broken ? "true" : "false");
}
