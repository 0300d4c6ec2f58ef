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
  std::string label{};  ///< for people; empty: the experiment's name
  Facts facts{};        ///< to be recorded with the provenance

  const std::string& name() const { return label.empty() ? settings->experiment : label; }
};

struct JobOptions {
  int jobs = 1;     ///< processes side by side; 1: none but this one
  int threads = 1;  ///< of each run
  double checkpoint_seconds = 30;
  bool quiet = false;
  bool own_processes = false;  ///< a process for each run even when they go one by one
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
