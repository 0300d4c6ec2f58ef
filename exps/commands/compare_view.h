// A comparison in the terminal: means, pairs, verdicts, and what the figures mean.
#pragma once

#include <string>
#include <vector>

#include "exps/analysis/comparison.h"

namespace engram {

/// `pairs` are what compare_experiments() made of `experiments`. No line is wider than `width`
/// columns unless a label is; the table of pairs falls into two where one is too wide.
std::string comparison_text(const std::vector<ExperimentRuns>& experiments,
                            const std::vector<PairComparison>& pairs,
                            const ComparisonOptions& options, bool colour, int width);

}  // namespace engram
