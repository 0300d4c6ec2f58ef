// The whole world of a flock: every boid as a dart that points where it flies, one of them marked
// with how far it sees.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "benchmarks/simulations/boids.h"
#include "utils/canvas.h"

namespace engram {
namespace {

constexpr double kScale = 0.24;  // pixels of the picture per pixel of the world
constexpr double kDart = 5.5;    // pixels from the middle of a dart to its tip
constexpr Colour kSky{22, 28, 46}, kMarked{255, 214, 92}, kRing{255, 236, 170};

/// Of the direction of flight: those who fly together look alike.
Colour colour_of(Point velocity) {
  const double turn = std::atan2(velocity.y, velocity.x);
  const auto wave = [&](double shift) {
    const double height = 0.5 + 0.5 * std::cos(turn - shift);
    return static_cast<std::uint8_t>(std::lround(95 + 145 * height));
  };
  constexpr double kThird = 2 * std::numbers::pi / 3;
  return {wave(0), wave(kThird), wave(2 * kThird)};
}

void draw_dart(Canvas& canvas, Point at, Point velocity, double size, Colour colour) {
  const double speed = length(velocity);
  const Point ahead = speed > 0 ? (1 / speed) * velocity : Point{1, 0};
  const Point side = left_of(ahead);
  const std::array<Point, 3> left{at + size * ahead, at - 0.45 * size * ahead,
                                  at - size * ahead + 0.7 * size * side};
  const std::array<Point, 3> right{at + size * ahead, at - 0.45 * size * ahead,
                                   at - size * ahead - 0.7 * size * side};
  canvas.fill(left, colour), canvas.fill(right, colour);
}

}  // namespace

Frame draw_boids(const Boids& boids, int marked) {
  const int height = static_cast<int>(kScale * Boids::kHeight);
  const int width = static_cast<int>(kScale * Boids::kWidth);
  Canvas canvas(height, width, kSky);
  canvas.disc(kScale * boids.centre(marked), kScale * Boids::kSight, kRing, 0.12);
  canvas.ring(kScale * boids.centre(marked), kScale * Boids::kSight, 1, kRing, 0.7);
  for (int i = 0; i < boids.count(); ++i)
    draw_dart(canvas, kScale * boids.centre(i), boids.velocity(i), kDart,
              colour_of(boids.velocity(i)));
  draw_dart(canvas, kScale * boids.centre(marked), boids.velocity(marked), 1.25 * kDart, kMarked);
  return {height, width, canvas.take()};
}

}  // namespace engram
