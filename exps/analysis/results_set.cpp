#include "exps/analysis/results_set.h"

#include <algorithm>

#include <fmt/format.h>

#include "exps/recorded_settings.h"
#include "exps/results_file.h"
#include "utils/error.h"
#include "utils/provenance.h"

namespace engram {
namespace fs = std::filesystem;
namespace {

/// The files among and below the paths, each once: in the order of the paths, then by name.
std::vector<fs::path> files_of(std::span<const fs::path> paths) {
  std::vector<fs::path> all;
  for (const fs::path& path : paths) {
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    if (!fs::exists(status))
      throw Error(Fault::MissingInput, "there is no file or folder '" + path.string() + "'");
    if (!fs::is_directory(status)) {
      all.push_back(path);
      continue;
    }
    std::vector<fs::path> found;
    const auto below = fs::recursive_directory_iterator(
        path, fs::directory_options::skip_permission_denied, failed);
    if (failed)
      throw Error(Fault::MissingInput,
                  fmt::format("cannot read the folder '{}': {}", path.string(), failed.message()));
    for (const fs::directory_entry& entry : below)
      if (entry.is_regular_file(failed) && is_results_file(entry.path()))
        found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    all.insert(all.end(), found.begin(), found.end());
  }
  std::vector<fs::path> distinct;
  std::map<fs::path, bool> seen;
  for (const fs::path& file : all) {
    std::error_code failed;
    const fs::path resolved = fs::weakly_canonical(file, failed);
    if (!std::exchange(seen[failed ? file : resolved], true)) distinct.push_back(file);
  }
  return distinct;
}

/// The folder's name, or the experiment's for a file that lies in the current folder.
std::string label_of(const fs::path& file, const RunRecord& run) {
  std::error_code failed;
  const fs::path folder = fs::weakly_canonical(file, failed).parent_path().filename();
  return failed || folder.empty() ? run.experiment : folder.string();
}

ForgettingDefinition forgetting_of(const RunRecord& run) {
  ForgettingDefinition definition = ForgettingDefinition::Chaudhry;
  const auto settings = settings_of(run);
  if (const auto found = settings.find("forgetting_definition"); found != settings.end())
    option::parse(found->second, definition);
  return definition;
}

class Collector {
 public:
  void add(const fs::path& file) {
    try {
      take(file, load_results(file));
    } catch (const Error& error) {
      skip(file, error.what());
    }
  }

  ResultsSet finish() {
    for (ExperimentRuns& e : set_.experiments)
      sort_by_seed(e);
    make_labels_unique();
    return std::move(set_);
  }

 private:
  void skip(const fs::path& file, std::string reason, bool unfinished = false) {
    set_.skipped.push_back({file, std::move(reason), unfinished});
  }

  void take(const fs::path& file, RunRecord run) {
    if (!run.complete)
      return skip(file, "not complete: the run is going on or was interrupted", true);
    if (run.accuracy.size() == 0) return skip(file, "nothing was evaluated");
    const fs::path folder = file.parent_path();
    const auto same = [&](const ExperimentRuns& e) {
      const RunRecord& first = e.runs.front();
      return e.folder == folder && first.config_text == run.config_text &&
             first.accuracy.shape() == run.accuracy.shape() &&
             find_fact(first.provenance, "data_sha256") == find_fact(run.provenance, "data_sha256");
    };
    auto at = std::find_if(set_.experiments.begin(), set_.experiments.end(), same);
    if (at == set_.experiments.end()) {
      set_.experiments.push_back({label_of(file, run), folder, {}, {}, forgetting_of(run)});
      at = std::prev(set_.experiments.end());
    }
    for (const RunRecord& other : at->runs)
      if (other.seed == run.seed)
        return skip(file, fmt::format("a second file of seed {} of {}", run.seed, at->label));
    at->runs.push_back(std::move(run));
    at->files.push_back(file);
  }

  void make_labels_unique() {
    std::map<std::string, int> count;
    for (const ExperimentRuns& e : set_.experiments)
      ++count[e.label];
    std::map<std::string, int> used;
    for (ExperimentRuns& e : set_.experiments)
      if (count[e.label] > 1) e.label += fmt::format(" #{}", ++used[e.label]);
  }

  ResultsSet set_;
};

}  // namespace

void sort_by_seed(ExperimentRuns& e) {
  std::vector<std::size_t> order(e.runs.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t x, std::size_t y) { return e.runs[x].seed < e.runs[y].seed; });
  std::vector<RunRecord> runs;
  std::vector<fs::path> files;
  for (const std::size_t i : order)
    runs.push_back(std::move(e.runs[i])), files.push_back(std::move(e.files[i]));
  e.runs = std::move(runs), e.files = std::move(files);
}

ResultsSet read_results_set(std::span<const fs::path> paths, const ReadProgress& progress) {
  const std::vector<fs::path> files = files_of(paths);
  Collector collector;
  for (std::size_t i = 0; i < files.size(); ++i) {
    collector.add(files[i]);
    if (progress) progress(i + 1, files.size());
  }
  return collector.finish();
}

ResultsSet load_results_set(std::span<const fs::path> paths, const ReadProgress& progress) {
  ResultsSet set = read_results_set(paths, progress);
  if (!set.experiments.empty()) return set;
  std::string why;
  for (const SkippedFile& file : set.skipped)
    why += fmt::format("\n  {}: {}", file.file.string(), file.reason);
  std::vector<std::string> names;
  for (const fs::path& path : paths)
    names.push_back(path.string());
  throw Error(Fault::MissingInput, fmt::format("there is no complete results file in {}{}",
                                               fmt::join(names, ", "), why));
}

std::map<std::string, std::string> settings_of(const RunRecord& run) {
  return parse_settings(run.config_text);
}

}  // namespace engram
