#include "exps/sweep/grid.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "utils/error.h"

namespace engram {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

GridAxis grid_axis(std::string key, const std::string& values, std::string source) {
  const char mark = values.find('|') == std::string::npos ? ',' : '|';
  GridAxis axis{std::move(key), {}, std::move(source)};
  const auto refuse = [&](const std::string& why) {
    throw Error(Fault::Config, fmt::format("{}: the grid of '{}' {}", axis.source, axis.key, why));
  };
  std::istringstream parts(values + mark);
  for (std::string part; std::getline(parts, part, mark);) {
    std::string value = trimmed(part);
    if (value.empty()) refuse(fmt::format("has an empty value: '{}'", values));
    if (std::ranges::find(axis.values, value) != axis.values.end())
      refuse(fmt::format("has the value '{}' twice", value));
    axis.values.push_back(std::move(value));
  }
  return axis;
}

GridAxis parse_grid_axis(const std::string& text) {
  const auto equals = text.find('=');
  const std::string key = trimmed(text.substr(0, equals));
  if (equals == std::string::npos || key.empty())
    throw Error(Fault::Usage, "--grid " + text + ": expected key=value,value,...");
  try {
    return grid_axis(key, text.substr(equals + 1), "--grid");
  } catch (const Error& e) {
    throw Error(Fault::Usage, e.what());
  }
}

std::vector<GridPoint> grid_points(const Grid& grid) {
  std::vector<GridPoint> points{{}};
  for (const GridAxis& axis : grid) {
    if (points.size() > kMostPoints / axis.values.size())
      throw Error(Fault::Usage,
                  fmt::format("the grid {} has more than {} points", grid_text(grid), kMostPoints));
    std::vector<GridPoint> longer;
    for (const GridPoint& point : points)
      for (const std::string& value : axis.values) {
        longer.push_back(point);
        longer.back().push_back(value);
      }
    points = std::move(longer);
  }
  return points;
}

std::string grid_text(const Grid& grid) {
  std::vector<std::string> axes;
  for (const GridAxis& axis : grid)
    axes.push_back(fmt::format("{}: {}", axis.key, fmt::join(axis.values, " | ")));
  return fmt::format("{}", fmt::join(axes, "; "));
}

std::string point_text(const Grid& grid, const GridPoint& point) {
  std::vector<std::string> settings;
  for (std::size_t i = 0; i < grid.size(); ++i)
    settings.push_back(fmt::format("{} = {}", grid[i].key, point[i]));
  return fmt::format("{}", fmt::join(settings, ", "));
}

}  // namespace engram
