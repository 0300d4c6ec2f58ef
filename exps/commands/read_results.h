// Reading results for the commands that look at them.
#pragma once

#include <filesystem>
#include <vector>

#include "exps/analysis/results_set.h"

namespace engram {

/// load_results_set() with progress on a terminal; says on stderr what was left out.
ResultsSet read_results(const std::vector<std::filesystem::path>& places);

}  // namespace engram
