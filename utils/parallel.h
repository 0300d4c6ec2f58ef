// A pool of threads for loops over fixed tiles. What a tile computes never depends on how many
// threads there are, so results have the same bits for any number of them. No other file starts a
// thread for computing.
#pragma once

#include <functional>

namespace engram {

/// Sets how many threads (>= 1, this one included) parallel_for may use. Default 1.
void set_threads(int count);
int threads();

/// Calls body(i) for every i in [0, count), in any order, perhaps at the same time. `body` writes
/// only to what tile i owns. An exception from a body is thrown again here after all have ended.
void parallel_for(int count, const std::function<void(int)>& body);

}  // namespace engram
