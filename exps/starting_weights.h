// The weights that a run starts from (FineTuningOptions::weights), and what is recorded of them.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "exps/run.h"
#include "learners/fine_tuning.h"
#include "models/network.h"

namespace engram {

/// The file of a run: {seed} and {results} filled in. Error(Config) for other braces.
std::filesystem::path weights_path(const FineTuningOptions&, const RunFiles&);

struct StartingWeights {
  std::vector<std::pair<std::string, std::string>> facts;  ///< for the provenance of a run
  bool input = false;  ///< whether the lowest layer took its own: it needs no fit()
};
/// Nothing without FineTuningOptions::weights.
StartingWeights start_from_weights(const FineTuningOptions&, const RunFiles&, Network&);

}  // namespace engram
