// The road around the car from above, its nose up: edges and lanes, the finish, vehicles, and the
// beams of the lidar that meet them.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "benchmarks/simulations/drive_world.h"
#include "utils/canvas.h"

namespace engram {
namespace {

constexpr int kSize = 192;
constexpr double kScale = 3.5;               // pixels a metre
constexpr double kAbove = 0.7;               // share of the picture that is ahead of the car
constexpr double kBehind = 60, kAhead = 90;  // metres of road that may be in sight
constexpr double kStride = 1.5;              // metres from one point of a line to the next
constexpr double kDash = 3, kDashes = 9;     // metres, of a line between lanes

constexpr Colour kGrass{96, 138, 86}, kBush{66, 108, 62}, kLeaves{84, 128, 74},
    kVerge{122, 158, 104}, kTar{72, 76, 84}, kPaint{236, 236, 228}, kFinishPaint{250, 214, 90},
    kOwn{38, 132, 240}, kOther{236, 120, 52}, kGlass{24, 30, 44}, kBeam{255, 90, 90};

/// From the world to the picture.
struct View {
  Point centre, ahead;
  Point operator()(Point p) const {
    const Point way = p - centre;
    return {kSize / 2.0 - kScale * cross(ahead, way), kAbove * kSize - kScale * dot(ahead, way)};
  }
};

/// Bushes where there is no road, always the same, so that one sees how fast the car is.
void draw_bushes(Canvas& canvas, const View& view, std::span<const Point> road) {
  constexpr double kCell = 9, kClear = Track::kHalfWidth + 3.5, kFar = kSize / kScale;
  const auto cell = [](double x) { return static_cast<int>(std::floor(x / kCell)); };
  for (int i = cell(view.centre.x - kFar); i <= cell(view.centre.x + kFar); ++i)
    for (int j = cell(view.centre.y - kFar); j <= cell(view.centre.y + kFar); ++j) {
      Rng rng = Rng(static_cast<std::uint64_t>(i)).fork("bush", static_cast<std::uint64_t>(j));
      const double x = kCell * (i + rng.uniform()), y = kCell * (j + rng.uniform());
      const double radius = rng.uniform(0.5, 1.6);
      const Point place = view({x, y});
      const auto is_near = [&](Point p) { return length(p - place) < kScale * (kClear + radius); };
      if (rng.uniform() < 0.4 || std::any_of(road.begin(), road.end(), is_near)) continue;
      canvas.disc(place, kScale * radius, kBush);
      canvas.disc(place + Point{-0.3 * kScale * radius, -0.3 * kScale * radius},
                  0.5 * kScale * radius, kLeaves);
    }
}

void draw_car(Canvas& canvas, const View& view, const Rectangle& car, Colour colour) {
  const auto part = [&](double from, double to, double width, Colour paint) {
    const Point front = to * car.ahead, back = from * car.ahead, side = width * left_of(car.ahead);
    const std::array<Point, 4> corners{
        view(car.centre + front + side), view(car.centre + front - side),
        view(car.centre + back - side), view(car.centre + back + side)};
    canvas.fill(corners, paint);
  };
  const double l = car.half_length, w = car.half_width;
  // A rim, so that cars stand out from the road and from each other.
  part(-l - 0.3, l + 0.3, w + 0.3, kPaint);
  part(-l, l, w, colour);
  part(0.15 * l, 0.5 * l, 0.85 * w, kGlass);
  part(-0.75 * l, -0.55 * l, 0.8 * w, kGlass);
}

}  // namespace

Frame DriveWorld::draw(const Lidar& lidar) const {
  const View view{car_.centre(), direction(car_.heading)};
  Canvas canvas(kSize, kSize, kGrass);
  std::vector<Point> path;
  const auto line = [&](double from, double to, double across) {
    path.clear();
    const int pieces = std::max(1, static_cast<int>(std::ceil((to - from) / kStride)));
    for (int i = 0; i <= pieces; ++i)
      path.push_back(view(track_.point(from + (to - from) * i / pieces, across)));
    return std::span<const Point>(path);
  };
  const double from = std::max(place_.along - kBehind, 0.0);
  const double to = std::min(place_.along + kAhead, track_.length());
  draw_bushes(canvas, view, line(from, to, 0));
  canvas.stroke(line(from, to, 0), kScale * (2 * Track::kHalfWidth + 3), kVerge);
  canvas.stroke(line(from, to, 0), kScale * 2 * Track::kHalfWidth, kTar);
  for (const double edge : {-Track::kHalfWidth, Track::kHalfWidth})
    canvas.stroke(line(from, to, edge), 0.3 * kScale, kPaint);
  for (const double between : {-Track::kLane / 2, Track::kLane / 2})
    for (double at = kDashes * std::ceil(from / kDashes); at + kDash < to; at += kDashes)
      canvas.stroke(line(at, at + kDash, between), 0.2 * kScale, kPaint, 0.8);
  const double finish = track_.length() - kFinish;
  if (finish < to) {
    const std::array<Point, 2> across{view(track_.point(finish, -Track::kHalfWidth)),
                                      view(track_.point(finish, Track::kHalfWidth))};
    canvas.stroke(across, 0.8 * kScale, kFinishPaint);
  }

  std::vector<real> share(static_cast<std::size_t>(lidar.beams()));
  lidar.look(car_.centre(), car_.heading, others(), share);
  for (int i = 0; i < lidar.beams(); ++i) {
    const double reach = Lidar::kRange * static_cast<double>(share[static_cast<std::size_t>(i)]);
    if (reach >= Lidar::kRange) continue;
    const Point beam = lidar.beam(i);
    const Point way = beam.x * view.ahead + beam.y * left_of(view.ahead);
    const std::array<Point, 2> ray{view(view.centre), view(view.centre + reach * way)};
    canvas.stroke(ray, 0.25 * kScale, kBeam, 0.55);
  }
  for (const Rectangle& other : others())
    draw_car(canvas, view, other, kOther);
  draw_car(canvas, view, car_.outline(), kOwn);
  for (int i = 0; i < lidar.beams(); ++i) {
    const double reach = Lidar::kRange * static_cast<double>(share[static_cast<std::size_t>(i)]);
    if (reach >= Lidar::kRange) continue;
    const Point beam = lidar.beam(i);
    canvas.disc(view(view.centre + reach * (beam.x * view.ahead + beam.y * left_of(view.ahead))),
                0.4 * kScale, kBeam);
  }
  return {kSize, kSize, canvas.take()};
}

}  // namespace engram
