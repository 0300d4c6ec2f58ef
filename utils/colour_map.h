// Signed numbers as colours: blue below 0, white at 0, red above. The ends are those of
// ColorBrewer's RdBu (Harrower & Brewer 2003), which colour-blind people tell apart.
#pragma once

#include <array>
#include <cstdint>

namespace engram {

using Colour = std::array<std::uint8_t, 3>;  ///< red, green, blue

/// Of `value` in [-1, 1]; beyond it is the colour of the nearer end, and NaN is white.
Colour diverging_colour(double value);

/// A signed value in [-1, 1] as the strength of one channel about mid-grey.
std::uint8_t about_grey(double value);

}  // namespace engram
