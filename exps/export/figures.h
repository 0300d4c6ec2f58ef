// Figures fit for a paper, drawn by gnuplot: forgetting curves with bands over seeds, accuracy
// matrices, final accuracy and forgetting with intervals.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "exps/analysis/results_set.h"

namespace engram {

enum class FigureFormat { Svg, Pdf, Png };

constexpr double kNarrowestFigure = 2, kWidestFigure = 20;  ///< inches

struct FigureOptions {
  FigureFormat format = FigureFormat::Svg;
  double width = 3.3;  ///< inches, 2 to 20; by default one column of a paper
};

/// Writes curves.EXT (average accuracy over the tasks seen, mean over seeds with the 95 % t
/// interval as a band), metrics.EXT (final accuracy and forgetting: mean, 95 % t interval, seeds as
/// dots) and matrix-<experiment>.EXT (mean accuracy on each task after each task) into `folder`
/// (made when missing), each aside and renamed, and returns their paths; none without experiments.
/// PNGs have 300 dots per inch. The same results give the same bytes with the same gnuplot.
/// Error(MissingInput) naming the package when there is no gnuplot, Error(Internal) with gnuplot's
/// words when it fails, Error(Usage) for another width. No text of a results file is read as a
/// command or as markup.
std::vector<std::filesystem::path> write_figures(const ResultsSet& set,
                                                 const std::filesystem::path& folder,
                                                 const FigureOptions& options);

}  // namespace engram
