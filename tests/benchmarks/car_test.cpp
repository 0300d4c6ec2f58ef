#include "benchmarks/simulations/car.h"

#include <cmath>
#include <numbers>

#include "benchmarks/simulations/lidar.h"
#include "tests/benchmarks/helpers.h"
#include "utils/rng.h"

namespace engram {
namespace {

constexpr double kDry = 9;

TEST(Car, DrivesTheCircleOfItsSteering) {
  Car car;
  car.speed = 5;
  const double radius = Car::kWheelBase / std::tan(0.3 * Car::kMostSteer);
  for (int t = 0; t < 600; ++t) {
    car.drive(0.3, 0, kDry);
    EXPECT_NEAR(length(car.rear - Point{0, radius}), radius, 1e-3);
  }
  EXPECT_NEAR(car.heading, 5 * 60 / radius, 1e-9);
  EXPECT_NEAR(car.speed * car.curvature, 5 / radius, 1e-12);
}

TEST(Car, SteersRightBelowZero) {
  Car car;
  car.speed = 5;
  car.drive(-0.3, 0, kDry);
  EXPECT_LT(car.heading, 0);
  EXPECT_LT(car.rear.y, 0);
}

TEST(Car, GainsAndLosesSpeedByTheLaw) {
  Car car;
  for (int t = 0; t < 20; ++t)
    car.drive(0, 1, kDry);
  EXPECT_NEAR(car.speed, 5, 1e-9);
  EXPECT_NEAR(car.rear.x, 0.5 * 2.5 * 4, 1e-9);
  for (int t = 0; t < 200; ++t)
    car.drive(0, 1, kDry);
  EXPECT_NEAR(car.speed, 120 / 3.6, 1e-9);
  car.drive(0, -1, kDry);
  EXPECT_NEAR(car.speed, 120 / 3.6 - 0.3, 1e-9);
  car.drive(0, -1, 1);
  EXPECT_NEAR(car.speed, 120 / 3.6 - 0.4, 1e-9) << "the tyres hold no more";
  for (int t = 0; t < 200; ++t)
    car.drive(0, -1, kDry);
  EXPECT_EQ(car.speed, 0) << "and never backwards";
}

TEST(Car, SlidesWideWhenTheTyresHoldNoMore) {
  for (const double grip : {9.0, 3.0}) {
    Car car;
    car.speed = 15;
    for (int t = 0; t < 50; ++t)
      car.drive(1, 0, grip);
    EXPECT_NEAR(car.speed * car.heading / 5, grip, 1e-9) << "v times the turning is the grip";
    EXPECT_NEAR(car.held, 1, 1e-12);
  }
}

TEST(Car, TurnsItsCentreInFrontOfTheRearAxle) {
  Car car;
  car.heading = std::numbers::pi / 2;
  EXPECT_NEAR(car.centre().y, 1.17, 1e-12);
  EXPECT_NEAR(car.outline().ahead.y, 1, 1e-12);
}

bool inside(const Rectangle& r, Point p) {
  return std::abs(dot(p - r.centre, r.ahead)) <= r.half_length &&
         std::abs(cross(r.ahead, p - r.centre)) <= r.half_width;
}

Rectangle somewhere(Rng& rng, double far) {
  return {{rng.uniform(-far, far), rng.uniform(-far, far)}, direction(rng.uniform(-4, 4))};
}

TEST(Rectangles, OverlapWhenTheyHaveAPointInCommon) {
  Rng rng(3);
  int overlapping = 0;
  for (int i = 0; i < 400; ++i) {
    const Rectangle a = somewhere(rng, 2.5), b = somewhere(rng, 2.5);
    // Points of one are tried in the other; those that only just touch are left out.
    const auto common = [&](double swell) {
      Rectangle grown = b;
      grown.half_length += swell, grown.half_width += swell;
      for (double u = -1; u <= 1; u += 0.02)
        for (double v = -1; v <= 1; v += 0.05)
          if (inside(grown,
                     a.centre + u * a.half_length * a.ahead + v * a.half_width * left_of(a.ahead)))
            return true;
      return false;
    };
    if (common(0.0) != common(-0.05) || common(0.0) != common(0.05)) continue;
    EXPECT_EQ(overlap(a, b), common(0)) << i;
    EXPECT_EQ(overlap(a, b), overlap(b, a));
    overlapping += common(0);
  }
  EXPECT_GT(overlapping, 50);
}

/// Where the ray from `p` along `way` first meets an edge, or 50.
double first_meeting(Point p, Point way, const Rectangle& r) {
  if (inside(r, p)) return 0;
  double out = 50;
  const Point l = r.half_length * r.ahead, w = r.half_width * left_of(r.ahead);
  const std::array<Point, 4> corners{r.centre + l + w, r.centre + l - w, r.centre - l - w,
                                     r.centre - l + w};
  for (std::size_t i = 0; i < 4; ++i) {
    const Point a = corners[i], edge = corners[(i + 1) % 4] - a;
    const double across = cross(way, edge);
    if (across == 0) continue;
    const double t = cross(a - p, edge) / across, u = cross(a - p, way) / across;
    if (t >= 0 && u >= 0 && u <= 1) out = std::min(out, t);
  }
  return out;
}

TEST(Lidar, MeetsRectanglesWhereTheirEdgesAre) {
  Rng rng(3);
  for (int round = 0; round < 60; ++round) {
    std::vector<Rectangle> things;
    for (int i = 0; i < 3; ++i)
      things.push_back(somewhere(rng, 45));
    const Point from{rng.uniform(-9, 9), rng.uniform(-9, 9)};
    const double heading = rng.uniform(-7, 7);
    const Lidar lidar(round % 2 == 0 ? 240 : 24);
    std::vector<real> seen(static_cast<std::size_t>(lidar.beams()));
    lidar.look(from, heading, things, seen);
    for (int i = 0; i < lidar.beams(); ++i) {
      const Point way = direction(heading + 2 * std::numbers::pi * i / lidar.beams());
      double nearest = 50;
      for (const Rectangle& thing : things)
        nearest = std::min(nearest, first_meeting(from, way, thing));
      EXPECT_NEAR(seen[static_cast<std::size_t>(i)], nearest / 50, 1e-5) << i;
    }
  }
}

TEST(Lidar, SeesStraightAheadFirstThenToTheLeft) {
  const Lidar lidar(4);
  std::vector<real> seen(4);
  const std::vector<Rectangle> things{{{0, 12}, {0, 1}}, {{-20.75, 0}, {0, 1}}};
  lidar.look({0, 0}, std::numbers::pi / 2, things, seen);
  EXPECT_NEAR(seen[0], 10.0 / 50, 1e-6);
  EXPECT_NEAR(seen[1], 20.0 / 50, 1e-6);
  EXPECT_EQ(seen[2], 1);
  EXPECT_EQ(seen[3], 1);
  Lidar(0).look({0, 0}, 0, things, {});
}

}  // namespace
}  // namespace engram
