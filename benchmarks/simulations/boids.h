// The kinematics of boids (Reynolds 1987) on whole pixels: a world of 1200 x 800 whose edges throw
// a boid to the other side, speeds of at most 4, neighbours seen straight ahead and not across an
// edge.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "benchmarks/simulations/simulation.h"
#include "utils/plane.h"
#include "utils/rng.h"

namespace engram {

/// What a boid sees of the others. Means and sums of nobody are zero.
struct Neighbours {
  int near = 0;    ///< others nearer than Boids::kSight
  int close = 0;   ///< others nearer than Boids::kTooClose
  Point velocity;  ///< mean of the near
  Point centre;    ///< mean of the near
  Point apart;     ///< sum over the close of (own centre - its centre) / distance^2
};

/// The flock as a whole.
struct FlockFigures {
  double polarisation = 0;        ///< length of the mean direction of flight
  double local_polarisation = 0;  ///< the same among a boid and its neighbours, mean over boids
  double nearest = 0;             ///< mean distance to the nearest other
  double degree = 0;              ///< mean number of near others
};

/// What the authors' three linear maps read; a map is silent when its neighbourhood is empty.
struct BoidInputs {
  bool near = false, close = false;
  std::array<double, 4> align{};     ///< own velocity, mean velocity of the near
  std::array<double, 4> cohesion{};  ///< own centre, mean centre of the near
  std::array<double, 4> separate{};  ///< own velocity, Neighbours::apart
};

class Boids {
 public:
  static constexpr double kWidth = 1200, kHeight = 800;
  static constexpr double kSight = 50, kTooClose = 25;
  static constexpr double kTopSpeed = 4;
  static constexpr double kHalf = 5;  ///< from a boid's corner to its centre

  explicit Boids(int count);

  int count() const { return static_cast<int>(x_.size()); }
  /// Anywhere, at velocities in [-1, 1)^2.
  void scatter(Rng rng);
  void place(int i, Point corner, Point velocity);
  Point corner(int i) const { return {x_[at(i)], y_[at(i)]}; }
  Point centre(int i) const { return corner(i) + Point{kHalf, kHalf}; }
  Point velocity(int i) const { return {vx_[at(i)], vy_[at(i)]}; }

  Neighbours around(int i) const;
  BoidInputs inputs(int i) const;
  /// Adds `force` to the boid's velocity, within the top speed, and moves it.
  void push(int i, Point force);
  /// One after the other, each seeing those before it where they already are.
  template <class Force>
  void advance(const Force& force) {
    for (int i = 0; i < count(); ++i)
      push(i, force(i));
  }
  FlockFigures figures() const;

 private:
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }

  std::vector<double> x_, y_;  ///< corners, whole numbers
  std::vector<double> vx_, vy_;
};

/// The world with one boid marked.
Frame draw_boids(const Boids& boids, int marked);

}  // namespace engram
