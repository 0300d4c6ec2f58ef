// What agents did, in the simulation's own units, in the terminal.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "exps/show_parts.h"
#include "utils/terminal.h"

namespace engram::show {
namespace {

using Runs = std::vector<RunRecord>;
using Texts = std::vector<std::string>;

std::string figure(double value) {
  return std::isnan(value) ? glyphs().missing : fmt::format("{:.4g}", value);
}
std::string figure(const Summary& s) {
  if (s.n < 2) return figure(s.mean);
  return fmt::format("{} {} {:.2g}", figure(s.mean), glyphs().plus_minus, s.ci95);
}

/// The lines of a regime: the agent at the end of the run, chance, and the expert.
std::vector<Texts> lines_of(const Runs& runs, std::size_t regime) {
  const RunRecord& first = runs.front();
  const ReturnRecord& r = *first.returns;
  const std::size_t last = r.returns.shape(0) - 1;
  const auto mean = [&](auto value) {
    return over(runs, [&](const RunRecord& run) { return value(*run.returns); });
  };
  Texts agent{
      first.task_names[regime], r.agent,
      figure(mean([&](const ReturnRecord& x) { return x.returns(last, regime); })),
      percent(over(runs, [&](const RunRecord& run) { return run.accuracy(last, regime); }).mean)};
  Texts random{"", "random", figure(r.random[regime]), percent(0)};
  Texts expert{"", "expert", figure(r.expert[regime]), percent(1)};
  for (std::size_t m = 0; m < r.measures.size(); ++m) {
    agent.push_back(
        figure(mean([&](const ReturnRecord& x) { return x.measures[m](last, regime); }).mean));
    random.push_back(figure(r.random_measures(m, regime)));
    expert.push_back(figure(r.expert_measures(m, regime)));
  }
  return {std::move(agent), std::move(random), std::move(expert)};
}

/// Columns [begin, end) of the rows under one another, the first two always.
std::string block(const std::vector<Texts>& rows, const std::vector<int>& widths, std::size_t begin,
                  std::size_t end, bool colour) {
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line = fit(rows[r][0], widths[0]) + "  " + fit(rows[r][1], widths[1]);
    for (std::size_t c = begin; c < end; ++c)
      line += "  " + fit_right(rows[r][c], widths[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += (r == 0 ? dim(line, colour) : line) + "\n";
  }
  return out + "\n";
}

/// What does not fit beside one another stands in blocks of its own.
std::string laid_out(const std::vector<Texts>& rows, bool colour, int width) {
  std::vector<int> widths(rows.front().size(), 0);
  for (const Texts& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], columns(row[c]));
  std::string out;
  for (std::size_t begin = 2, end = 2; begin < widths.size(); begin = end) {
    int taken = widths[0] + 2 + widths[1];
    for (; end < widths.size() && (end == begin || taken + 2 + widths[end] <= width); ++end)
      taken += 2 + widths[end];
    out += block(rows, widths, begin, end, colour);
  }
  return out;
}

}  // namespace

std::string returns(const Runs& runs, bool colour, int width) {
  const auto same = [&](const RunRecord& run) {
    return run.is_score() &&
           run.returns->returns.shape() == runs.front().returns->returns.shape() &&
           run.returns->measure_names == runs.front().returns->measure_names;
  };
  if (!runs.front().is_score() || !std::ranges::all_of(runs, same)) return "";
  const ReturnRecord& r = *runs.front().returns;
  std::vector<Texts> rows{{"after training", "who", "return", "score, %"}};
  rows[0].insert(rows[0].end(), r.measure_names.begin(), r.measure_names.end());
  for (std::size_t regime = 0; regime < r.random.size(); ++regime)
    for (Texts& line : lines_of(runs, regime))
      rows.push_back(std::move(line));
  return laid_out(rows, colour, width);
}

}  // namespace engram::show
