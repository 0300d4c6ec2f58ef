// Figures that somebody published for what Engram carries: a section of a .cfg below exps/published
// each, with the experiment that should come to it and the band that ours must lie in.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exps/record.h"
#include "exps/summary.h"
#include "utils/options.h"

namespace engram {

/// How sure the figure is: read in a primary source (V), the same in an independent transcription
/// (V2), a run of the authors' code or equations by somebody else (rerun).
enum class Evidence { V, V2, Rerun };
template <>
struct Choices<Evidence> {
  static constexpr std::array<std::string_view, 3> names{"V", "V2", "rerun"};
};
/// Short ones are for every night: minutes on two cores.
enum class Effort { Short, Long };
template <>
struct Choices<Effort> {
  static constexpr std::array<std::string_view, 2> names{"short", "long"};
};

struct PublishedOptions {
  std::string run, seeds = "0", metric = "average_accuracy", minus, source;
  std::vector<std::string> set;
  std::optional<int> task;
  std::optional<double> published, sd, band, low, high;
  Evidence evidence = Evidence::V;
  Effort effort = Effort::Short;

  template <class V>
  void describe(V&& v) {
    v("run", run, "experiment that should come to the figure");
    v("set", set, "key=value, ...: settings that it is run with instead of its own");
    v("seeds", seeds, "of the runs");
    v("metric", metric, "which metric of the runs the figure is");
    v("task", task, Range::at_least(1),
      "the figure is the accuracy on this task alone, at the end, instead of a metric");
    v("minus", minus,
      "experiment that is subtracted, seed by seed: the figure is a difference of two");
    v("published", published, "the figure, a fraction");
    v("sd", sd, Range::at_least(0), "its published standard deviation");
    v("band", band, Range::above(0), "ours may lie so far from it, on either side");
    v("low", low, "or: the least that ours may be");
    v("high", high, "or: the most");
    v("source", source, "who published it, and where");
    v("evidence", evidence, "how sure the figure is");
    v("effort", effort, "short: for every night; long: hours");
  }
};

struct PublishedFigure {
  std::string name, family;  ///< of the section; of the file, without .cfg
  std::string place;         ///< "exps/published/split.cfg:12"
  PublishedOptions options;
  std::vector<std::uint64_t> seeds;
  double low = 0, high = 0;  ///< of the band; infinite where one side is open

  std::string measure() const;  ///< "average accuracy less that of perm_mlp1_dense"
};

/// All of a folder, by file and in their order; without a folder none. Error(Config) with file and
/// line for what is missing, contradictory or misspelt.
std::vector<PublishedFigure> load_published(const std::filesystem::path& folder);

/// Those of the names: of figures, of families, or "all". Error(Usage) with the nearest name.
std::vector<PublishedFigure> chosen_figures(std::span<const PublishedFigure> all,
                                            std::span<const std::string> names);

enum class Agreement { InBand, TooLow, TooHigh, Unknown };
struct Reproduction {
  Summary ours;
  Agreement agreement = Agreement::Unknown;  ///< Unknown when not every seed has a value
  std::string verdict() const;               ///< "in band", "too low by 0.0123"
  double beyond = 0;                         ///< how far outside
};
/// Judges the runs, one of every seed (and as many of `minus`), both ways.
Reproduction reproduce(const PublishedFigure& figure, const std::vector<RunRecord>& runs,
                       const std::vector<RunRecord>& minus);

}  // namespace engram
