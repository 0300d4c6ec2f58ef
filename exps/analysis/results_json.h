// A set of results as JSON: what the report embeds and `engram export --format json` writes. NaN is
// null. results/README.md lists the fields.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "exps/analysis/results_set.h"

namespace engram {

struct JsonOptions {
  std::size_t most_steps = 0;    ///< continual evaluations per run, evenly thinned out; 0: all
  std::size_t most_moments = 0;  ///< of every set of pictures, likewise; 0: all
  std::size_t most_images = 0;   ///< of every moment, the first ones; 0: all
  std::size_t most_points = 0;   ///< of every embedding, evenly; 0: all
  bool usage = true;             ///< unit usage of every layer, which may be long
};

/// What is no UTF-8, in names of files or of what is in them, becomes U+FFFD. indent -1: one line.
std::string json_text(const nlohmann::json& json, int indent);

nlohmann::json results_json(const ResultsSet& set, const JsonOptions& options = {});

}  // namespace engram
