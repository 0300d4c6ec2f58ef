// Borders between tasks that are not sharp: phases hold examples of several tasks. Every training
// example is still met once, and phases keep their sizes.
#pragma once

#include <cstdint>
#include <memory>

#include "benchmarks/stream.h"

namespace engram {

/// Around the border of two phases the share of examples of the second rises linearly from 0 to 1
/// (as in van de Ven's fuzzy boundaries and Avalanche's linear decay), over `blur` times the size
/// of the smaller of them, half before and half behind the border. The order of all examples is the
/// stream's, drawn from `seed`; within a phase's own stretch it is random.
std::unique_ptr<TaskStream> make_linear(std::unique_ptr<TaskStream>, double blur,
                                        std::uint64_t seed);

/// i-Blurry (Koh et al. 2022): the share `disjoint` of the classes, drawn, as many of every task,
/// stays in its tasks. Of the examples of the others the share `blurry` of each task is put
/// together, shuffled and dealt to all tasks again. Throws Error(Config) when tasks share their
/// labels.
std::unique_ptr<TaskStream> make_i_blurry(std::unique_ptr<TaskStream>, double disjoint,
                                          double blurry, std::uint64_t seed);

}  // namespace engram
