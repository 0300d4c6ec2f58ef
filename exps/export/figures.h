// Figures fit for a paper, drawn by gnuplot: forgetting curves with bands over seeds, accuracy
// matrices, final accuracy and forgetting with intervals.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "exps/analysis/results_set.h"

namespace engram {

enum class FigureFormat { Svg, Pdf, Png };

struct FigureOptions {
  FigureFormat format = FigureFormat::Svg;
  double width = 3.3;  ///< inches: one column of a paper
};

/// Writes curves.EXT, metrics.EXT and matrix-<experiment>.EXT into `folder` (made when missing),
/// each aside and renamed, and returns their paths. Error(MissingInput) naming the package when
/// there is no gnuplot, Error(Internal) with gnuplot's words when it fails. No text of a results
/// file is read as a command or as markup.
std::vector<std::filesystem::path> write_figures(const ResultsSet& set,
                                                 const std::filesystem::path& folder,
                                                 const FigureOptions& options);

}  // namespace engram
