// Signed numbers as pictures of a results file.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "benchmarks/stream.h"
#include "exps/moment.h"
#include "exps/record.h"
#include "utils/real.h"

namespace engram {

/// What a row of the accuracy matrix is called: "before training", "after digits 2 3", "after
/// phase 3, digits 2 3" when tasks come back, or "after training" when all are learnt at once.
std::string name_of_moment(const TaskStream& stream, const Moment&);

/// The set of that name; `fresh` itself, added, when there is none.
PictureRecord& picture_set(RunRecord& run, PictureRecord fresh);

/// Appends values [pixels, channels] as bytes [pixels, 3], where `most` has the strongest colour:
/// one channel by diverging_colour(), three about mid-grey. `most` = 0: all values are 0.
void append_map(std::span<const real> values, int channels, double most,
                std::vector<std::uint8_t>& pixels);

}  // namespace engram
