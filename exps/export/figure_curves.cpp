#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/export/figure_parts.h"
#include "exps/summary.h"

namespace engram::figure {
namespace {

/// In percent.
std::vector<Summary> curve_of(const ExperimentRuns& experiment) {
  std::vector<Summary> curve = average_accuracy_summaries(experiment.runs);
  for (Summary& s : curve)
    s.mean *= 100, s.sd *= 100, s.ci95 *= 100;
  return curve;
}

bool is_known(const std::vector<Summary>& curve, std::size_t t) {
  return t < curve.size() && std::isfinite(curve[t].mean);
}

bool is_alone(const std::vector<Summary>& curve, std::size_t t) {
  return is_known(curve, t) && !is_known(curve, t - 1) && !is_known(curve, t + 1);
}

struct Blocks {
  std::string data;                        ///< datablocks
  std::string bands, lines, bars, points;  ///< parts of the plot command
};

/// A datablock and the part of the plot command that draws it; nothing without rows.
void add(Blocks& blocks, std::string& part, const std::string& name, const std::string& rows,
         const std::string& how) {
  if (rows.find_first_not_of('\n') == std::string::npos) return;
  blocks.data += fmt::format("${} << EOD\n{}EOD\n", name, rows);
  part += fmt::format("${} {}, ", name, how);
}

/// `shift`: to the right, so that points above one another are seen one by one.
void add_curve(Blocks& blocks, const std::vector<Summary>& curve, std::size_t e, std::size_t tasks,
               std::size_t experiments, double shift, double unit) {
  const Look look = look_of(e);
  const std::size_t every = 1 + (tasks - 1) / 12;
  std::string band, line, bars, points;
  for (std::size_t t = 0; t < curve.size(); ++t) {
    const Summary& s = curve[t];
    const std::string x = number(static_cast<double>(t + 1) + shift);
    const bool spread = std::isfinite(s.mean) && std::isfinite(s.ci95);
    const std::string low = number(s.mean - s.ci95), high = number(s.mean + s.ci95);
    // An empty line ends a line or a band: nothing is drawn over what was not evaluated.
    band += spread ? fmt::format("{} {} {}\n", x, low, high) : "\n";
    line += is_known(curve, t) ? fmt::format("{} {}\n", x, number(s.mean)) : "\n";
    if (spread && is_alone(curve, t)) bars += fmt::format("{} {} {}\n", x, low, high);
    const bool marked = t % every == 0 || t + 1 == curve.size() || is_alone(curve, t);
    if (is_known(curve, t) && marked) points += fmt::format("{} {}\n", x, number(s.mean));
  }
  const double solid = experiments <= 4 ? 0.2 : experiments <= 8 ? 0.13 : 0.08;
  add(blocks, blocks.bands, fmt::format("band{}", e), band,
      fmt::format("using 1:2:3 with filledcurves fs transparent solid {} noborder lc rgb '{}'",
                  solid, look.colour));
  add(blocks, blocks.lines, fmt::format("line{}", e), line,
      fmt::format("using 1:2 with lines lw {} dt {} lc rgb '{}'", line_width(e), look.dash,
                  look.colour));
  add(blocks, blocks.bars, fmt::format("bars{}", e), bars,
      "using 1:2:(0):($3-$2) " + interval_style(look));
  add(blocks, blocks.points, fmt::format("points{}", e), points,
      fmt::format("using 1:2 with points pt {} ps {:.3f} lw 0.8 lc rgb '{}'", look.point,
                  0.55 * unit, look.colour));
}

constexpr double kSample = 0.3, kKeyRow = 0.135, kKeyFont = 7;

/// Names with samples of their lines, in rows below the plot, from `top` downwards.
struct Key {
  std::vector<std::string> names;
  std::size_t columns = 1;
  double column = 0;

  Key(const ResultsSet& set, double room) {
    for (const ExperimentRuns& e : set.experiments)
      names.push_back(e.label);
    constexpr double kGap = 0.06, kBetween = 0.12;
    names = fitting(names, room - kSample - kGap - kBetween, kKeyFont);
    for (const std::string& name : names)
      column = std::max(column, text_width(name, kKeyFont) + kSample + kGap + kBetween);
    columns = std::clamp<std::size_t>(static_cast<std::size_t>(room / column), 1, names.size());
  }
  std::size_t rows() const { return (names.size() + columns - 1) / columns; }

