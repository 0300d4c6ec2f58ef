#include "exps/commands/compare_view.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <fmt/format.h>

#include "exps/commands/table.h"
#include "exps/show_parts.h"
#include "exps/sweep/selection_record.h"
#include "utils/terminal.h"

namespace engram {
namespace {

using Texts = std::vector<std::string>;

/// Lines of words, none wider than `width`, without a newline at the end.
std::string wrapped(const std::string& text, int width) {
  std::string out, line;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!line.empty() && columns(line) + 1 + columns(word) > width)
      out += line + "\n", line.clear();
    line += (line.empty() ? "" : " ") + word;
  }
  return out + line;
}

/// Every line in a style of its own, so that pagers keep it.
template <class Style>
std::string styled(const std::string& text, Style style, bool colour) {
  std::string out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    out += style(line, colour) + "\n";
  return out;
}

std::string percent(double level) {
  return fmt::format("{:g} %", 100 * level);
}

/// "+6.1", and one digit more below one point.
std::string points(double value) {
  if (std::isnan(value)) return "-";
  return fmt::format("{:+.{}f}", 100 * value, std::abs(value) < 0.00995 ? 2 : 1);
}
std::string points(const stats::Interval& i) {
  return std::isnan(i.low) ? "-" : points(i.low) + " to " + points(i.high);
}

std::string right_aligned(const Texts& titles, const std::vector<Texts>& rows, bool colour) {
  std::vector<int> widths;
  for (std::size_t c = 0; c < titles.size(); ++c) {
    widths.push_back(columns(titles[c]));
    for (const Texts& row : rows)
      widths[c] = std::max(widths[c], columns(row[c]));
  }
  const auto padded = [&](Texts cells) {
    for (std::size_t c = 0; c < cells.size(); ++c)
      cells[c] = fit_right(cells[c], widths[c]);
    return cells;
  };
  TextTable table(padded(titles));
  for (const Texts& row : rows)
    table.add(padded(row));
  return table.text(colour, 0);
}

std::string means_table(const std::vector<ExperimentRuns>& experiments,
                        const ComparisonOptions& options, bool colour) {
  const char* const plus_minus = show::glyphs().plus_minus;
  TextTable table(
      {" #", "experiment", "  n",
       fmt::format("mean {} half of the {} t interval", plus_minus, percent(options.level))});
  for (std::size_t i = 0; i < experiments.size(); ++i) {
    const std::vector<double> values = known_values(experiments[i], options.metric);
    const stats::Interval t = stats::t_interval(values, options.level);
    std::string mean = show::percent(stats::mean(values));
    if (!std::isnan(t.low)) mean += fmt::format(" {} {:.1f}", plus_minus, 50 * (t.high - t.low));
    table.add({fmt::format("{:>2}", i + 1), experiments[i].label,
               fmt::format("{:>3}", values.size()), mean});
  }
  return table.text(colour, 0);
}

std::size_t number_of(const std::vector<ExperimentRuns>& experiments, const std::string& label) {
  const auto found = std::find_if(experiments.begin(), experiments.end(),
                                  [&](const ExperimentRuns& e) { return e.label == label; });
  return static_cast<std::size_t>(found - experiments.begin()) + 1;
}

