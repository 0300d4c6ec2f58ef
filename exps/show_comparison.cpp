// Several experiments side by side: curves drawn with braille dots (2 x 4 in a character) and
// markers, and a table.
#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "exps/show_parts.h"
#include "exps/show_results.h"
#include "utils/terminal.h"

namespace engram {
namespace {

using show::glyphs;
using Runs = std::vector<RunRecord>;

/// A grid of characters, each of 2 x 4 dots or one marker, with the colour drawn last.
class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width), height_(height), cells_(static_cast<std::size_t>(width * height)) {}
  int dots_wide() const { return 2 * width_; }
  int dots_high() const { return 4 * height_; }

  void dot(int x, int y, int series) {
    constexpr int kBits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    Cell& cell = at(x / 2, y / 4);
    cell.dots |= kBits[y % 4][x % 2];
    cell.series = series;
  }
  void line(int x0, int y0, int x1, int y1, int series) {
    const int steps = std::max({std::abs(x1 - x0), std::abs(y1 - y0), 1});
    for (int i = 0; i <= steps; ++i) {
      const double part = static_cast<double>(i) / steps;
      dot(x0 + static_cast<int>(std::lround(part * (x1 - x0))),
          y0 + static_cast<int>(std::lround(part * (y1 - y0))), series);
    }
  }
  void mark(int x, int y, int series) {
    Cell& cell = at(x / 2, y / 4);
    cell.marked = true, cell.series = series;
  }

  std::string row(int y, bool colour) const {
    std::string out;
    for (int x = 0; x < width_; ++x) {
      const Cell& cell = cells_[static_cast<std::size_t>(y * width_ + x)];
      const std::string text = symbol(cell);
      out += text == " " ? text : tint(text, cell.series, colour);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
  }

  static std::string marker(int series) {
    const auto& all = glyphs().markers;
    return all[static_cast<std::size_t>(series) % all.size()];
  }

 private:
  struct Cell {
    int dots = 0, series = 0;
    bool marked = false;
  };
  Cell& at(int x, int y) { return cells_[static_cast<std::size_t>(y * width_ + x)]; }

  static std::string symbol(const Cell& cell) {
    if (cell.marked) return marker(cell.series);
    if (cell.dots == 0) return " ";
    if (!use_unicode()) return ".";
    const int code = 0x2800 + cell.dots;  // braille patterns, three bytes in UTF-8
    return {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
            static_cast<char>(0x80 | (code & 0x3F))};
  }

  int width_, height_;
  std::vector<Cell> cells_;
};

std::vector<double> mean_curve(const Runs& runs) {
  std::vector<double> mean;
  for (const Summary& s : average_accuracy_summaries(runs))
    mean.push_back(s.mean);
  return mean;
}

/// The range of the y axis in percent: a round one, so that labels fall on whole rows.
struct Axis {
  int low = 0, high = 100;

  explicit Axis(const std::vector<std::vector<double>>& curves) {
    double least = std::numeric_limits<double>::infinity(), most = -least;
    for (const auto& curve : curves) {
      for (const double value : curve)
        if (!std::isnan(value)) least = std::min(least, value), most = std::max(most, value);
    }
    if (least > most) return;
    most = std::clamp(most, 0.0, 1.0);  // scores of agents may lie anywhere
    const int top = std::clamp(10 * static_cast<int>(std::ceil(10 * most)), 10, 100);
    for (const int range : {10, 20, 50, 100, 200, 400}) {
      high = std::max(top, std::min(range, 100)), low = high - range;
      if (low <= 100 * least) return;
    }
  }
  int step() const {
    const int range = high - low;
    return range == 10 ? 2 : range >= 100 ? range / 5 : 10;
  }
};

std::string x_axis(int width, int tasks, int margin, const std::vector<int>& places,
                   const char* what) {
  std::string line = std::string(margin - 1, ' ') + glyphs().corner;
  line += show::repeat(glyphs().line, width);
  std::string numbers(static_cast<std::size_t>(margin + width + 4), ' ');
  std::size_t free_from = 0;
  for (int t = 1; t <= tasks; ++t) {
    const std::string text = std::to_string(t);
    const auto at = static_cast<std::size_t>(margin + places[static_cast<std::size_t>(t - 1)] / 2);
    if (at < free_from) continue;
    numbers.replace(at, text.size(), text);
    free_from = at + text.size() + 1;
  }
  numbers.erase(numbers.find_last_not_of(' ') + 1);
  return line + "\n" + numbers + "  " + what + "\n";
}

std::string draw(const std::vector<std::vector<double>>& curves, const char* what, bool colour,
                 int width) {
  constexpr int kHeight = 11, kMargin = 7;
  std::size_t tasks = 0;
  for (const auto& curve : curves)
    tasks = std::max(tasks, curve.size());
  if (tasks == 0) return "nothing was evaluated\n";
  const int most = std::max(std::min(width, 120) - kMargin - 16, 20);
  const int wide = std::clamp(static_cast<int>(8 * tasks), std::min(40, most), most);
  Canvas canvas(wide, kHeight);
  const Axis axis(curves);
  std::vector<int> places;
  for (std::size_t t = 0; t < tasks; ++t)
    places.push_back(tasks == 1 ? canvas.dots_wide() / 2
                                : static_cast<int>(t * (canvas.dots_wide() - 1) / (tasks - 1)));
  const auto height_of = [&](double percent) {
    const double part = (axis.high - percent) / (axis.high - axis.low);
    const auto y = static_cast<int>(std::lround(1.5 + part * (canvas.dots_high() - 4)));
    return std::clamp(y, 0, canvas.dots_high() - 1);  // eval_pad = nov2019 may exceed 100 %
  };
  // Lines first: a marker is never hidden by a line. Markers keep their distance from each other.
  const std::size_t every = 1 + 5 * (tasks - 1) / static_cast<std::size_t>(wide);
  for (const bool marks : {false, true}) {
    for (std::size_t s = 0; s < curves.size(); ++s) {
      const std::vector<double>& curve = curves[s];
      const int series = static_cast<int>(s);
      for (std::size_t t = 0; t < curve.size(); ++t) {
        if (std::isnan(curve[t])) continue;
        const int y = height_of(100 * curve[t]);
        if (marks && (t % every == 0 || t + 1 == curve.size())) canvas.mark(places[t], y, series);
        if (!marks && t > 0 && !std::isnan(curve[t - 1]))
          canvas.line(places[t - 1], height_of(100 * curve[t - 1]), places[t], y, series);
      }
    }
  }
  std::vector<std::string> labels(kHeight, std::string(kMargin - 1, ' ') + glyphs().bar);
  for (int value = axis.high; value >= axis.low; value -= axis.step())
    labels[static_cast<std::size_t>(height_of(value) / 4)] =
        fmt::format("{:>{}} {}", value, kMargin - 2, glyphs().tick);
  std::string out;
  for (int y = 0; y < kHeight; ++y)
    out += labels[static_cast<std::size_t>(y)] + canvas.row(y, colour) + "\n";
  return out + x_axis(wide, static_cast<int>(tasks), kMargin, places, what);
}

std::string name_of_experiment(const Runs& runs) {
  return runs.empty() ? "(no runs)" : runs.front().experiment;
}

std::string pad(const std::string& text, int width, bool left) {
  const std::string space(static_cast<std::size_t>(std::max(width - columns(text), 0)), ' ');
  return left ? text + space : space + text;
}

}  // namespace

