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

/// Rows of cells under one another, as many columns as fit; the first `left` begin at the left.
std::string laid_out(const std::vector<Texts>& rows, std::size_t left, bool colour, int width) {
  std::vector<int> widths(rows.front().size(), 0);
  for (const Texts& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], columns(row[c]));
  std::string out;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    int at = 0;
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      at += widths[c] + 2;
      if (at - 2 > width && c > left + 1) break;
      line += c < left ? fit(rows[r][c], widths[c]) : fit_right(rows[r][c], widths[c]);
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += (r == 0 ? dim(line, colour) : line) + "\n";
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
  return laid_out(rows, 2, colour, width) + "\n";
}

const char* measured(const Runs& runs) {
  return !runs.empty() && runs.front().is_score() ? "score" : "accuracy";
}

}  // namespace engram::show
