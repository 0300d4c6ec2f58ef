// A small picture to draw on with smooth edges: strokes, convex shapes and discs by their distance
// to the middle of each pixel. It knows nothing of what it shows.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "utils/plane.h"

namespace engram {

struct Colour {
  std::uint8_t red = 0, green = 0, blue = 0;
};

/// Coordinates are pixels: x to the right, y down, (0, 0) the outer corner of the first. What lies
/// outside is cut off.
class Canvas {
 public:
  Canvas(int height, int width, Colour ground);

  int height() const { return height_; }
  int width() const { return width_; }
  /// A line of `width` through the points with round ends; its parts overlap without a seam.
  void stroke(std::span<const Point> path, double width, Colour colour, double opacity = 1);
  /// The convex shape with these corners, either way around.
  void fill(std::span<const Point> corners, Colour colour, double opacity = 1);
  void disc(Point centre, double radius, Colour colour, double opacity = 1);
  /// A circle as a line of `width`.
  void ring(Point centre, double radius, double width, Colour colour, double opacity = 1);

  /// [height, width, 3]; the canvas is empty afterwards.
  std::vector<std::uint8_t> take() { return std::move(pixels_); }

 private:
  struct Box {
    int left, top, right, bottom;  ///< ends excluded
  };
  Box around(std::span<const Point> points, double margin) const;
  /// Blends by how much of a pixel lies within an outline whose signed distance is given.
  template <class Distance>
  void paint(Box box, Colour colour, double opacity, const Distance& distance);

  int height_, width_;
  std::vector<std::uint8_t> pixels_;
  std::vector<double> nearest_;  ///< squared distance to a path, one a pixel
};

}  // namespace engram