  std::string commands(const Sheet& sheet, double left, double top, double unit) const {
    std::string out;
    for (std::size_t e = 0; e < names.size(); ++e) {
      const Look look = look_of(e);
      const double x = left + column * static_cast<double>(e / rows());
      const std::string y = sheet.y(top - kKeyRow * (0.5 + static_cast<double>(e % rows())));
      out += fmt::format("set arrow from {}, {} to {}, {} nohead lw {} dt {} lc rgb '{}'\n",
                         sheet.x(x), y, sheet.x(x + kSample), y, line_width(e), look.dash,
                         look.colour);
      out += fmt::format("set label '' at {}, {} point pt {} ps {:.3f} lw 0.8 lc rgb '{}'\n",
                         sheet.x(x + kSample / 2), y, look.point, 0.55 * unit, look.colour);
      out += fmt::format("set label {} at {}, {} left font ',{}' noenhanced\n",
                         gnuplot::quoted(names[e]), sheet.x(x + kSample + 0.06), y, kKeyFont);
    }
    return out;
  }
};

}  // namespace

Drawing curves(const ResultsSet& set, const FigureOptions& options) {
  std::vector<std::vector<Summary>> all;
  std::vector<double> values;
  std::size_t tasks = 1;
  const bool scores = acts(set);
  for (const ExperimentRuns& experiment : set.experiments) {
    all.push_back(curve_of(experiment));
    tasks = std::max(tasks, all.back().size());
    for (const Summary& s : all.back()) {
      values.push_back(s.mean);
      // An interval is cut where accuracies end (those of scores far away), the means never are.
      for (const double end : {s.mean - s.ci95, s.mean + s.ci95})
        if (std::isfinite(end)) values.push_back(std::clamp(end, scores ? -100.0 : 0.0, 100.0));
    }
  }
  const double unit = gnuplot::point_unit(options.format);
  Blocks blocks;
  for (std::size_t e = 0; e < all.size(); ++e) {
    const double place = static_cast<double>(e) - 0.5 * static_cast<double>(all.size() - 1);
    const double shift = tasks > 1 ? 0 : 0.7 * place / static_cast<double>(all.size());
    add_curve(blocks, all[e], e, tasks, all.size(), shift, unit);
  }

  const double left = 0.46, right = options.width - 0.08, below = 0.32;
  const Key key(set, right - 0.1);
  const double keys = kKeyRow * static_cast<double>(key.rows()) + 0.04;
  const double plot = std::clamp(0.5 * options.width, 1.4, 3.6);
  const Sheet sheet{options.width, keys + below + plot + 0.08};
  const Axis axis = round_axis(values);
  const double pad = tasks > 1 ? 0.03 * static_cast<double>(tasks - 1) : 0.5;
  std::string out = blocks.data + common_settings();
  out += sheet.margins(left, right, keys + below, keys + below + plot);
  out += fmt::format("set xrange [{}:{}]; set yrange [{}:{}]\n", number(1 - pad),
                     number(static_cast<double>(tasks) + pad), number(axis.low), number(axis.high));
  out += fmt::format("set xtics {}; set ytics {}\n",
                     task_ticks(static_cast<int>(tasks), options.width < 5 ? 10 : 20),
                     number(axis.step));
  const bool phases = std::ranges::any_of(
      set.experiments, [](const ExperimentRuns& e) { return come_back(e.runs); });
  out += fmt::format("set label '{}' at {}, {} center\n", phases ? "phases" : "tasks learnt",
                     sheet.x(0.5 * (left + right)), sheet.y(keys + 0.08));
  out += fmt::format("set label 'average {}, %' at {}, {} center rotate by 90\n",
                     scores ? "score" : "accuracy", sheet.x(0.1), sheet.y(keys + below + plot / 2));
  out += key.commands(sheet, 0.1, keys - 0.02, unit);
  const std::string plots = blocks.bands + blocks.lines + blocks.bars + blocks.points;
  return {sheet, out + "plot " + plots + "NaN\n"};
}

}  // namespace engram::figure
