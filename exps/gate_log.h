// How the units that tasks may use lie to each other, and whether they stay.
#pragma once

#include "exps/moment.h"
#include "exps/record.h"
#include "models/network.h"

namespace engram {

/// Looks at the gates as a row of the accuracy matrix sees them: fills that row of every
/// record's density and kept, and its overlap. Row 0 makes the records. A task's mask is
/// remembered when it has been learnt; when all tasks are learnt at once, at row 0. Without gating
/// nothing happens.
void note_gates(const Network& net, const Moment&, RunRecord& run);

/// Intersection over union of the open units of two masks; NaN when both are closed.
double mask_overlap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

}  // namespace engram
