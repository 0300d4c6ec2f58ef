// Streams that come back to their tasks (class-incremental with repetition: Hemati et al. 2023).
#pragma once

#include <cstdint>
#include <memory>

#include "benchmarks/stream.h"
#include "benchmarks/stream_options.h"

namespace engram {

/// Whether the options ask for an order of their own.
bool repeats_tasks(const StreamOptions&);

/// One phase for each entry of `task_order` (or of 0 ... T - 1), the whole `repeats` times. Every
/// visit has all training examples of its task, or an equal part of each of its classes that no
/// other visit has. Throws Error(Config) when a task is missing, unknown or before its turn: the
/// first visits are in the order of the numbers.
std::unique_ptr<TaskStream> make_repeated(std::unique_ptr<TaskStream>, const StreamOptions&,
                                          std::uint64_t seed);

}  // namespace engram
