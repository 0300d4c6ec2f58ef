// `engram compare`: experiments in pairs of runs with the same seed, and what the data can tell.
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "exps/analysis/comparison.h"
#include "exps/analysis/results_json.h"
#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/compare_view.h"
#include "exps/commands/places.h"
#include "exps/commands/read_results.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr CommandHelp kHelp{
    .command = "compare",
    .usage = "WHAT WHAT... [options]",
    .about =
        "Which experiment is better, and can the data tell? Runs are paired by seed. WHAT is a\n"
        "folder or file of results, or the name of an experiment below the folder of results;\n"
        "what holds several experiments contributes all of them. Experiments that do not share\n"
        "stream, data and evaluation are not compared; what differs is said instead.",
    .examples =
        "  engram compare quickstart_dense quickstart_kwinners\n"
        "  engram compare quickstart_dense quickstart_kwinners --metric forgetting\n"
        "  engram compare results/ --json comparison.json\n"};

po::options_description compare_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("metric,m", po::value<std::string>()->value_name("NAME"),
      "what is compared: average_accuracy (default), forgetting, learning_accuracy, bwt, ...");
  add("level", po::value<double>()->value_name("P")->default_value(0.95, "0.95"),
      "of the intervals; tests are read at 1 - P");
  add("resamples", po::value<int>()->value_name("N")->default_value(10'000, "10000"),
      "draws of the bootstrap");
  add("out,o", po::value<std::string>()->value_name("DIR"),
      "where results are; default: results/ of the checkout");
  add("json", po::value<std::string>()->value_name("FILE"),
      "write the figures as JSON too; '-': to the standard output instead of the tables");
  return options;
}

bool lies_in(const fs::path& file, const fs::path& place) {
  std::error_code ignored;
  const fs::path whole = fs::weakly_canonical(file, ignored);
  const fs::path above = fs::weakly_canonical(place / "", ignored);
  const auto parts = std::mismatch(above.begin(), above.end(), whole.begin(), whole.end());
  return parts.first == above.end() || parts.first->empty();  // "folder/" ends in an empty part
}

/// A WHAT that contributes nothing is an error, not a shorter table.
void require_all_used(const ResultsSet& set, const std::vector<fs::path>& places) {
  for (const fs::path& place : places) {
    const auto is_used = [&](const ExperimentRuns& e) {
      return std::any_of(e.files.begin(), e.files.end(),
                         [&](const fs::path& file) { return lies_in(file, place); });
    };
    if (std::any_of(set.experiments.begin(), set.experiments.end(), is_used)) continue;
    std::string why;
    for (const SkippedFile& skipped : set.skipped)
      if (why.empty() && lies_in(skipped.file, place))
        why = fmt::format(": {}: {}", skipped.file.string(), skipped.reason);
    throw Error(Fault::MissingInput,
                fmt::format("there is no complete results file in {}{}", place.string(), why));
  }
}

ResultsSet load(const std::vector<fs::path>& places) {
  ResultsSet set = read_results(places);
  require_all_used(set, places);
  return set;
}

}  // namespace

int compare_command(const Arguments& words) {
  const auto arguments = parse_arguments(kHelp, compare_options(), words, /*max_names=*/1000);
  if (!arguments) return 0;
  if (arguments->names.empty())
    throw Error(Fault::Usage, "compare: which experiments? Name two or more, or a folder of them");
  ComparisonOptions options;
  options.metric = arguments->get<std::string>("metric").value_or(options.metric);
  options.level = *arguments->get<double>("level");
  options.resamples = *arguments->get<int>("resamples");
  const fs::path results = folder_of_old_results(arguments->get<std::string>("out"));
  std::vector<fs::path> places;
  for (const std::string& what : arguments->names)
    places.push_back(results_place(what, results, "compare"));

  const ResultsSet set = load(places);
  const auto pairs =
      during("compare", [&] { return compare_experiments(set.experiments, options); });
  const auto json = arguments->get<std::string>("json");
  const std::string written = json ? json_text(comparison_json(set, pairs, options), 2) + "\n" : "";
  if (json == "-") {
    fmt::print("{}", written);
    return 0;
  }
  const int width = std::clamp(terminal_width(stdout), 40, 120);
  fmt::print("{}", comparison_text(set.experiments, pairs, options, use_colour(stdout), width));
  if (json) {
    save_text(*json, written);
    fmt::print(stderr, "engram: wrote {}\n", *json);
  }
  return 0;
}

}  // namespace engram
