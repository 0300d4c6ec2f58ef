// Agents through the real program: run, list, report, export, and what a Ctrl-C leaves.
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/e2e/program.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBoids = R"([DEFAULT]
benchmark = flock
regimes = mixed, separation
bodies = 6
steps_per_regime = 3000
evaluate_every = 1000
test_episodes = 6
film_frames = 2
hidden_units = 8
dropout = 0
optimizer = adam
decoupled_decay = yes
lr = 0.002

[boids]
about = boids that imitate
agent = imitation
imitation.batch = 16

[boids_dqn]
about = boids that learn from rewards
agent = dqn
dqn.batch = 16
dqn.train_every = 6

[wrong]
about = epochs are not for agents
inherits = boids
epochs = 3
)";

class Agents : public ::testing::Test {
 protected:
  Program engram{kBoids};
};

TEST_F(Agents, RunReportAndExport) {
  const Said said = engram({"run", "boids", "boids_dqn", "--seeds", "0,1", "--jobs", "2"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.out, "score, %")) << said.out;
  EXPECT_TRUE(contains(said.out, "polarisation")) << said.out;
  EXPECT_TRUE(fs::exists(engram / "results/report.html"));
  const RunRecord run = load_results(engram / "results/boids/seed-1.h5");
  EXPECT_TRUE(run.complete);
  EXPECT_GT(run.accuracy(1, 0), 0.5);

  const Said table =
      engram({"export", "results", "--format", "csv", "--table", "returns", "-o", "-"});
  ASSERT_EQ(table.code, 0) << table.err;
  EXPECT_TRUE(contains(table.out, "boids,0,expert,,mixed,return,")) << table.out.substr(0, 400);
  for (const char* format : {"csv", "json", "npz", "latex"}) {
    const Said exported = engram({"export", "results", "--format", format, "-o", "out"});
    EXPECT_EQ(exported.code, 0) << format << ": " << exported.err;
    fs::remove_all(engram / "out");
  }
  const Said compared = engram({"compare", "boids", "boids_dqn"});
  EXPECT_EQ(compared.code, 0) << compared.err;
  EXPECT_TRUE(contains(compared.out, "score")) << compared.out;
}

TEST_F(Agents, AreListedAndShown) {
  EXPECT_TRUE(contains(engram({"list", "agents"}).out, "imitation"));
  EXPECT_TRUE(contains(engram({"list", "agents", "dqn"}).out, "dqn.gamma"));
  EXPECT_TRUE(contains(engram({"list", "benchmarks"}).out, "drive"));
  EXPECT_TRUE(contains(engram({"list", "flock"}).out, "separation"));
  EXPECT_TRUE(contains(engram({"show", "boids"}).out, "steps_per_regime = 3000"));
  EXPECT_TRUE(contains(engram({"run", "boids", "--dry-run"}).out, "parameters"));
  const Said wrong = engram({"show", "wrong"});
  EXPECT_EQ(wrong.code, 78);
  EXPECT_TRUE(contains(wrong.err, "steps_per_regime")) << wrong.err;
}

TEST_F(Agents, AnInterruptedRunGoesOnToTheSameBits) {
  ASSERT_EQ(engram({"run", "boids", "--name", "whole", "--no-report"}).code, 0);
  auto process = engram.start({"run", "boids", "--name", "two", "--no-report", "--jobs", "1"});
  const fs::path results = engram / "results/two/seed-0.h5";
  ASSERT_TRUE(process.wait_until([&] { return fs::exists(results); }));
  process.signal(SIGINT);
  const Said said = process.wait();
  EXPECT_EQ(said.code, 130) << said.err;
  EXPECT_TRUE(fs::exists(engram / "results/two/seed-0.checkpoint.h5"));
  ASSERT_EQ(engram({"run", "boids", "--name", "two", "--no-report"}).code, 0);
  const RunRecord whole = load_results(engram / "results/whole/seed-0.h5");
  const RunRecord two = load_results(results);
  EXPECT_EQ(whole.accuracy, two.accuracy);
  EXPECT_EQ(whole.returns->returns, two.returns->returns);
}

}  // namespace
}  // namespace engram
