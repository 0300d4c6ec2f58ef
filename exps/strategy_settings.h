// What strategies ask of the rest of an experiment.
#pragma once

#include "exps/experiment.h"

namespace engram {

/// Reads the options of all strategies of the settings, and gives the model what they bring along
/// or need: a gating, synapses that can move. Error(Config) for unknown names, for one that stands
/// there twice, and where the model's own settings stand against it.
void read_strategies(Settings&, Config&);

}  // namespace engram
