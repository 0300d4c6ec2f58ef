// What the commands that train have in common: their options, and the data sets that they load.
#pragma once

#include <map>
#include <string>

#include "benchmarks/catalog.h"
#include "exps/commands/arguments.h"
#include "exps/commands/run_jobs.h"
#include "exps/experiment.h"

namespace engram {

/// --jobs, --threads, --out, --exps, --data, --checkpoint and --quiet.
void add_job_options(boost::program_options::options_description& options);
/// What they say. Error(Usage) for numbers that make no sense.
JobOptions job_options(const ParsedArguments& arguments);

/// Where --data, or what stands for it, says that data sets are.
DataSearch search_of(const ParsedArguments& arguments);

/// Names the data that a run learns from, however the settings spell it: runs of one name can be
/// compared if they had the same content. "" where an agent acts.
std::string data_name(const Settings& settings);

/// The data sets that runs need, each loaded when it is first asked for.
class LoadedData {
 public:
  explicit LoadedData(DataSearch search) : search_(std::move(search)) {}
  /// An empty one where an agent acts. Error(MissingInput) when it cannot be found.
  const Dataset& of(const Settings& settings);

 private:
  DataSearch search_;
  std::map<std::string, Dataset> loaded_;
};

}  // namespace engram
