#include "benchmarks/simulations/drive_world.h"

#include <algorithm>
#include <cmath>

namespace engram {
namespace {

constexpr double kLeastSpeed = 5, kMostSpeed = 8;  // of traffic, m/s
constexpr double kFirstVehicle = 40;               // metres along the track
constexpr double kLeastGap = 25, kMostGap = 60;    // metres between one vehicle and the next
constexpr double kArriving = 20, kCrashing = -10, kLeaving = -5;

}  // namespace

void DriveWorld::begin(const DriveRegime& regime, const Rng& rng) {
  track_ = Track(regime.tracks, rng.fork("track"));
  vehicles_ = static_cast<std::size_t>(regime.vehicles);
  Rng draw = rng.fork("traffic");
  double along = kFirstVehicle;
  for (std::size_t i = 0; i < vehicles_; ++i) {
    along += i > 0 ? draw.uniform(kLeastGap, kMostGap) : 0;
    traffic_[i] = {along, draw.uniform(kLeastSpeed, kMostSpeed), kLanes[draw.below(3)]};
  }
  // Nobody drives into the one ahead in the same lane.
  for (std::size_t i = vehicles_; i-- > 0;)
    for (std::size_t j = i + 1; j < vehicles_; ++j)
      if (traffic_[i].across == traffic_[j].across)
        traffic_[i].speed = std::min(traffic_[i].speed, traffic_[j].speed);
  driven_ = 0, steps_ = 0, end_ = DriveEnd::None;
  put({.along = kStart}, 0, 0);
  place_others();
}

void DriveWorld::put(Place place, double heading_off_the_road, double speed) {
  car_ = Car{};
  car_.heading = track_.heading(place.along) + heading_off_the_road;
  car_.speed = speed;
  car_.rear =
      track_.point(place.along, place.across) - Car::kRearToCentre * direction(car_.heading);
  place_ = track_.locate(car_.centre(), track_.segment_at(place.along));
}

void DriveWorld::place_others() {
  for (std::size_t i = 0; i < vehicles_; ++i) {
    others_[i].centre = track_.point(along(i), traffic_[i].across);
    others_[i].ahead = direction(track_.heading(along(i)));
  }
}

double DriveWorld::step(const DriveRegime& regime, DriveAction action) {
  if (end_ != DriveEnd::None) return 0;
  const double steer_before = car_.steer, along_before = place_.along;
  const Point before = car_.centre();
  car_.drive(action.steer, action.throttle, regime.grip);
  place_ = track_.locate(car_.centre(), place_.segment);
  driven_ += length(car_.centre() - before);
  ++steps_;
  place_others();

  const auto hit = [&](const Rectangle& other) { return overlap(car_.outline(), other); };
  if (std::any_of(others().begin(), others().end(), hit)) {
    end_ = DriveEnd::Crashed;
    return kCrashing;
  }
  if (std::abs(place_.across) > Track::kHalfWidth || place_.along < 0) {
    end_ = DriveEnd::OutOfRoad;
    return kLeaving;
  }
  if (place_.along > track_.length() - kFinish) {
    end_ = DriveEnd::Arrived;
    return kArriving;
  }
  if (steps_ == kMostSteps) end_ = DriveEnd::TooLong;

  const double off =
      std::abs(place_.across - kLanes[static_cast<std::size_t>(lane_at(place_.across))]);
  const double kmh = 3.6 * car_.speed;
  return (place_.along - along_before) * std::clamp(1 - 2 * off / Track::kLane, 0.0, 1.0) -
         0.1 * std::abs(steer_before - car_.steer) * kmh / 20 + 0.1 * kmh / 120;
}

double DriveWorld::progress() const {
  const double whole = track_.length() - kFinish - kStart;
  return std::clamp((place_.along - kStart) / whole, 0.0, 1.0);
}

double DriveWorld::mean_speed() const {
  return steps_ > 0 ? driven_ / (Car::kStep * steps_) : 0;
}

void DriveWorld::save(StateWriter& out) const {
  for (const double x : {car_.rear.x, car_.rear.y, car_.heading, car_.speed, car_.steer,
                         car_.throttle, car_.curvature, car_.held, driven_})
    out.add(x);
  out.add(place_.along), out.add(place_.across), out.add(place_.segment);
  out.add(steps_), out.add(static_cast<double>(end_));
}

void DriveWorld::load(StateReader& in) {
  constexpr double kFar = 1e5;  // more than any car drives in an episode
  car_.rear.x = in.number(-kFar, kFar), car_.rear.y = in.number(-kFar, kFar);
  car_.heading = in.number(-kFar, kFar), car_.speed = in.number(0, Car::kTopSpeed);
  car_.steer = in.number(-1, 1), car_.throttle = in.number(-1, 1);
  car_.curvature = in.number(-1, 1), car_.held = in.number(-1.001, 1.001);
  driven_ = in.number(0, kFar);
  place_.along = in.number(-kFar, kFar), place_.across = in.number(-kFar, kFar);
  place_.segment = static_cast<int>(in.whole(0, static_cast<double>(track_.segments().size()) - 1));
  steps_ = static_cast<int>(in.whole(0, kMostSteps));
  end_ = static_cast<DriveEnd>(in.whole(0, static_cast<double>(DriveEnd::TooLong)));
  place_others();
}

}  // namespace engram
