#include "exps/export/figure_style.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "utils/terminal.h"

namespace engram::figure {
namespace {

/// Characters of a UTF-8 text, each with its bytes.
std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> out;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80 && !out.empty())
      out.back() += c;
    else
      out.emplace_back(1, c);
  return out;
}

/// The beginning and the end tell names apart, the middle seldom does.
std::string elided(const std::string& text, double inches, double points) {
  constexpr std::size_t kMost = 500;  // more than the widest sheet holds
  const auto all = characters(text);
  for (std::size_t keep = std::min(all.size(), kMost); keep > 2; --keep) {
    std::string out;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (keep < all.size() && i == keep / 2) i = all.size() - (keep - keep / 2), out += "…";
      out += all[i];
    }
    if (text_width(out, points) <= inches) return out;
  }
  return all.size() <= 2 ? text : all.front() + "…";
}

}  // namespace

Look look_of(std::size_t experiment) {
  constexpr std::array<const char*, 7> kColours{"#0072B2", "#D55E00", "#009E73", "#000000",
                                                "#CC79A7", "#E69F00", "#56B4E9"};
  // Circle, square, triangles, diamond, pentagon: filled, then open.
  constexpr std::array<int, 12> kPoints{7, 5, 9, 13, 11, 15, 6, 4, 8, 12, 10, 14};
  constexpr std::array<const char*, 5> kDashes{"solid", "(7,2)", "(2,1.5)", "(8,2,1.5,2)",
                                               "(8,1.5,1.5,1.5,1.5,1.5)"};
  return {kColours[experiment % kColours.size()], kPoints[experiment % kPoints.size()],
          kDashes[experiment % kDashes.size()]};
}

double line_width(std::size_t experiment) {
  return 1.2 + 0.001 * static_cast<double>(experiment);
}

Axis round_axis(const std::vector<double>& values, int most_steps) {
  double least = INFINITY, most = -INFINITY;
  for (const double value : values)
    if (std::isfinite(value)) least = std::min(least, value), most = std::max(most, value);
  if (least > most) return {};
  least = std::max(least, -1e9), most = std::min(most, 1e9);
  if (most - least < 0.5) least -= 0.25, most += 0.25;
  for (double decade = 0.1;; decade *= 10)
    for (const double part : {1, 2, 5}) {
      const double step = part * decade;
      // Half a thousandth of a step: 0.3 / 0.1 is a little less than 3.
      const Axis axis{step * std::floor(least / step + 5e-4), step * std::ceil(most / step - 5e-4),
                      step};
      if (std::lround((axis.high - axis.low) / step) <= most_steps) return axis;
    }
}

std::string task_ticks(int tasks, int most) {
  int step = 1;
  for (int decade = 1; tasks / step > most; decade *= 10)
    for (const int part : {1, 5})  // not 2, which stands too close to the 1
      if (tasks / step > most) step = part * decade;
  std::string out = "1";
  for (int t = step; t <= tasks; t += step)
    if (t > 1) out += fmt::format(", {}", t);
  return "(" + out + ")";
}

std::string Sheet::x(double inches) const {
  return fmt::format("screen {:.5f}", inches / width);
}

std::string Sheet::y(double inches) const {
  return fmt::format("screen {:.5f}", inches / height);
}

std::string Sheet::margins(double left, double right, double bottom, double top) const {
  return fmt::format("set lmargin at {}; set rmargin at {}; set bmargin at {}; set tmargin at {}\n",
                     x(left), x(right), y(bottom), y(top));
}

double text_width(std::string_view text, double points) {
  // Mean width of Helvetica's characters in names, and some more, for DejaVu is wider.
  constexpr double kEm = 0.58, kPointsPerInch = 72;
  return columns(text) * kEm * points / kPointsPerInch;
}

std::vector<std::string> fitting(const std::vector<std::string>& names, double inches,
                                 double points) {
  std::vector<std::string> out;
  for (const std::string& name : names)
    out.push_back(elided(gnuplot::clean(name), inches, points));
  if (std::set<std::string>(out.begin(), out.end()).size() == out.size()) return out;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string mark = std::to_string(i + 1) + ": ";
    const double room = std::max(inches - text_width(mark, points), 0.0);
    out[i] = mark + elided(gnuplot::clean(names[i]), room, points);
  }
  return out;
}

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "NaN";
}

std::string interval_style(const Look& look) {
  return fmt::format("with vectors heads size screen 0.007,90 lw 1 lc rgb '{}'", look.colour);
}

std::string common_settings() {
  return "set border 3 lw 0.6 lc rgb '#333333'\n"
         "set tics out nomirror scale 0.4 font ',7' textcolor rgb '#222222'\n"
         "set xtics offset 0,0.35\n"
         "set grid ytics lc rgb '#dddddd' lt 1 lw 0.4\n"
         "set minussign\n"
         "set format '%h'\n"
         "unset key\n";
}

}  // namespace engram::figure
