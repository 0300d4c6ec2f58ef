// A car as a kinematic bicycle: the middle of its rear axle goes where it points, its front wheel
// turns it, and no bend is tighter than the tyres hold. And rectangles, which cars are to others.
// Sizes and forces of PGDrive 0.1's vehicle; brakes and grip are ours.
#pragma once

#include <numbers>

#include "utils/plane.h"

namespace engram {

struct Rectangle {
  Point centre;
  Point ahead{1, 0};  ///< direction of its length
  double half_length = 2, half_width = 0.75;
};
bool overlap(const Rectangle& a, const Rectangle& b);

struct Car {
  static constexpr double kWheelBase = 2.22;
  static constexpr double kRearToCentre = 1.17;
  static constexpr double kMostSteer = 40 * std::numbers::pi / 180;
  static constexpr double kPush = 2.5;  ///< m/s^2 of full throttle
  static constexpr double kBrake = 3;  ///< m/s^2 of full brakes: what random choices do not stop at
  static constexpr double kTopSpeed = 120 / 3.6;
  static constexpr double kStep = 0.1;  ///< seconds for which an action holds
  static constexpr int kSubsteps = 5;

  Point rear;  ///< middle of the rear axle
  double heading = 0;
  double speed = 0;
  double steer = 0, throttle = 0;  ///< last action, in [-1, 1]; left and forward are above zero
  double curvature = 0;            ///< of its way at the end of the last step
  double held = 0;                 ///< sideways force as a share of the grip, with its sign

  Point centre() const { return rear + kRearToCentre * direction(heading); }
  Rectangle outline() const { return {centre(), direction(heading)}; }
  /// One action for kStep seconds; `grip` is the most sideways acceleration in m/s^2.
  void drive(double new_steer, double new_throttle, double grip);
};

}  // namespace engram
