// Results as one self-contained HTML page that needs no network: charts, tables, the verdict of the
// comparisons, and all of its data as JSON for others to use.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "exps/analysis/results_set.h"

namespace engram {

struct ReportOptions {
  std::string title = "Engram report";
  std::size_t most_steps = 400;          ///< continual evaluations shown per run
  std::size_t most_numbers = 1'000'000;  ///< of continual evaluations and unit usage in the page
  std::size_t most_moments = 12;         ///< of a set of pictures, the first and last among them
  std::size_t most_images = 100;         ///< per moment
  std::size_t most_pixels = 8'000'000;   ///< bytes of pictures in the page, which shows fewer then
  std::size_t most_points = 2'000;       ///< of an embedding
  int resamples = 10'000;                ///< of the bootstrap; fewer when there are many pairs
};

/// What the page embeds: results_json(), thinned out to options.most_numbers, with "title",
/// "student_t" (quantiles at 97.5 % by degrees of freedom) and "comparisons": {metric, experiments,
/// pairs} or {metric, experiments, refused: "reason"} for every group of experiments that share a
/// protocol; "left_out" lists those of the group that share no seed with a known metric with the
/// others.
nlohmann::json report_json(const ResultsSet& set, const ReportOptions& options = {});

/// The page around report_json(). No text of a results file becomes markup.
std::string report_html(const ResultsSet& set, const ReportOptions& options = {});

/// Written aside and renamed. Error(CannotWrite) or Error(Io) as save_text().
void write_report(const std::filesystem::path& file, const ResultsSet& set,
                  const ReportOptions& options = {});

/// JSON that can stand in a <script> element: no '<', '>', '&', U+2028 or U+2029; invalid UTF-8 is
/// replaced.
std::string script_safe(const nlohmann::json& data);
/// Text that can stand between tags and in attributes.
std::string html_escaped(std::string_view text);

}  // namespace engram
