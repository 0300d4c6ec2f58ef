// Results for other programs: tidy tables, JSON, NumPy arrays, a table for a paper, figures.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exps/analysis/results_set.h"

namespace engram {

struct ExportOptions {
  double width = 3.3;  ///< inches, of figures
};

/// One way to export. Either `content`, for one file, or `write`, for a folder of several.
struct ExportFormat {
  std::string_view name, about;
  std::string_view target;  ///< default file or folder
  std::string (*content)(const ResultsSet&);
  /// Writes into the folder; returns what it wrote.
  std::vector<std::filesystem::path> (*write)(const ResultsSet&,
                                              const std::filesystem::path& folder,
                                              const ExportOptions&);
};

std::span<const ExportFormat> export_formats();
/// Error(Usage) with the nearest name when there is no such format.
const ExportFormat& find_export_format(std::string_view name);

std::string json_text(const ResultsSet& set);
/// A zip of .npy arrays (format 1.0), as numpy.savez writes it; results/README.md lists the names.
/// No array needs pickle. The same set gives the same bytes.
std::string npz_bytes(const ResultsSet& set);
/// A table with booktabs' rules, in percent: mean and half of the 95 % t interval over the seeds.
/// Bold: the best, and those of which the paired comparison cannot tell whether they are worse.
std::string latex_text(const ResultsSet& set);
/// Text as LaTeX prints it, whatever it holds.
std::string latex_escaped(std::string_view text);

}  // namespace engram
