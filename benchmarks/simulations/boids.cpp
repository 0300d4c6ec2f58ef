#include "benchmarks/simulations/boids.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace engram {
namespace {

/// To the other edge, however far beyond the first: not a modulo.
double wrapped(double x, double end) {
  return x < 0 ? end : x > end ? 0 : x;
}

Point unit(Point v) {
  const double size = length(v);
  return size > 0 ? (1 / size) * v : Point{};
}

}  // namespace

Boids::Boids(int count) : x_(at(count)), y_(at(count)), vx_(at(count)), vy_(at(count)) {}

void Boids::scatter(Rng rng) {
  for (int i = 0; i < count(); ++i) {
    const double x = rng.below(static_cast<std::uint32_t>(kWidth) + 1);
    const double y = rng.below(static_cast<std::uint32_t>(kHeight) + 1);
    const double vx = rng.uniform(-1, 1), vy = rng.uniform(-1, 1);
    place(i, {x, y}, {vx, vy});
  }
}

void Boids::place(int i, Point corner, Point velocity) {
  x_[at(i)] = corner.x, y_[at(i)] = corner.y;
  vx_[at(i)] = velocity.x, vy_[at(i)] = velocity.y;
}

Neighbours Boids::around(int i) const {
  const double *const px = x_.data(), *const py = y_.data();
  const double *const pvx = vx_.data(), *const pvy = vy_.data();
  const double x = px[i], y = py[i];
  double near = 0, close = 0, sum_vx = 0, sum_vy = 0, sum_dx = 0, sum_dy = 0, away_x = 0,
         away_y = 0;
  const auto look = [&](int begin, int end) {
#pragma omp simd reduction(+ : near, close, sum_vx, sum_vy, sum_dx, sum_dy, away_x, away_y)
    for (int j = begin; j < end; ++j) {
      const double dx = px[j] - x, dy = py[j] - y, d2 = dx * dx + dy * dy;
      const double sees = d2 < kSight * kSight ? 1 : 0;
      const double crowds = d2 < kTooClose * kTooClose ? 1 : 0;
      near += sees, close += crowds;
      sum_vx += sees * pvx[j], sum_vy += sees * pvy[j];
      sum_dx += sees * dx, sum_dy += sees * dy;
      const double weight = crowds / std::max(d2, 1e-8);  // above zero where there is no distance
      away_x -= weight * dx, away_y -= weight * dy;
    }
  };
  look(0, i);
  look(i + 1, count());
  Neighbours out;
  out.near = static_cast<int>(near), out.close = static_cast<int>(close);
  out.apart = {away_x, away_y};
  if (near > 0) {
    out.velocity = (1 / near) * Point{sum_vx, sum_vy};
    out.centre = centre(i) + (1 / near) * Point{sum_dx, sum_dy};
  }
  return out;
}

BoidInputs Boids::inputs(int i) const {
  const Neighbours others = around(i);
  const Point v = velocity(i), c = centre(i);
  BoidInputs out;
  out.near = others.near > 0, out.close = others.close > 0;
  if (out.near) {
    out.align = {v.x, v.y, others.velocity.x, others.velocity.y};
    out.cohesion = {c.x, c.y, others.centre.x, others.centre.y};
  }
  if (out.close) out.separate = {v.x, v.y, others.apart.x, others.apart.y};
  return out;
}

void Boids::push(int i, Point force) {
  Point v = velocity(i) + force;
  const double speed = length(v);
  if (speed > kTopSpeed) v = {kTopSpeed * v.x / speed, kTopSpeed * v.y / speed};
  // std::round leaves zero at halves, as the pixel coordinates of pygame 2.4 do.
  const double x = wrapped(std::round(x_[at(i)] + v.x), kWidth);
  const double y = wrapped(std::round(y_[at(i)] + v.y), kHeight);
  place(i, {x, y}, v);
}

FlockFigures Boids::figures() const {
  FlockFigures out;
  Point flight;
  for (int i = 0; i < count(); ++i) {
    const Point own = unit(velocity(i));
    flight += own;
    Point together = own;
    double nearest = std::numeric_limits<double>::infinity();
    int near = 0;
    for (int j = 0; j < count(); ++j) {
      if (j == i) continue;
      const double distance = length(corner(j) - corner(i));
      nearest = std::min(nearest, distance);
      if (distance >= kSight) continue;
      ++near;
      together += unit(velocity(j));
    }
    out.local_polarisation += length(together) / (near + 1);
    if (count() > 1) out.nearest += nearest;
    out.degree += near;
  }
  const double each = 1.0 / count();
  out.polarisation = each * length(flight);
  out.local_polarisation *= each, out.nearest *= each, out.degree *= each;
  return out;
}

}  // namespace engram
