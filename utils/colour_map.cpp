#include "utils/colour_map.h"

#include <algorithm>
#include <cmath>

namespace engram {
namespace {

constexpr Colour kBlue{33, 102, 172}, kRed{178, 24, 43};
constexpr double kWhite = 255, kMiddle = 127.5;

}  // namespace

Colour diverging_colour(double value) {
  if (std::isnan(value)) value = 0;
  const double strength = std::min(1.0, std::abs(value));
  const Colour& end = value < 0 ? kBlue : kRed;
  Colour out{};
  for (std::size_t c = 0; c < out.size(); ++c)
    out[c] = static_cast<std::uint8_t>(std::lround(kWhite + strength * (end[c] - kWhite)));
  return out;
}

std::uint8_t about_grey(double value) {
  if (std::isnan(value)) value = 0;
  return static_cast<std::uint8_t>(std::lround(kMiddle * (1 + std::clamp(value, -1.0, 1.0))));
}

}  // namespace engram
