// `engram bench`: measures this machine, then each workload of the suite in a process of its own.
#include "exps/bench.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "exps/bench_data.h"
#include "exps/bench_report.h"
#include "exps/commands/arguments.h"
#include "exps/commands/commands.h"
#include "exps/commands/own_process.h"
#include "exps/commands/stop.h"
#include "utils/error.h"
#include "utils/files.h"
#include "utils/parallel.h"
#include "utils/provenance.h"
#include "utils/sparse_kernels.h"
#include "utils/terminal.h"

namespace engram {
namespace {

namespace po = boost::program_options;
using Clock = std::chrono::steady_clock;

constexpr double kMachineSeconds = 2, kCheckSeconds = 1;

/// Names the workloads from their table.
std::string about() {
  std::string text =
      "Measures training steps and evaluation on this machine, beside its peaks of dense products\n"
      "and of memory. A step is what the training loop does with a batch: gather, zero the\n"
      "gradient, forward and backward, optimiser. Each workload runs in a process of its own.\n"
      "Timings need a quiet machine. Without NAME all workloads:\n";
  for (const Workload& workload : workloads())
    text += fmt::format("\n  {:<20} {}", workload.name, workload.summary);
  return text;
}

po::options_description bench_options() {
  po::options_description options("options");
  auto add = options.add_options();
  add("threads,t", po::value<int>()->value_name("N"), "default: the number of cores");
  add("seconds,s", po::value<double>()->value_name("S")->default_value(3, "3"),
      "measure each workload so long");
  add("data", po::value<std::string>()->value_name("DIR"),
      "folder of data sets with MNIST; without MNIST images are generated");
  add("json", po::value<std::string>()->value_name("FILE"),
      "write the figures as JSON too; '-': to the standard output instead of the table");
  add("names", "names of the workloads only, one a line");
  add("quiet,q", "no progress");
  return options;
}

std::vector<const Workload*> chosen(const std::vector<std::string>& names) {
  std::vector<const Workload*> out;
  if (names.empty())
    for (const Workload& workload : workloads())
      out.push_back(&workload);
  for (const std::string& name : names) {
    const Workload* workload = &find_workload(name);
    if (std::find(out.begin(), out.end(), workload) == out.end()) out.push_back(workload);
  }
  return out;
}

std::string fact(const Facts& facts, std::string_view name) {
  const std::string text = find_fact(facts, name);
  return text.empty() ? "unknown" : text;
}

/// The line at the bottom of the terminal: which part is going on, and how long all will take.
class BenchView {
 public:
  BenchView(std::size_t workloads, double seconds, bool quiet)
      : workloads_(workloads), guess_(1.1 * seconds + 0.5), quiet_(quiet) {}

  void begin(const std::string& what) { what_ = what, begin_ = Clock::now(); }
  void end_workload() { ++done_, spent_ += since_begin(); }
  void show() {
    if (quiet_ || !lines_.visible()) return;
    const double each = done_ > 0 ? spent_ / static_cast<double>(done_) : guess_;
    const double left = static_cast<double>(workloads_ - done_) * each - since_begin();
    lines_.show(fit(fmt::format("{}, about {} left", what_, duration(std::max(1.0, left))),
                    std::max(20, terminal_width(stderr) - 1)));
  }
  void clear() { lines_.clear(); }

 private:
  double since_begin() const {
    return std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  std::size_t workloads_, done_ = 0;
  double guess_, spent_ = 0;
  bool quiet_;
  std::string what_;
  Clock::time_point begin_ = Clock::now();
  LiveLines lines_;
};

/// Fills peaks and rows; false when a stop signal came.
bool measure(const std::vector<const Workload*>& suite, const Dataset& data, double seconds,
             BenchReport& report, BenchView& view) {
  const auto wait = [&] { view.show(); };
  view.begin("measuring the machine");
  const double scale = std::min(1.0, seconds);  // of a bench that is to be over at once
  const auto peaks = from_own_process<MachinePeaks>(
      [&] {
        set_threads(report.threads);
        check_gemm(kCheckSeconds * scale);
        return measure_peaks(report.threads, kMachineSeconds * scale);
      },
      wait);
  if (!peaks) return false;
  report.peaks = *peaks;
  for (std::size_t i = 0; i < suite.size(); ++i) {
    const Workload& workload = *suite[i];
    view.begin(fmt::format("workload {} of {}, {}", i + 1, suite.size(), workload.name));
    const auto measured = during(std::string(workload.name), [&] {
      return from_own_process<Measurement>(
          [&] {
            set_threads(report.threads);
            return measure_workload(workload, data, {.seconds = seconds});
          },
          wait);
    });
    if (!measured) return false;
    report.rows.push_back(
        {std::string(workload.name), workload.kind != Workload::Kind::Evaluate, *measured});
    view.end_workload();
  }
  return true;
}

/// Fills the report; false when a stop signal came.
bool measure_all(const std::vector<const Workload*>& suite, double seconds,
                 const std::optional<std::string>& data_folder, bool quiet, BenchReport& report) {
  const StopSignals caught;
  const Facts facts = collect_provenance();
  report.cpu = fact(facts, "cpu"), report.blas_core = fact(facts, "blas_core");
  report.simd = kernels::simd_target();
  const BenchData data = load_bench_data(
      data_search(data_folder ? std::optional<std::filesystem::path>(*data_folder) : std::nullopt));
  report.data = data.text;
  BenchView view(suite.size(), seconds, quiet);
  const bool complete = measure(suite, data.data, seconds, report, view);
  view.clear();
  return complete;
}

}  // namespace

int bench_command(const Arguments& words) {
  const std::string about_text = about();
  const CommandHelp help{.command = "bench",
                         .usage = "[NAME...] [options]",
                         .about = about_text,
                         .examples =
                             "  engram bench\n"
                             "  engram bench mlp1_sparse mlp2_sparse --threads 1\n"
                             "  engram bench --seconds 10 --json figures.json\n"};
  const auto arguments = parse_arguments(help, bench_options(), words, /*max_names=*/1000);
  if (!arguments) return 0;
  const auto suite = chosen(arguments->names);
  if (arguments->has("names")) {
    for (const Workload* workload : suite)
      fmt::print("{}\n", workload->name);
    return 0;
  }
  BenchReport report;
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  report.threads = arguments->get<int>("threads").value_or(cores);
  if (report.threads < 1 || report.threads > 4096)
    throw Error(Fault::Usage, fmt::format("--threads {}: expected 1 to 4096", report.threads));
  const double seconds = *arguments->get<double>("seconds");
  if (!(seconds > 0 && seconds <= 3600))
    throw Error(Fault::Usage, fmt::format("--seconds {}: expected more than 0 to 3600", seconds));

  const auto folder = arguments->get<std::string>("data");
  if (!measure_all(suite, seconds, folder, arguments->has("quiet"), report)) {
    fmt::print(stderr, "engram: interrupted\n");
    return 128 + stop_signal();
  }
  const auto json = arguments->get<std::string>("json");
  if (json == "-") {
    fmt::print("{}", bench_json(report));
    return 0;
  }
  fmt::print("{}", bench_text(report, use_colour(stdout), terminal_width(stdout)));
  if (json) save_text(*json, bench_json(report));
  return 0;
}

}  // namespace engram