std::string show_curves(const std::vector<Runs>& experiments, bool colour, int width) {
  if (experiments.empty()) return "no runs\n";
  std::vector<std::vector<double>> curves;
  for (const Runs& runs : experiments)
    curves.push_back(mean_curve(runs));
  const bool scores = std::ranges::all_of(
      experiments, [](const Runs& runs) { return !runs.empty() && runs.front().is_score(); });
  std::string out = scores ? "average score over the regimes seen so far, % of the expert\n"
                           : "average accuracy over the tasks seen so far, %\n";
  const bool phases = std::ranges::any_of(experiments, come_back);
  out += draw(curves, phases ? "phases" : "tasks learnt", colour, width);
  int name_width = 0;
  for (const Runs& runs : experiments)
    name_width = std::max(name_width, columns(name_of_experiment(runs)));
  for (std::size_t s = 0; s < experiments.size(); ++s) {
    const int series = static_cast<int>(s);
    const Summary last = show::over(experiments[s], [](const RunRecord& run) {
      return metric_value(run, ForgettingDefinition::Chaudhry, "average_accuracy");
    });
    out += fmt::format("  {} {}  {}\n", tint(Canvas::marker(series), series, colour),
                       fit(name_of_experiment(experiments[s]), name_width), show::percent(last));
  }
  return out;
}

std::string show_comparison(const std::vector<Runs>& experiments, ForgettingDefinition definition,
                            bool colour) {
  if (experiments.empty()) return "no runs\n";
  std::vector<std::vector<std::string>> rows{{"experiment", "n", "ACC, %", "forgetting, %", "LA, %",
                                              "active, %", "multiply-adds", "time"}};
  std::size_t best = 0;
  double highest = -std::numeric_limits<double>::infinity();
  for (const Runs& runs : experiments) {
    const auto metric = [&](const char* name) {
      return show::over(runs,
                        [&](const RunRecord& run) { return metric_value(run, definition, name); });
    };
    const Summary accuracy = metric("average_accuracy");
    if (accuracy.mean > highest) highest = accuracy.mean, best = rows.size();
    rows.push_back(
        {name_of_experiment(runs), std::to_string(runs.size()), show::percent(accuracy),
         show::percent(metric("forgetting")), show::percent(metric("learning_accuracy")),
         show::percent(
             show::over(runs, [](const RunRecord& run) { return show::active_fraction(run); })
                 .mean),
         show::executed(runs, &RunRecord::train_macs),
         duration(show::over(runs, show::seconds).mean)});
  }
  std::vector<int> widths(rows.front().size(), 0);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], columns(row[c]));
  std::string out;
  int total = -2;
  for (const int width : widths)
    total += width + 2;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < widths.size(); ++c) {
      const std::string cell = pad(rows[r][c], widths[c], c == 0);
      line += (c == 0 ? "" : "  ") + (c == 2 ? bold(cell, colour && r > 0 && r == best) : cell);
    }
    out += r == 0 ? bold(line, colour) + "\n" + show::repeat(glyphs().line, total) + "\n"
                  : line + "\n";
  }
  return out +
         dim(fmt::format(
                 "mean {} 95 % t interval over n runs; forgetting after {}; multiply-adds of "
                 "training; time of a run",
                 glyphs().plus_minus, name_of(definition)),
             colour) +
         "\n";
}

}  // namespace engram
