#include "benchmarks/simulations/track.h"

#include <algorithm>
#include <cmath>

#include "utils/error.h"

namespace engram {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kLeastAngle = 45 * kDegree, kMostAngle = 135 * kDegree;
constexpr int kMostAttempts = 200;

}  // namespace

Track::Track(const TrackPlan& plan, const Rng& rng) {
  ENGRAM_INVARIANT(plan.blocks <= kMostBlocks);
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    draw(plan, rng.fork("attempt", at(attempt)));
    if (!meets_itself()) return;
  }
}

void Track::draw(const TrackPlan& plan, Rng rng) {
  count_ = 0;
  add(kRunUp, 0);
  bool left = rng.below(2) == 0;
  for (int block = 0; block < plan.blocks; ++block) {
    // The same draws for every kind of block.
    const bool curve = rng.uniform() >= plan.straight_alone;
    const double radius = rng.uniform(plan.least_radius, plan.most_radius);
    const double angle = rng.uniform(kLeastAngle, kMostAngle);
    const bool other = rng.below(2) == 0;
    const double straight = rng.uniform(plan.least_straight, plan.most_straight);
    if (plan.turns == Turns::Left || plan.turns == Turns::Right) left = plan.turns == Turns::Left;
    if (plan.turns == Turns::Alternating) left = !left;
    if (plan.turns == Turns::Either) left = other;
    if (curve) add(radius * angle, (left ? 1 : -1) / radius);
    add(straight, 0);
  }
}

void Track::add(double length, double curvature) {
  Segment next;
  next.length = length, next.curvature = curvature;
  if (count_ > 0) {
    const Segment& last = segments_[at(count_ - 1)];
    next.begin = last.end();
    next.start = point(next.begin, 0);
    next.heading = heading(next.begin);
    next.ahead = direction(next.heading);
  }
  segments_[at(count_++)] = next;
}

int Track::segment_at(double along) const {
  int i = 0;
  while (i + 1 < count_ && along >= segments_[at(i)].end())
    ++i;
  return i;
}

Point Track::point(double along, double across) const {
  const Segment& s = segments_[at(segment_at(along))];
  const double way = along - s.begin;
  if (s.curvature == 0) return s.start + way * s.ahead + across * left_of(s.ahead);
  const double radius = 1 / s.curvature;  // below zero to the right
  const Point middle = s.start + radius * left_of(s.ahead);
  return middle - (radius - across) * left_of(direction(s.heading + way * s.curvature));
}

double Track::heading(double along) const {
  const Segment& s = segments_[at(segment_at(along))];
  return s.heading + (along - s.begin) * s.curvature;
}

double Track::curvature(double along, double across) const {
  const double own = segments_[at(segment_at(along))].curvature;
  return own / (1 - own * across);
}

Place Track::locate(Point p, int near) const {
  Place out{.segment = near};
  for (int moves = 0; moves < count_; ++moves) {
    const Segment& s = segments_[at(out.segment)];
    if (s.curvature == 0) {
      out.along = dot(p - s.start, s.ahead);
      out.across = cross(s.ahead, p - s.start);
    } else {
      const double radius = 1 / s.curvature;
      const Point from = -radius * left_of(s.ahead), to = p - s.start + from;
      out.along = radius * std::atan2(cross(from, to), dot(from, to));
      out.across = radius - std::copysign(std::sqrt(dot(to, to)), radius);
    }
    const int step = out.along < 0 ? -1 : out.along >= s.length ? 1 : 0;
    out.along += s.begin;
    const int next = out.segment + step;
    if (step == 0 || next < 0 || next >= count_) break;
    out.segment = next;
  }
  return out;
}

bool Track::meets_itself() const {
  constexpr double kStep = 4, kApart = 48;  // along; nearer parts of a curve are no meeting
  constexpr double kGap = 2 * kHalfWidth + 6;
  constexpr std::size_t kMost = 400;
  std::array<Point, kMost> line;
  const int count = static_cast<int>(std::min<double>(kMost, length() / kStep));
  for (int i = 0; i < count; ++i) {
    line[at(i)] = point(i * kStep, 0);
    for (int j = 0; (i - j) * kStep > kApart; ++j) {
      const Point gap = line[at(i)] - line[at(j)];
      if (dot(gap, gap) < kGap * kGap) return true;
    }
  }
  return false;
}

int lane_at(double across) {
  return across > Track::kLane / 2 ? 0 : across < -Track::kLane / 2 ? 2 : 1;
}

double wrapped_angle(double angle) {
  return std::remainder(angle, 2 * std::numbers::pi);
}

}  // namespace engram
