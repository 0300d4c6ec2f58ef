#include "exps/analysis/results_set.h"

#include <gtest/gtest.h>

#include "exps/analysis/results_json.h"
#include "exps/results_file.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

constexpr auto kChaudhry = ForgettingDefinition::Chaudhry;

void save(const fs::path& file, const RunRecord& run) {
  fs::create_directories(file.parent_path());
  save_results(file, run, kChaudhry);
}
ResultsSet load(const std::vector<fs::path>& paths) {
  return load_results_set(paths);
}

TEST(ResultsSet, PutsTheRunsOfAConfigurationTogetherBySeed) {
  const TempFolder folder;
  for (const std::uint64_t seed : {10, 2, 0})
    save(folder / ("naive/seed-" + std::to_string(seed) + ".h5"), sample_run("naive", 3, seed));
  save(folder / "er~0a1b/seed-1.h5", sample_run("er", 3, 1));
  const ResultsSet set = load({folder.path()});
  ASSERT_EQ(set.experiments.size(), 2u);
  EXPECT_EQ(set.experiments[0].label, "er~0a1b");
  EXPECT_EQ(set.experiments[1].label, "naive");
  ASSERT_EQ(set.experiments[1].runs.size(), 3u);
  EXPECT_EQ(set.experiments[1].runs[1].seed, 2u);
  EXPECT_EQ(set.experiments[1].files[2].filename(), "seed-10.h5");
  EXPECT_TRUE(set.skipped.empty());
}

TEST(ResultsSet, KeepsConfigurationsApartThatShareAFolderOrAName) {
  const TempFolder folder;
  save(folder / "a/x/seed-0.h5", sample_run("x", 3, 0));
  RunRecord other = sample_run("x", 3, 0);
  other.config_text += "lr = 7\n";
  save(folder / "a/x/seed-1.h5", other);
  save(folder / "b/x/seed-0.h5", sample_run("x", 3, 0));
  const ResultsSet set = load({folder.path()});
  ASSERT_EQ(set.experiments.size(), 3u);
  EXPECT_EQ(set.experiments[0].label, "x #1");
  EXPECT_EQ(set.experiments[2].label, "x #3");
}

TEST(ResultsSet, NamesWhatItLeavesOut) {
  const TempFolder folder;
  save(folder / "x/seed-0.h5", sample_run("x", 3, 0));
  RunRecord going_on = sample_run("x", 3, 1);
  going_on.complete = false;
  save(folder / "x/seed-1.h5", going_on);
  save(folder / "x/copy-of-0.h5", sample_run("x", 3, 0));
  folder.write("x/foreign.h5", "accuracy,1\n");
  folder.write("x/seed-9.checkpoint.h5", "not for us");
  folder.write("x/notes.txt", "nor this");
  const std::string whole = TempFolder::read(folder / "x/seed-0.h5");
  folder.write("x/truncated.h5", whole.substr(0, whole.size() / 2));
  const ResultsSet set = load({folder.path()});
  ASSERT_EQ(set.experiments.size(), 1u);
  EXPECT_EQ(set.experiments[0].runs.size(), 1u);
  std::map<std::string, std::string> reasons;
  for (const SkippedFile& s : set.skipped) {
    reasons[s.file.filename().string()] = s.reason;
    EXPECT_EQ(s.unfinished, s.file.filename() == "seed-1.h5");
  }
  ASSERT_EQ(reasons.size(), 4u);
  EXPECT_NE(reasons["foreign.h5"].find("not an HDF5 file"), std::string::npos);
  EXPECT_NE(reasons["seed-1.h5"].find("not complete"), std::string::npos);
  EXPECT_NE(reasons["seed-0.h5"].find("a second file of seed 0"), std::string::npos);
  EXPECT_FALSE(reasons["truncated.h5"].empty());
}

TEST(ResultsSet, ReadsAFileOnceHoweverItIsNamed) {
  const TempFolder folder;
  save(folder / "x/seed-0.h5", sample_run("x", 3, 0));
  std::size_t calls = 0;
  const std::vector<fs::path> twice{folder / "x/seed-0.h5", folder.path(), folder / "x/../x"};
  const ResultsSet set = load_results_set(twice, [&](std::size_t done, std::size_t all) {
    EXPECT_EQ(done, ++calls);
    EXPECT_EQ(all, 1u);
  });
  EXPECT_EQ(calls, 1u);
  EXPECT_TRUE(set.skipped.empty());
}

