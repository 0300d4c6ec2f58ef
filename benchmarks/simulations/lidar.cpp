#include "benchmarks/simulations/lidar.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "utils/error.h"

namespace engram {

Lidar::Lidar(int beams) : x_(static_cast<std::size_t>(beams)), y_(static_cast<std::size_t>(beams)) {
  for (std::size_t i = 0; i < x_.size(); ++i) {
    const Point p = direction(2 * std::numbers::pi * static_cast<double>(i) / beams);
    x_[i] = p.x, y_[i] = p.y;
  }
}

void Lidar::look(Point from, double heading, std::span<const Rectangle> things,
                 std::span<real> to) const {
  ENGRAM_INVARIANT(to.size() == x_.size());
  std::fill(to.begin(), to.end(), real{1});
  const Point ahead = direction(heading);
  for (const Rectangle& thing : things) {
    const Point away = from - thing.centre;
    const double reach = kRange + thing.half_length + thing.half_width;
    if (dot(away, away) > reach * reach) continue;
    // In the frame of the rectangle a beam is inside between entering the last and leaving the
    // first of two slabs.
    const double px = dot(away, thing.ahead), py = cross(thing.ahead, away);
    const double turn_x = dot(ahead, thing.ahead), turn_y = cross(thing.ahead, ahead);
    const double a = thing.half_length, b = thing.half_width;
    const auto never_zero = [](double d) { return std::copysign(std::max(std::abs(d), 1e-12), d); };
    const int count = beams();
    for (int i = 0; i < count; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double sx = 1 / never_zero(x_[k] * turn_x - y_[k] * turn_y);
      const double sy = 1 / never_zero(x_[k] * turn_y + y_[k] * turn_x);
      const double x1 = (-a - px) * sx, x2 = (a - px) * sx;
      const double y1 = (-b - py) * sy, y2 = (b - py) * sy;
      const double enters = std::max(std::min(x1, x2), std::min(y1, y2));
      const double leaves = std::min(std::max(x1, x2), std::max(y1, y2));
      const bool hits = leaves >= std::max(enters, 0.0) && enters < kRange;
      const double share = hits ? std::max(enters, 0.0) / kRange : 1;
      to[k] = std::min(to[k], static_cast<real>(share));
    }
  }
}

}  // namespace engram
