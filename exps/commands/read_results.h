// Reading results for the commands that look at them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "exps/analysis/results_set.h"

namespace engram {

/// results_place() of each word, below the results of the checkout.
std::vector<std::filesystem::path> result_places(const std::vector<std::string>& words,
                                                 const std::string& command);

/// load_results_set() with progress on a terminal; says on stderr what was left out.
ResultsSet read_results(const std::vector<std::filesystem::path>& places);

}  // namespace engram
