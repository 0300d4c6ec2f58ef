#include "utils/colour_map.h"

#include <cmath>

#include <gtest/gtest.h>

namespace engram {
namespace {

TEST(ColourMap, IsWhiteAtZeroBlueBelowAndRedAbove) {
  EXPECT_EQ(diverging_colour(0), (Colour{255, 255, 255}));
  EXPECT_EQ(diverging_colour(-1), (Colour{33, 102, 172}));
  EXPECT_EQ(diverging_colour(1), (Colour{178, 24, 43}));
  EXPECT_EQ(diverging_colour(0.5), (Colour{217, 140, 149}));  // half way, halves away from 0
}

TEST(ColourMap, GrowsStrongerWithTheDistanceFromZero) {
  const auto all = [](double v) {
    const Colour c = diverging_colour(v);
    return int{c[0]} + c[1] + c[2];
  };
  for (int i = 0; i < 20; ++i)
    for (const double sign : {-1.0, 1.0})
      EXPECT_GT(all(sign * i / 20), all(sign * (i + 1) / 20)) << sign * i;
}

TEST(ColourMap, StopsAtTheEndsAndTakesNoNumberForZero) {
  EXPECT_EQ(diverging_colour(7), diverging_colour(1));
  EXPECT_EQ(diverging_colour(-INFINITY), diverging_colour(-1));
  EXPECT_EQ(diverging_colour(NAN), diverging_colour(0));
  EXPECT_EQ(about_grey(-3), 0);
  EXPECT_EQ(about_grey(3), 255);
  EXPECT_EQ(about_grey(0), 128);
  EXPECT_EQ(about_grey(NAN), 128);
}

}  // namespace
}  // namespace engram
