// Ctrl-C and kill: the first signal asks every run to save and stop, the second ends the program.
#pragma once

#include <atomic>
#include <csignal>

namespace engram {

/// Makes a full disk or a closed pipe an error instead of a death.
void outlive_broken_outputs();

/// While one lives, SIGINT and SIGTERM are caught; where nobody asks stop_flag() they end the
/// program at once, as everywhere.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  struct sigaction interrupt_ {
  }, terminate_{};  ///< as they were before
};

/// True from the first signal on.
const std::atomic<bool>& stop_flag();
/// Which signal it was; 0: none.
int stop_signal();
/// Says that all is saved, and which command goes on; returns the exit code. `in_the_way`: without
/// --force runs of other settings would be.
int end_interrupted(bool forced, bool in_the_way = false);
/// In a forked run: a signal may come twice, from the terminal and from the parent, and means
/// "save and stop" each time. Also makes the run die with its parent, so that two processes never
/// write the same files.
void become_forked_run(int parent);

}  // namespace engram
