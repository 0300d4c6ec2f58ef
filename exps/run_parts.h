// What runs on data and runs of agents have in common: their clock, their seeds, how they keep the
// record.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "exps/metrics.h"
#include "exps/record.h"
#include "exps/run.h"
#include "utils/provenance.h"
#include "utils/rng.h"

namespace engram {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point t);  ///< seconds

/// Seconds between checkpoints: `asked`, or as many as leave no more than a twentieth of the time
/// to writing them, when writing one takes so long. 0 asks for all that there may be.
inline double checkpoint_interval(double asked, double writing) {
  return asked > 0 ? std::max(asked, 20 * writing) : 0;
}

/// Says when the next checkpoint is due.
class CheckpointClock {
 public:
  explicit CheckpointClock(double asked) : asked_(asked) {}
  void restart() { last_ = Clock::now(); }
  bool due() const { return since(last_) >= checkpoint_interval(asked_, writing_); }
  /// Calls save(), and starts anew.
  template <class Save>
  void time(const Save& save) {
    const auto begun = Clock::now();
    save();
    writing_ = since(begun);
    restart();
  }

 private:
  double asked_, writing_ = 0;
  Clock::time_point last_ = Clock::now();
};

/// Of a seed of its own, if there is one, or of the run's.
Rng root_of(const std::optional<int>& own, std::uint64_t seed);

/// Notes in the record that a run goes on: when ("resumed"), and what is another program, machine
/// or library than so far ("resumed_cpu": "DATE VALUE", ...; `now`: the facts of this process).
/// Returns the seconds that it took until then.
double note_resumed(RunRecord&, const Facts& now);
/// Notes that the run has taken so many seconds.
void note_seconds(RunRecord&, double seconds);
/// Writes the record, which says that the run has taken so many seconds and how much memory.
void keep_record(RunRecord&, const std::filesystem::path& file, double seconds,
                 ForgettingDefinition);
/// Those that an older run left beside results that are replaced now.
void forget_weights(const RunFiles&);

}  // namespace engram
