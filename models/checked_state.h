// States as a file gave them. Layers take some of their numbers for places or counts, and would
// read anywhere if those were not checked.
#pragma once

#include "models/param_store.h"

namespace engram {

enum class Numbers { Any, Whole };

/// Error(Data), which names the state, when one of its numbers is not in [least, most], or not a
/// whole one where those are asked for. NaN never is. `most` may be infinite.
void check_state(const ParamStore&, int id, Numbers, double least, double most);

}  // namespace engram
