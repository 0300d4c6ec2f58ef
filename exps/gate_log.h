// How the units that tasks may use lie to each other, and whether they stay.
#pragma once

#include "exps/record.h"
#include "models/network.h"

namespace engram {

/// Looks at the gates as row `row` of the accuracy matrix sees them: fills that row of every
/// record's density and kept, and its overlap. Row 0 makes the records. A task's mask is
/// remembered when its row comes; when all tasks are learnt `at_once`, at row 0. Without gating
/// nothing happens.
void note_gates(const Network& net, int row, bool at_once, RunRecord& run);

/// Intersection over union of the open units of two masks; NaN when both are closed.
double mask_overlap(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

}  // namespace engram
