// A car on winding roads as a benchmark, after PGDrive 0.1 (Li et al. 2020) seen from above. Each
// body drives on a track of its own (track.h): three lanes of 3.5 m, a start 5 m along the track in
// the middle lane at rest, a finish 5 m before its end.
//
// An action is (steer, throttle) in [-1, 1]^2, held for 0.1 s; left and forward are above zero. It
// turns the front wheels by up to 40 degrees and gives 2.5 m/s^2 of engine or 3 m/s^2 of brakes, up
// to 120 km/h and never backwards. Faster than its grip allows (9 m/s^2 sideways, slippery 3) the
// car slides wide (car.h).
//
// Reward of a step: metres along the centre line * max(0, 1 - |metres off the lane's middle|
// / 1.75)
// - 0.1 |change of steer| km/h / 20 + 0.1 km/h / 120. The last step's is instead 20 for arriving,
// -10 for hitting a vehicle, -5 when the car's centre leaves the road. 800 steps are truncated.
//
// Observation: 9 + 10 + 16 + lidar_beams numbers, clipped to [0, 1]. x/y is x over y, x:y is
// (1 + x / y) / 2 for x of either sign.
//   0-1    metres to the left edge / 10.5, to the right edge / 10.5
//   2-3    heading off the road's : 60 degrees, speed / 120 km/h
//   4-5    last steer : 1, last throttle : 1
//   6      turning : 2 rad/s
//   7      metres to the left of the middle of the lane : 1.75
//   8      sideways force : the most that the grip gives
//   9-13   of the straight or arc that the car is on: its end on the centre line, ahead : 100 m and
//          to the left : 100 m; curvature : 0.05 /m; metres to its end / 100; angle that it still
//          turns : 135 degrees
//   14-18  the same of the next one
//   19-34  of the four vehicles nearest within 50 m: place ahead : 50 m and to the left : 50 m,
//          velocity minus own ahead : 120 km/h and to the left : 120 km/h; 1, .5, .5, .5 for nobody
//   35-    of each lidar beam (lidar.h): metres to a vehicle / 50; 1 when it meets none
//
// Regimes, of three curves with straights of 40-80 m unless they say else: right and left (one way,
// radii 45-60 m), tight (25-35), s_bends (five curves left and right in turn, radii 30-45, then
// 10-25 m straight), traffic (25-60; three vehicles at 5-8 m/s in any lane), slippery (25-60; grip
// 3), mixed (25-60; one block in six is a straight alone, as in PGDrive without crossings, ramps).
//
// To learn from, tracks never run out: a body's n-th depends on reset()'s numbers, the body and n.
// To be judged by there are 20 of a regime, the same for everybody: the n-th of body b is number
// b + n * bodies, modulo 20.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/simulations/drive_world.h"
#include "benchmarks/simulations/simulations.h"

namespace engram {

constexpr int kHeldOutTracks = 20;

std::vector<std::string> drive_regimes();
const DriveRegime& drive_regime(std::string_view name);  ///< one of drive_regimes()
/// What the tracks to be judged by are drawn from; those to learn from never are.
Rng held_out_track(std::string_view regime, int number);
/// 1 car to learn from, as PGDrive has; 20 to be judged by, one a track. `bodies` may say more.
std::unique_ptr<Simulation> make_drive(const SimulationOptions&, std::string_view regime, Role);

}  // namespace engram
