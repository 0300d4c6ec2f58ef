// One run: one experiment with one seed, from wherever it stands to its results file.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "benchmarks/dataset.h"
#include "exps/experiment.h"
#include "exps/record.h"
#include "utils/provenance.h"

namespace engram {

/// What a progress line needs.
struct Progress {
  int experience = 0, experiences = 0;  ///< 0-based, of how many
  int epoch = 0, epochs = 0;            ///< of this experience
  double fraction = 0;                  ///< of the whole run
  bool labelled = true;                 ///< false: an epoch without labels
  double loss = 0, accuracy = 0;        ///< running means of the epoch, if it has labels; or NaN
  bool acts = false;                    ///< an agent, with what follows instead of an accuracy
  double mean_return = 0, score = 0;    ///< when it was last tested in its regime; NaN: not yet
  double epsilon = 0;                   ///< share of random actions, or NaN
  double seconds = 0, seconds_left = 0;
  bool evaluating = false;
};

/// Where a run keeps its files: DIR/seed-N.h5, and DIR/seed-N.checkpoint.h5 until it is complete;
/// while a process is at it, DIR/.seed-N.lock.
struct RunFiles {
  std::filesystem::path folder;
  std::uint64_t seed = 0;
  std::filesystem::path results() const {
    return folder / ("seed-" + std::to_string(seed) + ".h5");
  }
  std::filesystem::path checkpoint() const {
    return folder / ("seed-" + std::to_string(seed) + ".checkpoint.h5");
  }
  std::filesystem::path weights() const {
    return folder / ("seed-" + std::to_string(seed) + ".weights.h5");
  }
  /// What a sweep remembers of a loss that exploded.
  std::filesystem::path divergence() const {
    return folder / ("seed-" + std::to_string(seed) + ".diverged");
  }
  std::filesystem::path lock() const {
    return folder / (".seed-" + std::to_string(seed) + ".lock");
  }
};

/// What is to be done with a run, judging by the files that exist.
enum class RunState {
  New,        ///< nothing there
  Resumable,  ///< a checkpoint of the same configuration
  Complete,   ///< finished with the same configuration
  Other,      ///< files of another configuration, or unreadable ones: `why` says
};
RunState run_state(const RunFiles&, const Settings&, std::string* why = nullptr);

struct RunRequest {
  std::uint64_t seed = 0;
  RunFiles files{};
  bool resume = true;  ///< go on from a checkpoint if there is one; else none is left of an older
                       ///< run, and its results stay until there are others
  double checkpoint_seconds = 30;                   ///< see checkpoint_interval
  std::function<void(const Progress&)> progress{};  ///< may be empty
  const std::atomic<bool>* stop = nullptr;          ///< set by Ctrl-C
  Facts facts{};                                    ///< to be recorded with the provenance
};

enum class RunOutcome { Finished, Interrupted };

/// Trains, evaluates and writes. The results file is rewritten after every experience, a checkpoint
/// after every epoch that ends later than checkpoint_seconds after the last one and when `stop`
/// is set. A failure leaves the last files in place (complete = 0) and throws. Error(CannotWrite)
/// when another process is at the same run; nothing is done when it has been completed meanwhile.
/// Agents in simulations need no data: any data set will do.
RunOutcome execute_run(const Settings&, const Dataset&, const RunRequest&);

}  // namespace engram
