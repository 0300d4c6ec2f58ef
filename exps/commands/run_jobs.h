// Runs side by side: one forked process each, or one after the other in this process.
#pragma once

#include <string>
#include <vector>

#include "benchmarks/dataset.h"
#include "exps/commands/failure.h"
#include "exps/experiment.h"
#include "exps/run.h"

namespace engram {

struct RunJob {
  const Settings* settings = nullptr;
  const Dataset* data = nullptr;
  RunFiles files;
  bool resume = true;
};

struct JobOptions {
  int jobs = 1;     ///< processes side by side; 1: no processes
  int threads = 1;  ///< of each run
  double checkpoint_seconds = 30;
  bool quiet = false;
};

struct JobFailure {
  std::size_t run = 0;  ///< index into the runs
  Failure failure;
};

struct JobsResult {
  std::vector<JobFailure> failures;  ///< in the order they happened; a failure stops no other run
  bool interrupted = false;          ///< a signal came; what was running has been saved
};

/// Starts no thread in this process before it forks.
JobsResult run_jobs(const std::vector<RunJob>& runs, const JobOptions&);

}  // namespace engram
