#include "utils/canvas.h"

#include <array>
#include <numbers>

#include <gtest/gtest.h>

namespace engram {
namespace {

constexpr Colour kBlack{0, 0, 0}, kWhite{255, 255, 255};

/// How much is white, in pixels.
double area(Canvas& canvas) {
  double sum = 0;
  for (const std::uint8_t value : canvas.take())
    sum += value;
  return sum / (3 * 255);
}

TEST(Canvas, FillsWhatIsInsideAndHalfOfWhatIsOnTheEdge) {
  Canvas canvas(4, 5, kBlack);
  const std::array<Point, 4> box{Point{1, 0}, Point{3.5, 0}, Point{3.5, 4}, Point{1, 4}};
  canvas.fill(box, kWhite);
  const auto pixels = canvas.take();
  const auto at = [&](std::size_t x) { return pixels[3 * (2 * 5 + x)]; };
  EXPECT_EQ(at(0), 0);
  EXPECT_EQ(at(1), 255);
  EXPECT_EQ(at(2), 255);
  EXPECT_NEAR(at(3), 128, 1);
  EXPECT_EQ(at(4), 0);
}

TEST(Canvas, ShapesHaveTheirArea) {
  Canvas disc(40, 40, kBlack), triangle(40, 40, kBlack), other(40, 40, kBlack),
      ring(40, 40, kBlack);
  disc.disc({20, 20}, 12, kWhite);
  EXPECT_NEAR(area(disc), std::numbers::pi * 144, 3);
  ring.ring({20, 20}, 12, 2, kWhite);
  EXPECT_NEAR(area(ring), 2 * std::numbers::pi * 24, 3);
  const std::array<Point, 3> one_way{Point{3, 4}, Point{35, 10}, Point{12, 36}};
  const std::array<Point, 3> other_way{Point{12, 36}, Point{35, 10}, Point{3, 4}};
  triangle.fill(one_way, kWhite), other.fill(other_way, kWhite);
  const double expected = 0.5 * (32 * 32 - 6 * 9);
  EXPECT_NEAR(area(triangle), expected, 5);
  EXPECT_NEAR(area(other), expected, 5);
}

TEST(Canvas, StrokesHaveNoSeams) {
  Canvas whole(20, 60, kBlack), pieces(20, 60, kBlack);
  const std::array<Point, 2> line{Point{10, 10}, Point{50, 10}};
  const std::array<Point, 4> path{Point{10, 10}, Point{20.3, 10}, Point{33, 10}, Point{50, 10}};
  whole.stroke(line, 6, kWhite, 0.5);
  pieces.stroke(path, 6, kWhite, 0.5);
  const auto pixels = whole.take();
  EXPECT_EQ(pixels, pieces.take());
  EXPECT_NEAR(pixels[3 * (10 * 60 + 30)], 128, 1) << "half as opaque";
}

TEST(Canvas, CutsOffWhatIsOutside) {
  Canvas canvas(8, 8, kBlack);
  canvas.disc({-5, 4}, 3, kWhite);
  const std::array<Point, 2> far{Point{-1e7, -1e7}, Point{-1e6, 1e7}};
  canvas.stroke(far, 3, kWhite);
  canvas.stroke({}, 3, kWhite);
  EXPECT_EQ(area(canvas), 0);
}

}  // namespace
}  // namespace engram
