#include "exps/show_parts.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "utils/terminal.h"

namespace engram::show {

const Glyphs& glyphs() {
  static const Glyphs kUnicode{"·",
                               "±",
                               "─",
                               "│",
                               "└",
                               "┤",
                               "→",
                               {"●", "▲", "■", "◆", "○", "△", "□", "◇"},
                               {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}};
  static const Glyphs kAscii{".",
                             "+-",
                             "-",
                             "|",
                             "+",
                             "+",
                             "->",
                             {"o", "x", "*", "#", "@", "%", "&", "="},
                             {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}};
  return use_unicode() ? kUnicode : kAscii;
}

double active_fraction(const RunRecord& run, std::size_t layer) {
  std::vector<double> tests;
  if (layer < run.layers.size()) tests = run.layers[layer].active_fraction_test;
  const double tested = summarise(tests).mean;
  if (!std::isnan(tested) || run.epochs.empty()) return tested;
  const std::vector<double>& trained = run.epochs.back().active_fraction;
  return layer < trained.size() ? trained[layer] : kNotEvaluated;
}

double active_fraction(const RunRecord& run) {
  double active = 0, units = 0;
  for (std::size_t l = 0; l < run.layers.size(); ++l) {
    active += active_fraction(run, l) * run.layers[l].units;
    units += run.layers[l].units;
  }
  return units > 0 ? active / units : kNotEvaluated;
}

double seconds(const RunRecord& run) {
  return sum_of_known(run.task_seconds) + sum_of_known(run.evaluate_seconds);
}

std::string percent(double fraction) {
  return std::isnan(fraction) ? glyphs().missing : fmt::format("{:.1f}", 100 * fraction);
}

std::string percent(const Summary& fractions) {
  if (fractions.n < 2) return percent(fractions.mean);
  return fmt::format("{} {} {:.1f}", percent(fractions.mean), glyphs().plus_minus,
                     100 * fractions.ci95);
}

std::string count(double number) {
  constexpr std::array<const char*, 6> kUnits{"", " k", " M", " G", " T", " P"};
  if (std::isnan(number)) return glyphs().missing;
  std::size_t unit = 0;
  for (; std::abs(number) >= 999.5 && unit + 1 < kUnits.size(); ++unit)
    number /= 1000;
  return fmt::format("{:.3g}{}", number, kUnits[unit]);
}

std::string executed(const std::vector<RunRecord>& runs, Macs RunRecord::*field) {
  const double done = over(runs, [&](const RunRecord& run) { return (run.*field).executed; }).mean;
  const double dense = over(runs, [&](const RunRecord& run) { return (run.*field).dense; }).mean;
  if (!(dense > 0)) return count(done);
  return fmt::format("{} ({:.3g} % of dense)", count(done), 100 * done / dense);
}

std::string repeat(const char* glyph, int times) {
  std::string text;
  for (int i = 0; i < times; ++i)
    text += glyph;
  return text;
}

std::string plural(std::size_t n, const std::string& noun) {
  return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s");
}

}  // namespace engram::show
