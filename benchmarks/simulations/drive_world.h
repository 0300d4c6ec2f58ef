// One car on one track with its traffic: what moves it, what ends its episode, what it is paid,
// what it sees and what an expert would do. The formulas are in drive.h.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "benchmarks/simulations/car.h"
#include "benchmarks/simulations/lidar.h"
#include "benchmarks/simulations/saved_state.h"
#include "benchmarks/simulations/simulation.h"
#include "benchmarks/simulations/track.h"

namespace engram {

struct DriveRegime {
  std::string_view name;
  TrackPlan tracks;
  int vehicles = 0;  ///< slower than the car
  double grip = 9;   ///< most sideways acceleration in m/s^2
};

/// Slower than our car, always in its lane, never faster or slower.
struct Vehicle {
  double begin = 0, speed = 0;  ///< metres along the track at the start, m/s
  double across = 0;
};

struct DriveAction {
  double steer = 0, throttle = 0;
};

enum class DriveEnd { None, Arrived, Crashed, OutOfRoad, TooLong };

class DriveWorld {
 public:
  static constexpr int kMostVehicles = 3;
  static constexpr int kMostSteps = 800;
  static constexpr double kFinish = 5;  ///< metres before the end of the track
  static constexpr double kStart = 5;
  static constexpr int kEgo = 9, kNavigation = 10, kSeenVehicles = 4;
  static constexpr int kNumbers = kEgo + kNavigation + 4 * kSeenVehicles;  ///< without lidar

  /// A new episode on the track that `rng` draws.
  void begin(const DriveRegime& regime, const Rng& rng);
  /// The reward. Nothing happens after the end.
  double step(const DriveRegime& regime, DriveAction action);
  DriveEnd end() const { return end_; }

  /// to [kNumbers + lidar.beams()].
  void see(const Lidar& lidar, std::span<real> to) const;
  DriveAction expert(const DriveRegime& regime) const;
  Frame draw(const Lidar& lidar) const;

  const Track& track() const { return track_; }
  const Car& car() const { return car_; }
  Place place() const { return place_; }
  int steps() const { return steps_; }
  /// Those on the road, as they are now.
  std::span<const Rectangle> others() const { return {others_.data(), vehicles_}; }
  double along(std::size_t vehicle) const {
    return traffic_[vehicle].begin + traffic_[vehicle].speed * Car::kStep * steps_;
  }
  std::span<const Vehicle> traffic() const { return {traffic_.data(), vehicles_}; }
  double progress() const;    ///< share of the way from start to finish
  double mean_speed() const;  ///< m/s

  /// Places the car, for tests and for pictures; the episode goes on.
  void put(Place place, double heading_off_the_road, double speed);

  /// What begin() does not draw again.
  void save(StateWriter& out) const;
  void load(StateReader& in);

 private:
  void place_others();
  double target_speed(const DriveRegime& regime, int lane) const;
  int target_lane() const;

  Track track_;
  std::array<Vehicle, kMostVehicles> traffic_{};
  std::array<Rectangle, kMostVehicles> others_{};
  std::size_t vehicles_ = 0;
  Car car_;
  Place place_;
  double driven_ = 0;  ///< metres
  int steps_ = 0;
  DriveEnd end_ = DriveEnd::None;
};

}  // namespace engram
