// One line of small blocks per task: what became of it while others were learnt.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/show_parts.h"
#include "utils/terminal.h"

namespace engram::show {
namespace {

constexpr std::size_t kMostLines = 12;
constexpr int kMostBlocks = 40, kFewestBlocks = 10;
constexpr int kBeside = 22;  ///< columns that number, spaces and percentages take

/// The block for a share in [0, 1]; a blank where nothing was evaluated.
std::string block(double share) {
  const auto& levels = glyphs().levels;
  if (std::isnan(share)) return " ";
  const auto count = static_cast<double>(levels.size());
  return levels[static_cast<std::size_t>(std::clamp(std::floor(share * count), 0.0, count - 1))];
}

/// Places 0, step, 2 step, …, and the last.
std::vector<std::size_t> thinned(std::size_t count, std::size_t most) {
  const std::size_t step = std::max<std::size_t>(1, (count + most - 1) / most);
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < count; i += step)
    places.push_back(i);
  if (count > 0 && places.back() + 1 != count) places.push_back(count - 1);
  return places;
}

}  // namespace

std::string sparklines(const Table& accuracy, const RunRecord& run, bool colour, int width) {
  const std::vector<std::string>& tasks = run.task_names;
  const std::size_t count = tasks.size(), end = accuracy.shape(0) - 1;
  if (count < 2) return "";
  // The row before the one after which a task is known.
  const auto learnt = [&](std::size_t task) {
    if (run.order.empty()) return task;
    const auto first = std::find(run.order.begin(), run.order.end(), static_cast<int>(task));
    return static_cast<std::size_t>(first - run.order.begin());
  };
  int name_width = 0;
  for (const std::string& task : tasks)
    name_width = std::max(name_width, columns(task));
  name_width = std::max(1, std::min({width - kBeside - kFewestBlocks, name_width, 24}));
  const int blocks = std::clamp(width - kBeside - name_width, kFewestBlocks, kMostBlocks);
  std::string out = dim("each task from learning it to the end, 0 to 100 %", colour) + "\n";
  const std::vector<std::size_t> rows = thinned(end, static_cast<std::size_t>(blocks - 1));
  for (const std::size_t task : thinned(count, kMostLines)) {
    std::string line;
    for (const std::size_t row : rows)
      line += row < learnt(task) ? " " : block(accuracy(row + 1, task));
    out += fmt::format("  {} {} {}  {} {} {}\n", fit_right(std::to_string(task + 1), 3),
                       fit(tasks[task], name_width), line,
                       fit_right(percent(accuracy(learnt(task) + 1, task)), 5), glyphs().arrow,
                       percent(accuracy(end, task)));
  }
  return out + "\n";
}

}  // namespace engram::show
