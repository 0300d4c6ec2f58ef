// Ctrl-C and kill: the first signal asks every run to save and stop, the second ends the program.
#pragma once

#include <atomic>

namespace engram {

/// Catches SIGINT and SIGTERM, and makes a full disk or a closed pipe an error instead of a death.
void catch_stop_signals();
/// True from the first signal on.
const std::atomic<bool>& stop_flag();
/// Which signal it was; 0: none.
int stop_signal();
/// In a forked run: a signal may come twice, from the terminal and from the parent, and means
/// "save and stop" each time. Also makes the run die with its parent, so that two processes never
/// write the same files.
void become_forked_run(int parent);

}  // namespace engram
