// Images of an experience before it is learnt.
#pragma once

#include "benchmarks/dataset.h"
#include "models/network.h"

namespace engram {

/// Shows all examples, in parts, to the layers of the network that want to see them.
void preview(const ExampleSet& examples, Network& net);

}  // namespace engram
