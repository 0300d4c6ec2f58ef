#include "benchmarks/simulations/track.h"

#include <cmath>
#include <limits>

#include "benchmarks/simulations/drive.h"
#include "tests/benchmarks/helpers.h"

namespace engram {
namespace {

Track track_of(std::string_view regime, std::uint64_t number) {
  return {drive_regime(regime).tracks, Rng(5).fork("track", number)};
}

TEST(Track, CentreLineIsWhereItsCurvatureLeads) {
  for (const std::string& regime : drive_regimes()) {
    const Track track = track_of(regime, 1);
    constexpr double kStep = 1e-3;
    Point p = track.point(0, 0);
    double heading = track.heading(0), along = 0, worst = 0;
    for (; along + kStep < track.length(); along += kStep) {
      const double turn = kStep * track.curvature(along + kStep / 2, 0);
      p += kStep * direction(heading + turn / 2);
      heading += turn;
      worst = std::max(worst, length(p - track.point(along + kStep, 0)));
    }
    EXPECT_LT(worst, 0.1) << regime;
    EXPECT_NEAR(heading, track.heading(along), 1e-3) << regime;
  }
}

TEST(Track, GoesOnWithoutAJoint) {
  const Track track = track_of("mixed", 3);
  for (const Track::Segment& s : track.segments())
    for (const double across : {-5.0, 0.0, 5.0}) {
      EXPECT_LT(length(track.point(s.end() - 1e-9, across) - track.point(s.end() + 1e-9, across)),
                1e-6);
      EXPECT_NEAR(track.heading(s.end() - 1e-9), track.heading(s.end() + 1e-9), 1e-6);
    }
}

TEST(Track, LocatesWhatItPlaces) {
  Rng rng(8);
  for (const std::string& regime : drive_regimes()) {
    const Track track = track_of(regime, 2);
    for (int i = 0; i < 300; ++i) {
      const double along = rng.uniform(0, track.length()), across = rng.uniform(-6, 6);
      const int own = track.segment_at(along);
      for (const int near : {own - 1, own, own + 1}) {
        if (near < 0 || near >= std::ssize(track.segments())) continue;
        const Place place = track.locate(track.point(along, across), near);
        EXPECT_NEAR(place.along, along, 1e-9);
        EXPECT_NEAR(place.across, across, 1e-9);
        EXPECT_EQ(place.segment, own);
      }
    }
    const Place beyond =
        track.locate(track.point(track.length() + 30, 2), track.segment_at(track.length()));
    EXPECT_NEAR(beyond.along, track.length() + 30, 1e-9) << "the road goes straight on";
  }
}

TEST(Track, AcrossIsTheDistanceToTheCentreLine) {
  const Track track = track_of("tight", 4);
  Rng rng(8);
  for (int i = 0; i < 50; ++i) {
    const double along = rng.uniform(10, track.length() - 10), across = rng.uniform(-5, 5);
    const Point p = track.point(along, across);
    double nearest = std::numeric_limits<double>::infinity();
    for (double s = 0; s < track.length(); s += 0.01)
      nearest = std::min(nearest, length(track.point(s, 0) - p));
    EXPECT_NEAR(nearest, std::abs(across), 1e-3);
    const Point ahead = direction(track.heading(along));
    EXPECT_EQ(across > 0, cross(ahead, p - track.point(along, 0)) > 0) << "left is above zero";
  }
}

TEST(Track, LanesBendAsMuchAsTheyDo) {
  const Track track = track_of("left", 1);
  const Track::Segment& curve = track.segments()[1];
  const double middle = curve.begin + curve.length / 2, radius = 1 / curve.curvature;
  EXPECT_NEAR(1 / track.curvature(middle, 3.5), radius - 3.5, 1e-9);
  EXPECT_NEAR(1 / track.curvature(middle, -3.5), radius + 3.5, 1e-9);
  EXPECT_EQ(track.curvature(10, 3.5), 0);
}

TEST(Track, IsWhatItsRegimeSays) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    for (const std::string& regime : drive_regimes()) {
      const TrackPlan& plan = drive_regime(regime).tracks;
      const Track track = track_of(regime, i);
      EXPECT_EQ(track.segments()[0].length, 50);
      double sign = 0;
      for (const Track::Segment& s : track.segments().subspan(1)) {
        if (s.curvature == 0) {
          EXPECT_GE(s.length, plan.least_straight);
          EXPECT_LE(s.length, plan.most_straight);
          continue;
        }
        const double radius = std::abs(1 / s.curvature), turn = s.length / radius;
        EXPECT_GE(radius, plan.least_radius - 1e-9);
        EXPECT_LE(radius, plan.most_radius + 1e-9);
        EXPECT_GE(turn, std::numbers::pi / 4 - 1e-9);
        EXPECT_LE(turn, 3 * std::numbers::pi / 4 + 1e-9);
        if (regime == "left") {
          EXPECT_GT(s.curvature, 0);
        }
        if (regime == "right") {
          EXPECT_LT(s.curvature, 0);
        }
        if (regime == "s_bends") {
          EXPECT_LE(s.curvature * sign, 0);
        }
        sign = s.curvature;
      }
    }
    EXPECT_EQ(track_of("right", i).segments().size(), 7u);
    EXPECT_EQ(track_of("s_bends", i).segments().size(), 11u);
  }
}

TEST(Track, NeverMeetsItself) {
  for (std::uint64_t i = 0; i < 100; ++i)
    for (const std::string& regime : drive_regimes()) {
      const Track track = track_of(regime, i);
      for (double a = 0; a < track.length(); a += 5)
        for (double b = a + 55; b < track.length(); b += 5)
          EXPECT_GT(length(track.point(a, 0) - track.point(b, 0)), 2 * Track::kHalfWidth + 2)
              << regime << " " << i << " " << a << " " << b;
    }
}

TEST(Track, LanesAreNumberedFromTheLeft) {
  EXPECT_EQ(lane_at(5), 0);
  EXPECT_EQ(lane_at(1.8), 0);
  EXPECT_EQ(lane_at(1.7), 1);
  EXPECT_EQ(lane_at(-1.7), 1);
  EXPECT_EQ(lane_at(-9), 2);
}

}  // namespace
}  // namespace engram
