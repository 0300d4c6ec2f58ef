// The suite of `engram bench`: fixed workloads, and the measuring of one of them. What is timed is
// what users get: the real training loop, stopped by an observer, or the real evaluator.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "benchmarks/dataset.h"
#include "exps/experiment.h"

namespace engram {

struct Workload {
  enum class Kind {
    Train,     ///< a step: gather, zero the gradient, learn, mask, optimise
    Hidden,    ///< likewise, without the gather: inputs are winners with their active set
    Evaluate,  ///< a step: the accuracy on the whole test set
  };
  Kind kind;
  std::string_view name;
  std::string_view summary;
  std::string_view settings;  ///< as in a .cfg, "key = value; key = value"
};

/// The suite, in its order.
std::span<const Workload> workloads();
/// Error(Usage) with the nearest name when there is no such workload.
const Workload& find_workload(const std::string& name);
/// The settings of a workload, read and checked like those of an experiment.
Settings workload_settings(const Workload&);

struct BenchBudget {
  double seconds = 3;                       ///< of measuring; warming up takes a tenth more
  int least_steps = 3;                      ///< measured even if they take longer
  const std::atomic<bool>* stop = nullptr;  ///< set: ends early, with what was measured so far
};

/// One workload on this machine. Plain data, so that a process can hand it to another one.
struct Measurement {
  double step_ms = 0;  ///< median
  double step_ms_best = 0, step_ms_iqr = 0;
  int steps = 0;                             ///< measured
  int batch = 0;                             ///< examples in a step
  double executed_macs = 0, dense_macs = 0;  ///< of a step, mean
  double parameters = 0;                     ///< numbers that the network stores as weights
  double peak_rss_bytes = 0;                 ///< of this process so far

  double per_second(double count) const { return step_ms > 0 ? count / step_ms * 1000 : 0; }
  double samples_per_second() const { return per_second(batch); }
  double executed_gflops() const { return 2e-9 * per_second(executed_macs); }
  double dense_gflops() const { return 2e-9 * per_second(dense_macs); }
};

/// Builds the workload over `data` (28x28 images; Hidden brings its own inputs) and measures it.
Measurement measure_workload(const Workload&, const Dataset& data, const BenchBudget&);

/// The value below which a share `p` of the sorted values lies, between neighbours linear.
double quantile(std::span<const double> sorted, double p);

}  // namespace engram
