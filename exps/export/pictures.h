// The images that models made or rebuilt, as PNG files to look at.
#pragma once

#include <filesystem>
#include <vector>

#include "exps/analysis/results_set.h"

namespace engram {

/// Writes a sheet for every moment of every set of pictures of every run into the folder, called
/// EXPERIMENT-seed-0-samples-after-task-1.png; returns what it wrote.
std::vector<std::filesystem::path> write_pictures(const ResultsSet& set,
                                                  const std::filesystem::path& folder);

}  // namespace engram
