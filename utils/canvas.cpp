#include "utils/canvas.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "utils/error.h"

namespace engram {
namespace {

double squared_distance(Point p, Point a, Point b) {
  const Point along = b - a, from = p - a;
  const double size = dot(along, along);
  const double share = size > 0 ? std::clamp(dot(from, along) / size, 0.0, 1.0) : 0;
  const Point gap = from - share * along;
  return dot(gap, gap);
}

Point middle(int x, int y) {
  return {x + 0.5, y + 0.5};
}

}  // namespace

Canvas::Canvas(int height, int width, Colour ground)
    : height_(height),
      width_(width),
      pixels_(static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3),
      nearest_(pixels_.size() / 3) {
  for (std::size_t i = 0; i < pixels_.size(); i += 3)
    pixels_[i] = ground.red, pixels_[i + 1] = ground.green, pixels_[i + 2] = ground.blue;
}

Canvas::Box Canvas::around(std::span<const Point> points, double margin) const {
  Point low{1e9, 1e9}, high{-1e9, -1e9};
  for (const Point p : points) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y)};
  }
  const auto within = [](double value, int end) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(end)));
  };
  return {within(std::floor(low.x - margin), width_), within(std::floor(low.y - margin), height_),
          within(std::ceil(high.x + margin), width_), within(std::ceil(high.y + margin), height_)};
}

template <class Distance>
void Canvas::paint(Box box, Colour colour, double opacity, const Distance& distance) {
  for (int y = box.top; y < box.bottom; ++y)
    for (int x = box.left; x < box.right; ++x) {
      const double cover = opacity * std::clamp(0.5 - distance(x, y), 0.0, 1.0);
      if (cover <= 0) continue;
      const std::size_t pixel = 3 * static_cast<std::size_t>(y * width_ + x);
      const auto blend = [&](std::size_t channel, std::uint8_t to) {
        const double from = pixels_[pixel + channel];
        pixels_[pixel + channel] =
            static_cast<std::uint8_t>(std::lround(from + cover * (to - from)));
      };
      blend(0, colour.red), blend(1, colour.green), blend(2, colour.blue);
    }
}

void Canvas::stroke(std::span<const Point> path, double width, Colour colour, double opacity) {
  if (path.empty()) return;
  const double margin = width / 2 + 1;
  const Box all = around(path, margin);
  for (int y = all.top; y < all.bottom; ++y) {
    double* const row = nearest_.data() + static_cast<std::ptrdiff_t>(y) * width_;
    std::fill(row + all.left, row + all.right, std::numeric_limits<double>::infinity());
  }
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Point a = path[i], b = path[std::min(i + 1, path.size() - 1)];
    const Point ends[] = {a, b};
    const Box box = around(ends, margin);
    for (int y = box.top; y < box.bottom; ++y) {
      double* const row = nearest_.data() + static_cast<std::ptrdiff_t>(y) * width_;
      for (int x = box.left; x < box.right; ++x)
        row[x] = std::min(row[x], squared_distance(middle(x, y), a, b));
    }
  }
  paint(all, colour, opacity, [&](int x, int y) {
    return std::sqrt(nearest_[static_cast<std::size_t>(y * width_ + x)]) - width / 2;
  });
}

void Canvas::fill(std::span<const Point> corners, Colour colour, double opacity) {
  ENGRAM_INVARIANT(corners.size() >= 3);
  double area = 0;
  for (std::size_t i = 0; i < corners.size(); ++i)
    area += cross(corners[i], corners[(i + 1) % corners.size()]);
  const double side = area < 0 ? -1 : 1;
  paint(around(corners, 1), colour, opacity, [&](int x, int y) {
    double outside = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < corners.size(); ++i) {
      const Point a = corners[i], edge = corners[(i + 1) % corners.size()] - a;
      const double size = std::max(length(edge), 1e-9);
      outside = std::max(outside, -side * cross(edge, middle(x, y) - a) / size);
    }
    return outside;
  });
}

void Canvas::disc(Point centre, double radius, Colour colour, double opacity) {
  paint(around({&centre, 1}, radius + 1), colour, opacity,
        [&](int x, int y) { return length(middle(x, y) - centre) - radius; });
}

void Canvas::ring(Point centre, double radius, double width, Colour colour, double opacity) {
  paint(around({&centre, 1}, radius + width / 2 + 1), colour, opacity,
        [&](int x, int y) { return std::abs(length(middle(x, y) - centre) - radius) - width / 2; });
}

}  // namespace engram
