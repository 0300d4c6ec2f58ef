#include "exps/commands/job_arguments.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "benchmarks/own/own_data.h"
#include "utils/error.h"

namespace engram {
namespace {

namespace po = boost::program_options;

int positive(const ParsedArguments& arguments, const char* option, int otherwise) {
  const int value = arguments.get<int>(option).value_or(otherwise);
  if (value < 1 || value > 4096)
    throw Error(Fault::Usage, fmt::format("--{} {}: expected 1 to 4096", option, value));
  return value;
}

}  // namespace

void add_job_options(po::options_description& options) {
  auto add = options.add_options();
  add("jobs,j", po::value<int>()->value_name("N"),
      "runs side by side, one process each; default: cores / threads");
  add("threads,t", po::value<int>()->value_name("N"),
      "threads inside each run, which change no bit of the result; default 1");
  add("out,o", po::value<std::string>()->value_name("DIR"),
      "where results go; default: results/ of the checkout");
  add("exps", po::value<std::string>()->value_name("DIR"),
      "folder of experiments; default: $ENGRAM_EXPS, or exps/");
  add("data", po::value<std::string>()->value_name("DIR"),
      "folder of data sets; default: $ENGRAM_DATA, data/, and the system's");
  add("checkpoint", po::value<double>()->value_name("SECONDS")->default_value(30, "30"),
      "save a checkpoint about this often, large ones as often as a twentieth of the time "
      "allows: a kill loses at most so much work");
  add("quiet,q", "no progress");
}

JobOptions job_options(const ParsedArguments& arguments) {
  const int threads = positive(arguments, "threads", 1);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  return {.jobs = positive(arguments, "jobs", std::max(1, cores / threads)),
          .threads = threads,
          .checkpoint_seconds = *arguments.get<double>("checkpoint"),
          .quiet = arguments.has("quiet")};
}

DataSearch search_of(const ParsedArguments& arguments) {
  const auto folder = arguments.get<std::string>("data");
  return data_search(folder ? std::optional<std::filesystem::path>(*folder) : std::nullopt);
}

std::string data_name(const Settings& settings) {
  const StreamOptions& s = settings.stream;
  if (settings.acts()) return "";
  if (s.benchmark == kOwnData) return fmt::format("{} {}", name_of(s.image_layout), s.data_path);
  return std::string(dataset_entry(s.benchmark).name);
}

const Dataset& LoadedData::of(const Settings& settings) {
  const StreamOptions& s = settings.stream;
  const std::string name = data_name(settings);
  const auto known = loaded_.find(name);
  if (known != loaded_.end()) return known->second;
  return loaded_.emplace(name, settings.acts() ? Dataset{} : load_benchmark(s, search_))
      .first->second;
}

}  // namespace engram
