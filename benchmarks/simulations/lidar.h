// Beams of distance from a car, evenly around it, the first straight ahead and the others to the
// left of one another.
#pragma once

#include <span>
#include <vector>

#include "benchmarks/simulations/car.h"
#include "utils/real.h"

namespace engram {

class Lidar {
 public:
  static constexpr double kRange = 50;

  explicit Lidar(int beams);
  int beams() const { return static_cast<int>(x_.size()); }
  /// Direction of a beam seen by a car that points along x.
  Point beam(int i) const {
    return {x_[static_cast<std::size_t>(i)], y_[static_cast<std::size_t>(i)]};
  }
  /// to [beams] <- distance to the first rectangle over the range; 1 where there is none.
  void look(Point from, double heading, std::span<const Rectangle> things,
            std::span<real> to) const;

 private:
  std::vector<double> x_, y_;
};

}  // namespace engram
