// A driver who knows the track: bends as the road does, corrects by where the car is and points,
// brakes for curves and for vehicles ahead, and changes lanes when that is faster and safe. What it
// does depends on the state alone.
#include <algorithm>
#include <cmath>

#include "benchmarks/simulations/drive_world.h"

namespace engram {
namespace {

constexpr double kCruise = 25;      // m/s
constexpr double kGripUsed = 0.6;   // share of the grip in curves
constexpr double kBrakeUsed = 0.7;  // share of the brakes when planning
constexpr double kFarAhead = 50;    // metres in which a vehicle is a reason to change lanes
constexpr double kBeside = 9;       // metres behind or ahead that a lane must be free
constexpr double kStay = 6;         // metres of free road that a change must be worth
constexpr double kFollow = 7;       // metres from centre to centre behind a slower vehicle
constexpr double kMostAside = 1.6;  // metres off its line that are corrected at once

}  // namespace

// Lanes to which the way is free are compared by how far they are.
int DriveWorld::target_lane() const {
  const int own = lane_at(place_.across);
  std::array<double, 3> clear{kFarAhead, kFarAhead, kFarAhead};
  std::array<bool, 3> open{true, true, true};
  for (std::size_t i = 0; i < vehicles_; ++i) {
    const auto lane = static_cast<std::size_t>(lane_at(traffic_[i].across));
    const double gap = along(i) - place_.along;
    if (std::abs(gap) < kBeside) open[lane] = false;
    if (gap > 0) clear[lane] = std::min(clear[lane], gap);
  }
  int best = own;
  for (const int step : {-1, 1})
    for (int lane = own + step; lane >= 0 && lane < 3; lane += step) {
      if (!open[static_cast<std::size_t>(lane)]) break;
      if (clear[static_cast<std::size_t>(lane)] >
          clear[static_cast<std::size_t>(best)] + (best == own ? kStay : 0))
        best = lane;
    }
  // One lane at a time.
  return own + (best > own) - (best < own);
}

double DriveWorld::target_speed(const DriveRegime& regime, int lane) const {
  const double across = kLanes[static_cast<std::size_t>(lane)];
  const double brake = kBrakeUsed * std::min(Car::kBrake, regime.grip);
  double target = kCruise;
  // The fastest now from which `speed` is reached within `distance`.
  const auto allow = [&](double speed, double distance) {
    target = std::min(target, std::sqrt(speed * speed + 2 * brake * std::max(0.0, distance)));
  };
  const auto segments = track_.segments();
  for (auto i = static_cast<std::size_t>(place_.segment); i < segments.size(); ++i) {
    const double bend = std::abs(track_.curvature(segments[i].begin, across));
    if (bend == 0) continue;
    const double reaction = car_.speed * Car::kStep;
    allow(std::sqrt(kGripUsed * regime.grip / bend), segments[i].begin - place_.along - reaction);
  }
  for (std::size_t i = 0; i < vehicles_; ++i) {
    const double gap = along(i) - place_.along;
    const double aside = std::min(std::abs(traffic_[i].across - place_.across),
                                  std::abs(traffic_[i].across - across));
    if (gap < 0 || aside > 2.2) continue;
    if (gap < kFollow)
      target = std::min(target, std::max(0.0, traffic_[i].speed - (kFollow - gap)));
    else
      allow(traffic_[i].speed, gap - kFollow);
  }
  return target;
}

DriveAction DriveWorld::expert(const DriveRegime& regime) const {
  const int lane = target_lane();
  const double across = kLanes[static_cast<std::size_t>(lane)];
  const double speed = target_speed(regime, lane);
  const double hurry = (speed - car_.speed) / 0.4;
  const double brake = std::min(Car::kBrake, regime.grip);
  const double throttle = std::clamp(hurry > 0 ? hurry / Car::kPush : hurry / brake, -1.0, 1.0);

  // The rear axle is what follows the line: off' = sin(turned), turned' = bend - road's bend per
  // metre, which the corrections make a critically damped spring of length `ease`.
  const Place rear = track_.locate(car_.rear, place_.segment);
  const double way = std::max(0.5, car_.speed * Car::kStep);
  const double ease = std::max(2.5, 0.3 * car_.speed);
  const double off = std::clamp(rear.across - across, -kMostAside, kMostAside);
  const double turned = wrapped_angle(car_.heading - track_.heading(rear.along));
  // What the road turns while the action holds, and by a lane's share of it.
  const double shrink =
      1 - track_.segments()[static_cast<std::size_t>(rear.segment)].curvature * across;
  const double road =
      (track_.heading(rear.along + way / shrink) - track_.heading(rear.along)) / way;
  const double bend = road - off / (ease * ease) - 2 * turned / ease;
  const double steer = std::atan(bend * Car::kWheelBase) / Car::kMostSteer;
  return {std::clamp(steer, -1.0, 1.0), throttle};
}

}  // namespace engram