/// One table where it fits, else the differences and the tests one below the other.
std::string pair_tables(const std::vector<ExperimentRuns>& experiments,
                        const std::vector<PairComparison>& pairs, double level, bool colour,
                        int width) {
  const bool several = pairs.size() > 1;
  Texts left_titles{"pair", "n",    "diff", "BCa " + percent(level), "t " + percent(level),
                    "g_z",  "seeds"};
  Texts right_titles{"p of t", "Wilcoxon"};
  if (several) right_titles = {"p of t", "Holm", "Wilcoxon", "Holm"};
  std::vector<Texts> left, right, both;
  for (const PairComparison& pair : pairs) {
    left.push_back(
        {fmt::format("{} - {}", number_of(experiments, pair.b), number_of(experiments, pair.a)),
         std::to_string(pair.seeds.size()), points(pair.difference), points(pair.bca),
         points(pair.t), std::isnan(pair.effect) ? "-" : fmt::format("{:+.2f}", pair.effect),
         pair.seeds_needed > 0 ? std::to_string(pair.seeds_needed) : "-"});
    right.push_back({p_text(pair.t_test.p), p_text(pair.wilcoxon.p)});
    if (several)
      right.back() = {p_text(pair.t_test.p), p_text(pair.t_holm), p_text(pair.wilcoxon.p),
                      p_text(pair.wilcoxon_holm)};
    both.push_back(left.back());
    both.back().insert(both.back().end(), right.back().begin(), right.back().end());
    right.back().insert(right.back().begin(), left.back().front());
  }
  Texts titles = left_titles;
  titles.insert(titles.end(), right_titles.begin(), right_titles.end());
  const std::string one = right_aligned(titles, both, colour);
  if (columns(one.substr(0, one.find('\n'))) <= width) return one;
  right_titles.insert(right_titles.begin(), "pair");
  return right_aligned(left_titles, left, colour) + "\n" +
         right_aligned(right_titles, right, colour);
}

std::string left_out(const PairComparison& pair, int width) {
  if (pair.left_out.empty()) return "";
  const bool one = pair.left_out.size() == 1;
  return wrapped(
             fmt::format("(left out, for {} and {} do not both have {}: seed{} {})", pair.a, pair.b,
                         one ? "it" : "them", one ? "" : "s", fmt::join(pair.left_out, ", ")),
             width) +
         "\n";
}

std::string footer(const std::vector<ExperimentRuns>& experiments,
                   const std::vector<PairComparison>& pairs, const ComparisonOptions& options,
                   bool colour, int width) {
  std::size_t fewest = pairs.front().seeds.size();
  for (const PairComparison& pair : pairs)
    fewest = std::min(fewest, pair.seeds.size());
  const double alpha = 1 - options.level;
  const std::string corrected =
      pairs.size() > 1 ? fmt::format(", corrected for {} pairs (Holm 1979),", pairs.size()) : "";
  Texts lines{
      fmt::format("{}: {}; {} is better", options.metric,
                  definition_of(experiments, options.metric),
                  direction_of(options.metric) < 0 ? "less" : "more"),
      fmt::format("BCa: bias-corrected and accelerated bootstrap interval of the mean difference, "
                  "{} draws (Efron 1987), too narrow for few seeds; t: Student's",
                  options.resamples),
      "p: two-sided, of the paired t test and of Wilcoxon's signed ranks; g_z: mean over SD of "
      "the differences, with Hedges' correction",
      "seeds: with so many a difference of one point shows with a power of 80 % at this spread",
      fmt::format("a difference is called real when the t test{} has p < {:.4g} and the BCa "
                  "interval leaves out 0, with at least {} seeds",
                  corrected, alpha, kFewestSeeds)};
  const double least = std::ldexp(1, 1 - static_cast<int>(std::min<std::size_t>(fewest, 60)));
  if (least >= alpha)
    lines.push_back(fmt::format("Wilcoxon's test alone cannot tell with {}: its least p is {:g}",
                                show::plural(fewest, "seed"), least));
  std::string out;
  for (const std::string& line : lines)
    out += styled(wrapped(line, width), dim, colour);
  return out;
}

}  // namespace

std::string comparison_text(const std::vector<ExperimentRuns>& experiments,
                            const std::vector<PairComparison>& pairs,
                            const ComparisonOptions& options, bool colour, int width) {
  std::string out =
      bold(options.metric + (pairs.front().of_scores ? " of scores, %" : ", %"), colour) + "\n";
  out += means_table(experiments, options, colour) + "\n";
  out += bold("differences in points, paired by seed", colour) + "\n";
  out += pair_tables(experiments, pairs, options.level, colour, width) + "\n";
  for (const PairComparison& pair : pairs) {
    const bool is_real = pair.verdict != Verdict::CannotTell;
    out += styled(wrapped(pair.sentence, width), bold, colour && is_real);
    out += left_out(pair, width);
  }
  for (const std::string& note : selection_notes(experiments))
    out += wrapped("note: " + note, width) + "\n";
  return out + "\n" + footer(experiments, pairs, options, colour, width);
}

}  // namespace engram
