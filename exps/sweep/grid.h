// A grid: some settings with the values that each of them takes, and the points that they span.
#pragma once

#include <string>
#include <vector>

namespace engram {

/// A setting and its values, as they are written.
struct GridAxis {
  std::string key;
  std::vector<std::string> values;
  std::string source;  ///< "exps/permuted.cfg:12" or "--grid"
};
using Grid = std::vector<GridAxis>;
/// One value of every axis, in their order.
using GridPoint = std::vector<std::string>;

/// More points than this are a slip of the keyboard.
constexpr std::size_t kMostPoints = 10'000;

/// The axis that a line of a file or a word of the command line spans: "0.1, 0.01". Values that are
/// lists themselves are parted by '|': "400, 400 | 1000". Error(Config) at `source` for an empty
/// value and for one that stands there twice.
GridAxis grid_axis(std::string key, const std::string& values, std::string source);
/// "lr=0.1,0.01", of the command line. Error(Usage).
GridAxis parse_grid_axis(const std::string& text);

/// Every combination, the last axis changing fastest; one point without values for no axes.
/// Error(Usage) for more than kMostPoints.
std::vector<GridPoint> grid_points(const Grid& grid);

/// "lr: 0.1 | 0.01; ewc.lambda: 1 | 10"
std::string grid_text(const Grid& grid);
/// "lr = 0.1, ewc.lambda = 10"
std::string point_text(const Grid& grid, const GridPoint& point);

}  // namespace engram
