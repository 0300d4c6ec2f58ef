// A road of three lanes in one direction along a centre line of straights and arcs, and the exact
// coordinates on it: how far along, how far to the left.
//
// A track is 50 m straight ahead, then blocks as in PGDrive 0.1 (Li et al. 2020): a curve with a
// straight after it, or a straight alone. Radii are those of the centre line. Tracks whose road
// would cross or touch itself are drawn again.
#pragma once

#include <array>
#include <numbers>
#include <span>

#include "utils/plane.h"
#include "utils/rng.h"

namespace engram {

enum class Turns { Left, Right, Either, Alternating };

/// What tracks are drawn from, all uniform.
struct TrackPlan {
  int blocks = 3;
  Turns turns = Turns::Either;
  double least_radius = 25, most_radius = 60;
  double least_straight = 40, most_straight = 80;
  double straight_alone = 0;  ///< chance of a block without a curve
};

/// Where something is on a track: metres along the centre line, metres to its left.
struct Place {
  double along = 0, across = 0;
  int segment = 0;
};

class Track {
 public:
  static constexpr double kLane = 3.5;
  static constexpr double kHalfWidth = 1.5 * kLane;
  static constexpr double kRunUp = 50;
  static constexpr int kMostBlocks = 5;

  struct Segment {
    double begin = 0, length = 0;
    double curvature = 0;  ///< above zero to the left
    Point start;
    double heading = 0;  ///< at the start
    Point ahead{1, 0};   ///< the same as a direction

    double end() const { return begin + length; }
  };

  Track() { add(kRunUp, 0); }
  Track(const TrackPlan& plan, const Rng& rng);

  double length() const { return segments_[at(count_ - 1)].end(); }
  std::span<const Segment> segments() const { return {segments_.data(), at(count_)}; }
  /// The segment that holds `along`; beyond the ends the first or last, whose line goes on.
  int segment_at(double along) const;
  Point point(double along, double across) const;
  double heading(double along) const;
  /// Of the line `across` metres to the left of the centre line.
  double curvature(double along, double across) const;
  /// Exact within the width of the road; `near` is a segment close to the right one.
  Place locate(Point p, int near) const;

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  void add(double length, double curvature);
  void draw(const TrackPlan& plan, Rng rng);
  bool meets_itself() const;

  std::array<Segment, 2 * kMostBlocks + 1> segments_{};
  int count_ = 0;
};

/// Middles of the lanes, as `across`: of the left, the middle and the right one.
constexpr std::array<double, 3> kLanes{Track::kLane, 0, -Track::kLane};
/// The lane that `across` is in or, off the road, next to.
int lane_at(double across);

/// To (-pi, pi].
double wrapped_angle(double angle);

}  // namespace engram
