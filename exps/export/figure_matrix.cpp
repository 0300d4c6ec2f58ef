#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/export/figure_parts.h"
#include "exps/summary.h"

namespace engram::figure {
namespace {

/// [phases, T] in percent, without the untrained row.
Table percents_of(const ExperimentRuns& experiment) {
  const Table mean = mean_accuracy(experiment.runs);
  const std::size_t rows = mean.shape(0) - 1, tasks = mean.shape(1);
  Table percents({rows, tasks}, kNotEvaluated);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < tasks; ++j)
      percents(i, j) = 100 * mean(i + 1, j);
  return percents;
}

/// Boxes rather than an image: sharp at any size, and what was not evaluated is not there. Viewers
/// leave hairlines between boxes that only touch, so each reaches below the next ones.
std::string boxes_of(const Table& mean, double over) {
  const std::size_t phases = mean.shape()[0], tasks = mean.shape()[1];
  const auto known = [&](std::size_t i, std::size_t j) {
    return i < phases && j < tasks && std::isfinite(mean(i, j));
  };
  std::string rows;
  for (std::size_t i = 0; i < phases; ++i)
    for (std::size_t j = 0; j < tasks; ++j) {
      if (!known(i, j)) continue;
      const auto x = static_cast<double>(j + 1), y = static_cast<double>(i + 1);
      rows += fmt::format("{} {} {} {} {} {} {}\n", x, y, x - 0.5,
                          x + 0.5 + (known(i, j + 1) ? over : 0), y - 0.5,
                          y + 0.5 + (known(i + 1, j) ? over : 0), number(mean(i, j)));
    }
  return rows;
}

/// The numbers of the cells: on dark colours (`light`) or on the others.
std::string numbers_of(const Table& mean, bool light, int decimals) {
  constexpr double kTurn = 42;  // percent: where white and black are equally far from the palette
  std::string rows;
  for (std::size_t i = 0; i < mean.shape()[0]; ++i)
    for (std::size_t j = 0; j < mean.shape()[1]; ++j)
      if (std::isfinite(mean(i, j)) && (mean(i, j) < kTurn) == light)
        rows += fmt::format("{} {} {:.{}f}\n", j + 1, i + 1, mean(i, j),
                            mean(i, j) > 99.94 ? 0 : decimals);
  return rows;
}

/// Colours of equal steps to the eye, also in grey: 13 points of viridis (van der Walt and Smith).
constexpr const char* kPalette =
    "set palette defined (0 '#440154', 1 '#481f70', 2 '#443983', 3 '#3b528b', 4 '#31688e', "
    "5 '#287c8e', 6 '#21918c', 7 '#20a486', 8 '#35b779', 9 '#5ec962', 10 '#90d743', "
    "11 '#c8e020', 12 '#fde725')\n";

}  // namespace

Drawing matrix(const ExperimentRuns& experiment, const FigureOptions& options) {
  constexpr double kTitleFont = 8;
  const Table mean = percents_of(experiment);
  const auto phases = static_cast<int>(mean.shape()[0]), tasks = static_cast<int>(mean.shape()[1]);
  const double before = 0.46, bar = 0.1, bar_room = 0.62, below = 0.32, above = 0.26;
  // A matrix of few tasks would be all paper: its cells are at most 0.6 inches.
  const double side = std::min({options.width - before - bar_room, 0.6 * std::max(tasks, 3), 5.0});
  // Cells are squares unless the tasks come back so often that the page would not hold them.
  const double down = std::min(side * phases / std::max(tasks, 1), 7.0);
  const double spare = (options.width - before - side - bar_room) / 2, left = before + spare;
  const double right = left + side, top = below + down;
  const Sheet sheet{options.width, top + above};

  std::string out = common_settings() + kPalette + sheet.margins(left, right, below, top);
  out += "unset grid; set border 15\nset cbrange [0:100]\n";
  out += fmt::format("set xrange [0.5:{}]; set yrange [{}:0.5]\n", std::max(tasks, 1) + 0.5,
                     std::max(phases, 1) + 0.5);
  out += fmt::format("set xtics {}; set ytics {}; set cbtics 20 scale 0.4\n", task_ticks(tasks, 10),
                     task_ticks(phases, 10));
  out += fmt::format("set colorbox user origin {}, {} size {}, {} noborder\n",
                     sheet.x(right + 0.08), sheet.y(below), sheet.x(bar), sheet.y(down));
  const auto text = [&](const std::string& words, double x, double y, const char* how) {
    out += fmt::format("set label {} at {}, {} {}\n", gnuplot::quoted(words), sheet.x(x),
                       sheet.y(y), how);
  };
  const std::string what = measured(experiment.runs);
  text(what + " on task", left + side / 2, 0.08, "center");
  text(come_back(experiment.runs) ? "after phase" : "after learning task", spare + 0.1,
       below + down / 2, "center rotate by 90");
  text(what + ", %", right + bar_room - 0.09, below + down / 2, "center rotate by 90");
  const std::size_t seeds = experiment.runs.size();
  const std::string count = seeds == 1 ? "1 seed" : fmt::format("mean of {} seeds", seeds);
  const double room = sheet.width - 0.2 - text_width(", " + count, kTitleFont);
  text(fitting({experiment.label}, room, kTitleFont).front() + ", " + count, sheet.width / 2,
       top + above - 0.1, "center noenhanced");

  std::string plots;
  const auto add = [&](const std::string& block, const std::string& rows, const std::string& how) {
    if (rows.empty()) return;
    out += fmt::format("${} << EOD\n{}EOD\n", block, rows);
    plots += fmt::format("${} {}, ", block, how);
  };
  const double cell =
      72 * std::min(side / std::max(tasks, 1), down / std::max(phases, 1));  // points
  add("cells", boxes_of(mean, std::min(0.2, 0.4 / cell)),
      "using 1:2:3:4:5:6:7 with boxxyerror fs solid noborder fc palette");
  if (tasks <= 10) {
    const int decimals = cell > 30 ? 1 : 0;
    const std::string how =
        fmt::format("using 1:2:3 with labels center font ',{:.1f}' textcolor rgb",
                    std::clamp(0.4 * cell, 4.0, 8.0));
    add("dark", numbers_of(mean, true, decimals), how + " 'white'");
    add("bright", numbers_of(mean, false, decimals), how + " 'black'");
  }
  return {sheet, out + "plot " + plots + "NaN\n"};
}

}  // namespace engram::figure
