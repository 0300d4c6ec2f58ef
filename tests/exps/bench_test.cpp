// The suite of `engram bench`: what it holds, that everything in it runs, and what is reported. How
// long anything takes is not for tests to say.
#include "exps/bench.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exps/bench_data.h"
#include "exps/bench_report.h"
#include "exps/machine_peaks.h"
#include "tests/utils/error_of.h"
#include "utils/terminal.h"

namespace engram {
namespace {

const Dataset& few_images() {
  static const Dataset images = generated_images(512, 40);
  return images;
}

/// "key = value" lines but for what a measurement may choose itself.
std::set<std::string> settings_that_matter(const Config& config) {
  std::set<std::string> out;
  std::istringstream lines(config.resolved_text());
  for (std::string line; std::getline(lines, line);)
    if (!line.starts_with("epochs ") && !line.starts_with("tasks ")) out.insert(line);
  return out;
}

TEST(Bench, NamesAreUniqueAndSettingsAreValid) {
  std::set<std::string_view> names;
  for (const Workload& workload : workloads()) {
    EXPECT_TRUE(names.insert(workload.name).second) << workload.name;
    EXPECT_FALSE(workload.summary.empty());
    EXPECT_NO_THROW(workload_settings(workload)) << workload.name;
  }
}

TEST(Bench, TakesItsSparseNetworksFromTheExperiments) {
  const ExperimentBook book = ExperimentBook::load(ENGRAM_SOURCE_DIR "/exps");
  for (const std::string name : {"mlp1_sparse", "mlp2_sparse"}) {
    const Settings ours = workload_settings(find_workload(name));
    const Settings theirs = read_settings("perm_" + name, book.resolve("perm_" + name));
    EXPECT_EQ(settings_that_matter(ours.config), settings_that_matter(theirs.config)) << name;
  }
}

TEST(Bench, NamesTheNearestWorkload) {
  EXPECT_SAYS(error_of([] { find_workload("mlp1_spars"); }, Fault::Usage),
              "did you mean 'mlp1_sparse'?");
}

// Takes seconds: the networks are those of the suite. The larger of the two convolutional ones has
// every layer of the other, which is left out.
TEST(Bench, RunsEveryWorkload) {
  for (const Workload& workload : workloads()) {
    if (workload.name == "cnn_dense") continue;
    SCOPED_TRACE(workload.name);
    const int steps = workload.name.starts_with("cnn") ? 1 : 2;  // beside one to warm up
    const Measurement m =
        measure_workload(workload, few_images(), {.seconds = 1e-6, .least_steps = steps});
    EXPECT_GE(m.steps, steps);
    const bool tests = workload.kind == Workload::Kind::Evaluate;
    EXPECT_EQ(m.batch, tests ? 40 : workload_settings(workload).learner.batch_size);
    EXPECT_GT(m.step_ms, 0);
    EXPECT_GE(m.step_ms, m.step_ms_best);
    EXPECT_GE(m.step_ms_iqr, 0);
    EXPECT_GT(m.executed_macs, 0);
    EXPECT_GE(m.dense_macs, m.executed_macs);
    EXPECT_GT(m.parameters, 0);
    EXPECT_GT(m.peak_rss_bytes, 0);
  }
}

TEST(Bench, EndsWhenAskedToStop) {
  const std::atomic<bool> stop = true;
  const Measurement m =
      measure_workload(find_workload("online"), few_images(), {.seconds = 1000, .stop = &stop});
  EXPECT_EQ(m.steps, 0);
}

TEST(Bench, GeneratedImagesAreAsSparseAsDigits) {
  const auto& pixels = few_images().train->pixels;
  const auto zeros = static_cast<double>(std::count(pixels.begin(), pixels.end(), 0));
  EXPECT_NEAR(zeros / static_cast<double>(pixels.size()), 0.81, 0.01);
}

TEST(Bench, WinnersAreTheActiveSetAndNothingElse) {
  const auto signals = winner_signals(2, 3, 50, 7);
  for (const Signal& signal : signals)
    for (int i = 0; i < 3; ++i) {
      const auto row = signal.active.row(i);
      EXPECT_EQ(row.size(), 7u);
      EXPECT_TRUE(std::is_sorted(row.begin(), row.end()));
      for (int unit = 0; unit < 50; ++unit)
        EXPECT_EQ(signal.value().row(i)[unit] != 0,
                  std::binary_search(row.begin(), row.end(), unit));
    }
}

TEST(Bench, InterpolatesQuantiles) {
  const std::vector<double> sorted{1, 2, 4};
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.5), 2);
  EXPECT_DOUBLE_EQ(quantile(sorted, 0.75), 3);
  EXPECT_DOUBLE_EQ(quantile(sorted, 1), 4);
  EXPECT_DOUBLE_EQ(quantile(std::vector<double>{5}, 0.25), 5);
}

