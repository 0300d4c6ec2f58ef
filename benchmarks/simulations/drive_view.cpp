// What the driver sees: the formulas of drive.h.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "benchmarks/simulations/drive_world.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr double kPi = std::numbers::pi;

real share(double x) {
  return static_cast<real>(std::clamp(x, 0.0, 1.0));
}
/// [-most, most] to [0, 1].
real both_ways(double x, double most) {
  return share(0.5 + 0.5 * x / most);
}

}  // namespace

void DriveWorld::see(const Lidar& lidar, std::span<real> to) const {
  ENGRAM_INVARIANT(std::ssize(to) == kNumbers + lidar.beams());
  const Point ahead = direction(car_.heading), centre = car_.centre();
  const double lane = kLanes[static_cast<std::size_t>(lane_at(place_.across))];
  std::size_t k = 0;

  to[k++] = share((Track::kHalfWidth - place_.across) / (2 * Track::kHalfWidth));
  to[k++] = share((Track::kHalfWidth + place_.across) / (2 * Track::kHalfWidth));
  to[k++] = both_ways(wrapped_angle(car_.heading - track_.heading(place_.along)), kPi / 3);
  to[k++] = share(car_.speed / Car::kTopSpeed);
  to[k++] = both_ways(car_.steer, 1);
  to[k++] = both_ways(car_.throttle, 1);
  to[k++] = both_ways(car_.speed * car_.curvature, 2);
  to[k++] = both_ways(place_.across - lane, Track::kLane / 2);
  to[k++] = both_ways(car_.held, 1);

  const auto segments = track_.segments();
  for (std::size_t i = 0; i < 2; ++i) {
    // Behind the last segment the road goes straight on.
    const std::size_t which = static_cast<std::size_t>(place_.segment) + i;
    const bool is_there = which < segments.size();
    const double end = is_there ? segments[which].end() : track_.length() + 100;
    const double begin = is_there ? std::max(segments[which].begin, place_.along) : end - 100;
    const double bend = is_there ? segments[which].curvature : 0;
    const Point goal = track_.point(end, 0) - centre;
    to[k++] = both_ways(dot(ahead, goal), 100);
    to[k++] = both_ways(cross(ahead, goal), 100);
    to[k++] = both_ways(bend, 0.05);
    to[k++] = share((end - begin) / 100);
    to[k++] = both_ways((end - begin) * bend, 0.75 * kPi);
  }

  // The nearest first, by insertion: there are a handful.
  struct Seen {
    double distance = 0;
    std::size_t which = 0;
  };
  std::array<Seen, kMostVehicles> seen;
  std::size_t count = 0;
  for (std::size_t i = 0; i < vehicles_; ++i) {
    const double distance = length(others_[i].centre - centre);
    if (distance >= Lidar::kRange) continue;
    std::size_t place = count++;
    for (; place > 0 && seen[place - 1].distance > distance; --place)
      seen[place] = seen[place - 1];
    seen[place] = {distance, i};
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(kSeenVehicles); ++i) {
    if (i >= count) {
      to[k++] = 1;
      for (int rest = 0; rest < 3; ++rest)
        to[k++] = real(0.5);
      continue;
    }
    const Rectangle& other = others_[seen[i].which];
    const Point way = other.centre - centre;
    const Point drift = traffic_[seen[i].which].speed * other.ahead - car_.speed * ahead;
    to[k++] = both_ways(dot(ahead, way), Lidar::kRange);
    to[k++] = both_ways(cross(ahead, way), Lidar::kRange);
    to[k++] = both_ways(dot(ahead, drift), Car::kTopSpeed);
    to[k++] = both_ways(cross(ahead, drift), Car::kTopSpeed);
  }
  lidar.look(centre, car_.heading, others(), to.subspan(k));
}

}  // namespace engram
