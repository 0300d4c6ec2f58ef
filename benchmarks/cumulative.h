// Other ways of going through the tasks of a stream: the first few alone, all tasks so far in every
// phase, or all tasks in one phase. The tests stay those of the stream.
#pragma once

#include <memory>
#include <optional>

#include "benchmarks/stream.h"

namespace engram {

/// The first `tasks` tasks as they are in the whole stream, until a later one begins; the others do
/// not exist. Error(Config) when there are not so many.
std::unique_ptr<TaskStream> make_first_tasks(std::unique_ptr<TaskStream> stream, int tasks);

/// Phase e trains on the union of tasks 0 ... e.
std::unique_ptr<TaskStream> make_cumulative(std::unique_ptr<TaskStream> stream);

/// One phase on the union of all tasks, or on `base` when it is given. Its index is that of the
/// last task, its classes are those of all tasks, its test is the union of all tests.
std::unique_ptr<TaskStream> make_joint(std::unique_ptr<TaskStream> stream,
                                       std::optional<ExampleSet> base = std::nullopt);

}  // namespace engram