TEST(Bench, FindsThisMachinesProductsRight) {
  EXPECT_NO_THROW(check_gemm(0));
}

/// Round numbers: 1 ms steps on a machine of 100 GFLOP/s and 10 GB/s.
BenchReport sample_report() {
  BenchReport report;
  report.cpu = "abacus", report.blas_core = "Haswell", report.simd = "AVX2", report.data = "mnist";
  report.threads = 2;
  report.peaks = {50, 100, 8, 10};
  Measurement m;
  m.step_ms = 1, m.step_ms_best = 0.9, m.step_ms_iqr = 0.1, m.steps = 7, m.batch = 128;
  m.executed_macs = 1e6, m.dense_macs = 1e7, m.parameters = 1e6 / sizeof(real);
  m.peak_rss_bytes = 5e7;
  report.rows.push_back({"hidden_2048", true, m});
  m.step_ms = 2;
  report.rows.push_back({"hidden_4096", false, m});
  return report;
}

TEST(Bench, ReportsSharesOfTheMachinesPeaks) {
  const BenchReport report = sample_report();
  EXPECT_DOUBLE_EQ(report.peak_fraction(report.rows[0]), 0.2);  // 1e10 multiply-adds a second
  EXPECT_DOUBLE_EQ(report.executed_peak_fraction(report.rows[0]), 0.02);
  EXPECT_DOUBLE_EQ(report.sweep_share(report.rows[0]), 0.2);   // 1 MB read and written in 1 ms
  EXPECT_DOUBLE_EQ(report.sweep_share(report.rows[1]), 0.05);  // 1 MB read in 2 ms
  EXPECT_DOUBLE_EQ(report.hidden_ratio(), 2);
}

TEST(Bench, WritesJson) {
  const auto json = nlohmann::json::parse(bench_json(sample_report()));
  EXPECT_EQ(json.at("cpu"), "abacus");
  EXPECT_EQ(json.at("threads"), 2);
  EXPECT_EQ(json.at("hidden_ratio"), 2.0);
  ASSERT_EQ(json.at("workloads").size(), 2u);
  EXPECT_EQ(json.at("workloads")[0].at("name"), "hidden_2048");
  EXPECT_EQ(json.at("workloads")[0].at("steps"), 7);
  for (const auto& [key, value] : json.at("workloads")[1].items()) {
    if (key == "name") continue;
    EXPECT_TRUE(value.is_number()) << key;
    EXPECT_GT(value.get<double>(), 0) << key;
  }
}

TEST(Bench, LeavesColumnsOutOnANarrowTerminal) {
  const BenchReport report = sample_report();
  const std::string wide = bench_text(report, false, 200), narrow = bench_text(report, false, 60);
  EXPECT_NE(wide.find("sweep"), std::string::npos);
  EXPECT_EQ(narrow.find("sweep"), std::string::npos);
  EXPECT_NE(narrow.find("step ms"), std::string::npos);
  EXPECT_EQ(wide.find("\033"), std::string::npos);
  std::istringstream lines(narrow);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("hidden_2048") || line.starts_with("workload ")) {
      EXPECT_LE(columns(line), 60) << line;
    }
}

}  // namespace
}  // namespace engram
