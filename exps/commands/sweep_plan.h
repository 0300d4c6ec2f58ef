// What `engram sweep` is going to do: the points of each experiment's grid, their runs, and what is
// there of them already.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "exps/experiment.h"
#include "exps/run.h"
#include "exps/sweep/grid.h"
#include "utils/provenance.h"

namespace engram {

struct SweepRequest {
  std::vector<std::string> names;
  std::vector<std::string> overrides;    ///< of --set
  Grid grid;                             ///< of --grid; empty: what the files say
  std::optional<std::string> selection;  ///< of --selection
  std::vector<std::uint64_t> seeds{0};
  std::string metric;
  std::filesystem::path experiments, out;
  bool force = false;
  DataSearch search{};  ///< of --data
};

struct SweepRun {
  RunFiles files;
  RunState state = RunState::New;
  std::string why;     ///< of RunState::Other
  std::string failed;  ///< why it has no results; "" where nothing failed
};

/// Runs of one configuration, seed by seed.
struct SweepPoint {
  GridPoint values{};
  Settings settings{};
  std::string label{};  ///< "perm_ewc (lr = 0.1)"
  Facts facts{};        ///< to be recorded with the runs' provenance
  std::vector<SweepRun> runs{};
};

struct SweptExperiment {
  Config written;  ///< before anything is read: every point begins with it
  Settings plain;  ///< of no point
  Grid grid;
  std::vector<std::uint64_t> seeds;  ///< of the points: those of the selection, if there is one
  std::string metric;                ///< by which points are judged
  std::vector<SweepPoint> points;

  Selection selection() const { return plain.sweep.options.selection; }
};

/// Reads and checks every point of every experiment and looks for its runs. They lie where `run
/// --set` puts them, OUT/NAME~<hash of the settings>; where OUT/NAME has the same settings and is
/// complete, or has begun while nothing is there, it counts. Error(Config) or Error(Usage) for what
/// can be known to be wrong before training.
std::vector<SweptExperiment> plan_sweep(const SweepRequest& request);

/// The final runs of a chosen point, in OUT/NAME@<protocol>~<hash of the settings>. Where a run of
/// the same settings over the same data (its SHA-256) is complete elsewhere below OUT its results
/// are copied, with `facts`.
SweepPoint plan_final_runs(const SweptExperiment& experiment, const GridPoint& chosen,
                           const std::string& data, Facts facts, const SweepRequest& request);

/// Sees to it that the results of complete runs have the facts of their point, which may have
/// changed since they were trained.
void record_facts(const SweepPoint& point);

/// Remembers in a file beside the results that a loss stopped being finite: the same settings and
/// seed would do so again.
void note_divergence(const RunFiles& files, const Settings& settings, const std::string& message);
/// What was noted for these settings, or "".
std::string noted_divergence(const RunFiles& files, const Settings& settings);

/// The plan in words for --dry-run.
std::string describe_sweep(const std::vector<SweptExperiment>& experiments);

}  // namespace engram
