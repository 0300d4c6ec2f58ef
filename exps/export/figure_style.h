// What all figures share: colours, points and dashes of the experiments, axes with round numbers,
// places in inches, names that fit.
#pragma once

#include <string>
#include <vector>

#include "exps/export/gnuplot.h"

namespace engram::figure {

/// How the experiment with a number is drawn. The colours are Okabe and Ito's (without yellow, too
/// pale for lines); in grey, points and dashes tell lines apart. No combination in the first 20
/// comes twice.
struct Look {
  std::string colour;  ///< "#0072B2"
  int point = 0;       ///< gnuplot's point type
  std::string dash;    ///< gnuplot's dash type
};
Look look_of(std::size_t experiment);

/// Of its lines, in points. No two are quite equal: gnuplot's SVG takes note of another dash only
/// when colour or width change as well.
double line_width(std::size_t experiment);

/// Round numbers around values; 0 to 100 without values. NaNs are left out.
struct Axis {
  double low = 0, high = 100, step = 20;
};
Axis round_axis(const std::vector<double>& values, int most_steps = 5);

/// Numbers of tasks for the ticks of an axis 1..tasks: at most `most`, whole, with the 1.
std::string task_ticks(int tasks, int most);

/// A sheet in inches, from its lower left corner.
struct Sheet {
  double width = 0, height = 0;
  std::string x(double inches) const;  ///< "screen 0.25"
  std::string y(double inches) const;
  /// The commands that put the plot into this place.
  std::string margins(double left, double right, double bottom, double top) const;
};

/// Inches that a text takes in a font of some points: on the wide side.
double text_width(std::string_view text, double points);

/// Names that take at most `inches` in that font, by an ellipsis in their middle. They stay
/// different: where two would not, they begin with their number.
std::vector<std::string> fitting(const std::vector<std::string>& names, double inches,
                                 double points);

/// Figures in percent for gnuplot; "NaN" as it is.
std::string number(double value);

/// An interval from (x, y) by (dx, dy), as a line with caps. gnuplot's error bars leave a gap in
/// their middle.
std::string interval_style(const Look& look);

/// The settings with which every figure begins.
std::string common_settings();

}  // namespace engram::figure
