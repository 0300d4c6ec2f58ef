#include "benchmarks/simulations/car.h"

#include <algorithm>
#include <cmath>

namespace engram {
namespace {

/// Half of what a rectangle covers along `axis`.
double reach(const Rectangle& r, Point axis) {
  return r.half_length * std::abs(dot(r.ahead, axis)) +
         r.half_width * std::abs(cross(r.ahead, axis));
}

}  // namespace

// Two convex shapes are apart when they are along the normal of some edge.
bool overlap(const Rectangle& a, const Rectangle& b) {
  const Point between = b.centre - a.centre;
  for (const Point axis : {a.ahead, left_of(a.ahead), b.ahead, left_of(b.ahead)})
    if (std::abs(dot(between, axis)) > reach(a, axis) + reach(b, axis)) return false;
  return true;
}

void Car::drive(double new_steer, double new_throttle, double grip) {
  steer = std::clamp(new_steer, -1.0, 1.0), throttle = std::clamp(new_throttle, -1.0, 1.0);
  constexpr double kTime = kStep / kSubsteps;
  const double asked = std::tan(steer * kMostSteer) / kWheelBase;
  const double push = throttle > 0 ? kPush * throttle : std::min(kBrake, grip) * throttle;
  for (int i = 0; i < kSubsteps; ++i) {
    const double before = speed;
    speed = std::clamp(speed + push * kTime, 0.0, kTopSpeed);
    const double way = 0.5 * (before + speed) * kTime;
    const double most = grip / std::max(speed * speed, 1e-9);
    curvature = std::clamp(asked, -most, most);
    // The chord of the arc, whose direction is that of its middle.
    const double half_turn = 0.5 * curvature * way;
    rear += (way * (1 - half_turn * half_turn / 6)) * direction(heading + half_turn);
    heading += 2 * half_turn;
  }
  held = curvature * speed * speed / grip;
}

}  // namespace engram
