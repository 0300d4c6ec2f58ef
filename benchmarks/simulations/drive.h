// A car on winding roads as a benchmark, after PGDrive 0.1 (Li et al. 2020) seen from above. Each
// body drives on a track of its own (track.h): three lanes of 3.5 m, a start 5 m along the track in
// the middle lane at rest, a finish 5 m before its end. An action is (steer, throttle) in [-1,
// 1]^2, left and forward above zero: 40 degrees, 2.5 m/s^2 of engine, 3 m/s^2 of brakes (at most
// the grip), held for 0.1 s; up to 120 km/h, never backwards. The car bends at most as its grip
// holds (9 m/s^2, slippery 3): faster, it slides wide (car.h).
//
// Reward of a step: metres along the centre line * max(0, 1 - 2 |metres off the middle of the lane|
// / 3.5) - 0.1 |change of steer| km/h / 20 + 0.1 km/h / 120. The last step's is instead 20 on
// arriving, -10 for hitting a vehicle, -5 when the car's centre leaves the road. 800 steps are
// truncated.
//
// Observation, all clipped to [0, 1]; "x of m" is (1 + x / m) / 2 for x of either sign:
//   ego 9         metres to the left and to the right edge / 10.5; heading off the road's of 60
//                 degrees; speed / 120 km/h; last steer of 1; last throttle of 1; turning of 2
//                 rad/s; metres left of the lane's middle of 1.75; sideways force of the grip's
//                 most
//   navigation 10 of the segment (straight or arc) that the car is on, then of the next one: its
//   end
//                 on the centre line ahead and to the left, of 100 m each; bend of 1/20 m; metres
//                 of it that are left / 100; angle it still turns of 135 degrees
//   vehicles 4x4  of those nearer than 50 m, nearest first: ahead and to the left, of 50 m;
//                 velocity minus own ahead and to the left, of 120 km/h; (1, .5, .5, .5) for nobody
//   lidar         of each beam (lidar.h), distance to a vehicle / 50 m; 1 when there is none
//
// Regimes: right and left (three curves one way, radii 45-60), tight (25-35), s_bends (five curves,
// left and right in turn, radii 30-45, 10-25 m between), traffic (three vehicles at 5-8 m/s in any
// lane), slippery, and mixed: PGDrive's curves (radii 25-60) and straights, five to one. In all but
// the first, second and fourth curves go either way; in traffic, slippery and mixed radii are those
// of PGDrive, and so are straights (40-80 m) but for s_bends.
//
// To learn from, tracks never end: a body's n-th depends on reset()'s numbers, the body and n. To
// be judged by there are 20 of a regime, the same for everybody: body b's n-th is number b + n *
// bodies, modulo 20.
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
