#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/export/figure_parts.h"
#include "exps/summary.h"

namespace engram::figure {
namespace {

constexpr double kFont = 7;

/// A metric of all experiments, in percent.
struct Panel {
  std::string caption;
  std::vector<std::vector<double>> seeds;  ///< per experiment, those that have it
  std::vector<Summary> summaries;
};

Panel panel_of(const ResultsSet& set, const std::string& metric, const std::string& caption) {
  Panel panel{caption, {}, {}};
  for (const ExperimentRuns& experiment : set.experiments) {
    std::vector<double> values;
    for (const RunRecord& run : experiment.runs) {
      const double value = metric_value(run, experiment.forgetting, metric);
      if (std::isfinite(value)) values.push_back(100 * value);
    }
    panel.summaries.push_back(summarise(values));
    panel.seeds.push_back(std::move(values));
  }
  return panel;
}

Axis axis_of(const Panel& panel, int most_steps) {
  std::vector<double> values;
  for (std::size_t e = 0; e < panel.seeds.size(); ++e) {
    const Summary& s = panel.summaries[e];
    values.insert(values.end(), panel.seeds[e].begin(), panel.seeds[e].end());
    // Two seeds far apart have an interval beyond all that can be.
    for (const double end : {s.mean - s.ci95, s.mean + s.ci95})
      if (std::isfinite(end)) values.push_back(std::clamp(end, -100.0, 100.0));
  }
  return round_axis(values, most_steps);
}

/// Seeds below their mean, so that neither hides the other; the intervals between both.
std::string plot_of(const Panel& panel, const std::string& name, double unit,
                    std::string& commands) {
  std::string plots;
  const auto add = [&](const std::string& block, const std::string& rows, const std::string& how) {
    commands += fmt::format("${} << EOD\n{}EOD\n", block, rows);
    plots += fmt::format("${} {}, ", block, how);
  };
  for (std::size_t e = 0; e < panel.seeds.size(); ++e) {
    const Summary& s = panel.summaries[e];
    const Look look = look_of(e);
    if (panel.seeds[e].empty()) {
      commands += fmt::format(
          "set label 'not defined' at graph 0.5, first {} center font ',6' "
          "textcolor rgb '#777777'\n",
          e);
      continue;
    }
    std::string seeds;
    for (const double value : panel.seeds[e])
      seeds += fmt::format("{} {}\n", number(value), number(static_cast<double>(e) + 0.26));
    if (panel.seeds[e].size() > 1)
      add(fmt::format("{}_seeds{}", name, e), seeds,
          fmt::format("using 1:2 with points pt 6 ps {:.3f} lw 0.5 lc rgb '{}'", 0.3 * unit,
                      look.colour));
    const double y = static_cast<double>(e) - (panel.seeds[e].size() > 1 ? 0.12 : 0);
    if (std::isfinite(s.ci95)) {
      add(fmt::format("{}_bar{}", name, e),
          fmt::format("{} {} {}\n", number(y), number(s.mean - s.ci95), number(s.mean + s.ci95)),
          "using 2:1:($3-$2):(0) " + interval_style(look));
    }
    add(fmt::format("{}_mean{}", name, e), fmt::format("{} {}\n", number(s.mean), number(y)),
        fmt::format("using 1:2 with points pt {} ps {:.3f} lw 0.8 lc rgb '{}'", look.point,
                    0.6 * unit, look.colour));
  }
  return "plot " + plots + "NaN\n";
}

}  // namespace

Drawing metrics(const ResultsSet& set, const FigureOptions& options) {
  const auto count = static_cast<double>(set.experiments.size());
  std::vector<std::string> names;
  for (const ExperimentRuns& experiment : set.experiments)
    names.push_back(experiment.label);
  names = fitting(names, 0.4 * options.width, kFont);
  double names_width = 0.3;
  for (const std::string& name : names)
    names_width = std::max(names_width, text_width(name, kFont));

  const double left = 0.06 + names_width + 0.06, between = 0.22, right = options.width - 0.12;
  const double panel_width = (right - left - between) / 2;
  const double below = 0.32, row = count > 8 ? 0.2 : 0.26, plot = row * std::max(count, 2.0);
  const Sheet sheet{options.width, below + plot + 0.08};
  std::string out = common_settings();
  out += fmt::format("set yrange [{}:{}]; set ytics -0.5,1 format '' scale 0\n",
                     number(count - 0.5), number(-0.5));
  out += "set multiplot\n";
  for (std::size_t e = 0; e < names.size(); ++e)
    out += fmt::format("set label {} at {}, first {} right font ',{}' noenhanced\n",
                       gnuplot::quoted(names[e]), sheet.x(left - 0.06), e, kFont);
  const double unit = gnuplot::point_unit(options.format);
  double from = left;
  for (const Panel& panel :
       {panel_of(set, "average_accuracy", acts(set) ? "final score, %" : "final accuracy, %"),
        panel_of(set, "forgetting", "forgetting, points")}) {
    const int most_steps = std::clamp(static_cast<int>(panel_width / 0.28), 2, 8);
    const Axis axis = axis_of(panel, most_steps);
    out += sheet.margins(from, from + panel_width, below, below + plot);
    out += fmt::format("set xrange [{}:{}]; set xtics {}\n", number(axis.low), number(axis.high),
                       number(axis.step));
    out += fmt::format("set label '{}' at {}, {} center\n", panel.caption,
                       sheet.x(from + panel_width / 2), sheet.y(0.08));
    if (axis.low < 0 && axis.high > 0)
      out +=
          "set arrow from first 0, graph 0 to first 0, graph 1 nohead back lw 0.6 lc rgb "
          "'#888888'\n";
    const std::string block = from == left ? "accuracy" : "forgetting";
    const std::string plots = plot_of(panel, block, unit, out);
    out += plots + "unset label; unset arrow\n";
    from += panel_width + between;
  }
  return {sheet, out + "unset multiplot\n"};
}

}  // namespace engram::figure
