// An experiment in words, before it is run.
#pragma once

#include <cstdint>
#include <string>

#include "exps/experiment.h"

namespace engram {

/// "key = value" lines in the order they are read, each with its source; `only_set` leaves out the
/// defaults.
std::string describe_settings(const Settings&, bool only_set, bool colour);

/// The same of what `engram sweep` would do with the experiment; "" where nothing is said.
std::string describe_sweep_settings(const Settings&, bool colour);

/// Builds every part of a run, needing no data: a stand-in of the same shape and label counts takes
/// the data set's place; of a user's own data the outline is read. Returns the stream and the
/// model's layers in words. Error(Config) when the parts do not fit each other, which is how
/// settings are checked before anything trains.
struct PartsText {
  std::string stream, model;
  std::size_t parameters = 0;
  int tasks = 0;
};
PartsText try_parts(const Settings&, std::uint64_t seed, const DataSearch& = data_search());

}  // namespace engram
