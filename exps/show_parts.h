// For show_*.cpp only: numbers of several runs as short texts.
#pragma once

#include <string>
#include <vector>

#include "exps/record.h"
#include "exps/summary.h"

namespace engram::show {

/// Characters for drawing, from Unicode or plain ASCII.
struct Glyphs {
  const char *missing, *plus_minus, *line, *bar, *corner, *tick, *arrow;
  std::vector<std::string> markers;
  std::vector<std::string> levels;  ///< of a sparkline, rising
};
const Glyphs& glyphs();

template <class Value>
Summary over(const std::vector<RunRecord>& runs, Value value) {
  std::vector<double> values;
  for (const RunRecord& run : runs)
    values.push_back(value(run));
  return summarise(values);
}

/// Mean share of active units over the layers, each by its number of units.
double active_fraction(const RunRecord&);
double active_fraction(const RunRecord&, std::size_t layer);
double seconds(const RunRecord&);

std::string percent(double fraction);  ///< "61.3", the missing sign for NaN
/// "61.3 ± 2.1", half the 95 % t interval; without ± for a single run.
std::string percent(const Summary& fractions);
std::string count(double number);  ///< "1.23 T"
/// "12.0 G (24 % of dense)"
std::string executed(const std::vector<RunRecord>&, Macs RunRecord::*field);
/// How every task fades: a line each, from learning it to the end, one character per experience.
std::string sparklines(const Table& accuracy, const RunRecord& run, bool colour, int width);
/// Tables of what the layers did: activity, gates, how errors came down, goodness.
std::string layers(const std::vector<RunRecord>&, bool colour);
/// What agents did in every regime at the end, beside random choices and the expert.
std::string returns(const std::vector<RunRecord>&, bool colour, int width);
std::string repeat(const char* glyph, int times);
std::string plural(std::size_t n, const std::string& noun);  ///< "1 run", "3 runs"

}  // namespace engram::show