TEST(ResultsSet, SaysWhyNothingIsLeft) {
  const TempFolder folder;
  EXPECT_THROW(load({folder / "none"}), Error);
  EXPECT_THROW(load({folder.path()}), Error);
  folder.write("x/foreign.h5", "accuracy,1\n");
  try {
    load({folder.path()});
    FAIL() << "there was nothing to read";
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::MissingInput);
    EXPECT_NE(std::string(e.what()).find("foreign.h5"), std::string::npos) << e.what();
  }
  EXPECT_EQ(read_results_set(std::vector{folder.path()}).skipped.size(), 1u);
}

TEST(ResultsJson, HoldsTheNumbersOfTheRuns) {
  const TempFolder folder;
  const RunRecord run = sample_run("x", 3, 4);
  save(folder / "x/seed-4.h5", run);
  const auto json = nlohmann::json::parse(results_json(load({folder.path()})).dump());
  const auto& e = json.at("experiments").at(0);
  EXPECT_EQ(e.at("label"), "x");
  EXPECT_EQ(e.at("tasks").size(), 3u);
  EXPECT_EQ(e.at("config").at("tasks"), "3");
  const auto& r = e.at("runs").at(0);
  EXPECT_EQ(r.at("seed"), 4u);
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 3; ++j)
      if (std::isnan(run.accuracy(i, j)))
        EXPECT_TRUE(r.at("accuracy")[i][j].is_null());
      else
        EXPECT_EQ(r.at("accuracy")[i][j].get<double>(), run.accuracy(i, j));
  EXPECT_EQ(r.at("train_macs").at("executed"), 6e9);
  EXPECT_EQ(r.at("steps").size(), 3u);
  EXPECT_EQ(r.at("layers")[0].at("usage_final").size(), 3u);
  EXPECT_EQ(r.at("layers")[0].at("overlap_final")[0][0], 1);
  EXPECT_EQ(e.at("metrics")[0].at("name"), "average_accuracy");
  EXPECT_EQ(e.at("metrics")[0].at("n"), 1);
}

TEST(ResultsJson, ThinsOutStepsFromTheFirstToTheLast) {
  const TempFolder folder;
  save(folder / "x/seed-0.h5", sample_run("x", 40, 0, 0.01));
  const auto json = results_json(load({folder.path()}), {.most_steps = 5, .usage = false});
  const auto& run = json.at("experiments")[0].at("runs")[0];
  ASSERT_EQ(run.at("steps").size(), 5u);
  EXPECT_EQ(run.at("steps")[0].at("step"), 100);
  EXPECT_EQ(run.at("steps")[4].at("step"), 4000);
  EXPECT_FALSE(run.at("layers")[0].contains("usage_final"));
}

TEST(ResultsSet, KeepsRunsOverOtherDataApart) {
  const TempFolder folder;
  for (const std::uint64_t seed : {0, 1, 2}) {
    RunRecord run = sample_run("x", 3, seed);
    run.provenance.emplace_back("data_sha256", seed == 1 ? "0123" : "4567");
    save(folder / ("x/seed-" + std::to_string(seed) + ".h5"), run);
  }
  const ResultsSet set = load({folder.path()});
  ASSERT_EQ(set.experiments.size(), 2u);
  EXPECT_EQ(set.experiments[0].runs.size() + set.experiments[1].runs.size(), 3u);
  EXPECT_NE(set.experiments[0].runs.size(), set.experiments[1].runs.size());
}

TEST(ResultsSet, WeightsAreNoResults) {
  const TempFolder folder;
  save(folder / "x/seed-0.h5", sample_run("x", 3, 0));
  folder.write("x/seed-0.weights.h5", "weights");
  EXPECT_TRUE(load({folder.path()}).skipped.empty());
}

TEST(ResultsSet, ThinsTheStepsOfAllRunsAlike) {
  std::vector<RunRecord> runs;
  for (const std::size_t rows : {100u, 101u, 99u}) {
    RunRecord run = sample_run("x", 3, rows);
    run.steps.assign(rows, run.steps.front());
    for (std::size_t i = 0; i < rows; ++i)
      run.steps[i].step = static_cast<std::int64_t>(10 * i);
    runs.push_back(run);
  }
  const auto json = results_json(ResultsSet{{{"x", "x", runs, {}}}, {}}, {.most_steps = 25});
  for (const auto& run : json["experiments"][0]["runs"]) {
    const auto& steps = run["steps"];
    EXPECT_LE(steps.size(), 26u);
    for (std::size_t i = 0; i + 1 < steps.size(); ++i)
      EXPECT_EQ(steps[i]["step"], 50 * i);
  }
}

}  // namespace
}  // namespace engram
