// Points and directions of the plane, for worlds and for pictures of them.
#pragma once

#include <cmath>

namespace engram {

struct Point {
  double x = 0, y = 0;

  Point& operator+=(Point b) { return x += b.x, y += b.y, *this; }
  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(double s, Point a) { return {s * a.x, s * a.y}; }
  friend bool operator==(Point, Point) = default;
};

inline double dot(Point a, Point b) {
  return a.x * b.x + a.y * b.y;
}
/// Above zero when b points to the left of a (y up).
inline double cross(Point a, Point b) {
  return a.x * b.y - a.y * b.x;
}
inline double length(Point a) {
  return std::sqrt(dot(a, a));
}
inline Point direction(double angle) {
  return {std::cos(angle), std::sin(angle)};
}
/// A quarter turn to the left (y up).
inline Point left_of(Point a) {
  return {-a.y, a.x};
}

}  // namespace engram
