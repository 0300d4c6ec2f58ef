// A flock as a benchmark: boids (boids.h) that a teacher or a reward shows how to fly together.
//
// Teacher: f* = k_a (mean velocity - own) + k_c (mean position - own) + k_s sum (own - other) /
// d^2, the means over the boids nearer than 50, the sum over those nearer than 25, each component
// of f* within [-8, 8]. Regimes are the constants. The reward of an action a is -|a - f*| / 4.
//
// Observation, 8 numbers of either sign: own velocity / 4, mean velocity - own / 4, mean position -
// own / 50, ten times the sum; x before y, zero where there is nobody.
//
// Boids move one after the other, and whom a boid sees has moved already if it comes earlier: that
// is what keeps flocks moving, without it they come to rest. Actions come for all at once, so a
// boid sees those before it where the teacher would have moved them; under the teacher that is
// where they are, and its flocks are those of Boids::advance().
//
// An episode is 300 steps of one flock, truncated; the next begins with a flock scattered anew.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/simulations/simulations.h"

namespace engram {

std::vector<std::string> flock_regimes();
/// 40 boids to learn from, 80 to be judged by, unless `bodies` says another number.
std::unique_ptr<Simulation> make_flock(const SimulationOptions&, std::string_view regime, Role);

}  // namespace engram
