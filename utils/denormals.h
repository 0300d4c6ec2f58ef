// Numbers too small for a full mantissa: whether this thread computes with them or takes them for
// 0.
#pragma once

namespace engram {

/// From here on this thread, and every thread that it starts, reads and writes denormal numbers as
/// 0 (float: below 1.2e-38). Adam's moments of weights that get no gradient any more shrink until
/// they are denormal and, by rounding, stay it for ever; every operation on one of them takes a
/// hundred times as long. Call it before other threads exist, so that all give the same bits. Does
/// nothing on processors whose switch is not known here.
void flush_denormals();

/// Whether this thread does.
bool flushes_denormals();

}  // namespace engram
