// The same seed gives the same bits: on any number of threads and processes, and however often the
// run was stopped or killed in between.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/e2e/program.h"
#include "tests/e2e/same_results.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

// Long enough to be stopped in the middle on a fast machine.
constexpr const char* kCfg = R"([DEFAULT]
benchmark = synthetic
stream = permuted
tasks = 3
hidden_units = 700
epochs = 12
lr = 0.05
momentum = 0.9
batch_size = 50
probe_every = 100
probe_size = 20

[long]
sparsify = yes
percent_on_fc = 0.05
boost_strength = 1
receptive_fields = 5
representation_examples = 60
attributions = 2

[wide]
hidden_units = 1500
hidden_layers = 2
epochs = 1
train_limit = 600
batch_size = 100
receptive_fields = 5
representation_examples = 60
attributions = 2

[adam]
sparsify = yes
percent_on_fc = 0.1
weight_sparsity_fc = 0.3
optimizer = adam
lr = 0.001
strategies = l2
epochs = 3

[instructed]
hidden = 300, 300
scenario = task
head = shared
gating = top_down
rule = counter_hebb
counter_hebb.update_noise = 0.1
optimizer = adam
lr = 0.001
epochs = 4

[drawn_signs]
model = simple_net
conv_kernel = 3
rule = brsf
train_limit = 500
epochs = 4

[direct]
hidden = 400, 400
rule = direct_feedback
gating = xdg
scenario = task
head = per_task
epochs = 4

[predictive_forward]
model = pff
rule = pff
hidden_units = 200
pff.steps = 4
optimizer = adam
lr = 0.001
epsilon_at = moment
clip = 1
train_limit = 500
epochs = 4

[products]
inherits = predictive_forward
tasks = 1
hidden_units = 50
pff.generative = no
batch_size = 250
epochs = 100

[forward]
model = ff
rule = ff
hidden = 400, 400
decoupled_decay = yes
epochs = 4
)";

class SameBits : public ::testing::Test {
 protected:
  Program engram{kCfg};

  fs::path results(const std::string& label, int seed = 0) const {
    return engram / (label + "/seed-" + std::to_string(seed) + ".h5");
  }
  fs::path checkpoint(const std::string& label, int seed = 0) const {
    return engram / (label + "/seed-" + std::to_string(seed) + ".checkpoint.h5");
  }
  std::vector<std::string> run(const std::string& experiment, const std::string& label,
                               const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"run", experiment, "--out", ".", "--name", label};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(SameBits, ForAnyNumberOfThreads) {
  for (const std::string threads : {"1", "2", "4"})
    ASSERT_EQ(engram(run("wide", "t" + threads, {"--threads", threads})).code, 0);
  expect_same_results(results("t1"), results("t2"));
  expect_same_results(results("t1"), results("t4"));
}

TEST_F(SameBits, ForAnyNumberOfProcesses) {
  for (const std::string jobs : {"1", "2"})
    ASSERT_EQ(engram(run("adam", "j" + jobs, {"--jobs", jobs, "--seeds", "0..2"})).code, 0);
  for (int seed = 0; seed < 3; ++seed)
    expect_same_results(results("j1", seed), results("j2", seed));
}

TEST_F(SameBits, AfterCtrlCAndResume) {
  ASSERT_EQ(engram(run("long", "whole")).code, 0);
  Process going = engram.start(run("long", "stopped"));
  ASSERT_TRUE(going.wait_until([&] { return fs::exists(results("stopped")); }));
  going.signal(SIGINT);
  const Said said = going.wait();
  ASSERT_EQ(said.code, 130) << said.err;
  EXPECT_NE(said.err.find("the same command goes on"), std::string::npos) << said.err;
  EXPECT_EQ(said.out, "");
  EXPECT_TRUE(fs::exists(checkpoint("stopped")));
  const Said resumed = engram(run("long", "stopped", {"--resume"}));
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("resumed"), std::string::npos) << resumed.err;
  EXPECT_FALSE(fs::exists(checkpoint("stopped")));
  expect_same_results(results("whole"), results("stopped"));
}

TEST_F(SameBits, AfterStoppingTwoProcessesAtOnce) {
  ASSERT_EQ(engram(run("long", "whole", {"--seeds", "0,1", "--jobs", "2"})).code, 0);
  const auto words = run("long", "stopped", {"--seeds", "0,1", "--jobs", "2"});
  // A terminal signals the whole group, `kill` and a job queue the parent alone.
  for (const bool whole_group : {true, false}) {
    Process going = engram.start(words);
    ASSERT_TRUE(going.wait_until(
        [&] { return fs::exists(results("stopped", 0)) && fs::exists(results("stopped", 1)); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    whole_group ? going.signal_group(SIGINT) : going.signal(SIGTERM);
    const Said said = going.wait();
    ASSERT_EQ(said.code, whole_group ? 130 : 143) << said.err;
  }
  ASSERT_EQ(engram(words).code, 0);
  for (int seed = 0; seed < 2; ++seed)
    expect_same_results(results("whole", seed), results("stopped", seed));
}

// Most of this run is spent in products, in which the stack pointer may stand on the heap.
TEST_F(SameBits, AfterBeingStoppedAmidProductsAgainAndAgain) {
  ASSERT_EQ(engram(run("products", "whole")).code, 0);
  const auto words = run("products", "stopped");
  int stopped = 0;
  for (int i = 0; i < 6; ++i) {
    Process going = engram.start(words);
    ASSERT_TRUE(going.wait_until([&] { return fs::exists(results("stopped")); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(150 + 10 * i));
    going.signal(SIGTERM);
    const Said said = going.wait();
    ASSERT_TRUE(said.code == 143 || said.code == 0) << said.code << ": " << said.err;
    stopped += said.code == 143;
  }
  EXPECT_GT(stopped, 0);
  ASSERT_EQ(engram(words).code, 0);
  expect_same_results(results("whole"), results("stopped"));
}

TEST_F(SameBits, AfterKillAndResume) {
  ASSERT_EQ(engram(run("long", "whole")).code, 0);
  for (const std::string jobs : {"1", "2"}) {
    const std::string label = "killed" + jobs;
    const auto words =
        run("long", label, {"--checkpoint", "0.05", "--seeds", "0,1", "--jobs", jobs});
    Process going = engram.start(words);
    ASSERT_TRUE(going.wait_until([&] { return fs::exists(checkpoint(label)); }));
    going.signal(SIGKILL);
    EXPECT_EQ(going.wait().code, 128 + SIGKILL);
    const Said resumed = engram(words);
    ASSERT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_NE(resumed.err.find("long seed 0: resumed"), std::string::npos) << resumed.err;
    expect_same_results(results("whole"), results(label));
  }
}

TEST_F(SameBits, AfterOneOfTwoProcessesWasKilledAndTheOtherWentOn) {
  ASSERT_EQ(engram(run("long", "whole", {"--seeds", "0,1", "--jobs", "2"})).code, 0);
  const auto words =
      run("long", "killed", {"--seeds", "0,1", "--jobs", "2", "--checkpoint", "0.05"});
  Process going = engram.start(words);
  ASSERT_TRUE(going.wait_until(
      [&] { return fs::exists(checkpoint("killed", 0)) && fs::exists(checkpoint("killed", 1)); }));
  const auto children = going.children();
  ASSERT_EQ(children.size(), 2u);
  ::kill(children[1], SIGKILL);
  const Said said = going.wait();
  EXPECT_EQ(said.code, 70);
  for (const char* part : {"long (seed 1): the process ended without a word (Killed)",
                           "Use fewer --jobs", "the same command goes on from the last checkpoint"})
    EXPECT_NE(said.err.find(part), std::string::npos) << said.err;
  expect_same_results(results("whole", 0), results("killed", 0));
  const Said resumed = engram(words);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  expect_same_results(results("whole", 1), results("killed", 1));
}

TEST_F(SameBits, OfRulesWithFeedbackAndOfGatesAfterKillAndResumeOnOtherThreads) {
  for (const std::string experiment :
       {"instructed", "drawn_signs", "direct", "predictive_forward", "forward"}) {
    ASSERT_EQ(engram(run(experiment, experiment + "_whole")).code, 0);
    const std::string label = experiment + "_killed";
    auto words = run(experiment, label, {"--checkpoint", "0.02", "--threads", "2"});
    Process going = engram.start(words);
    ASSERT_TRUE(going.wait_until([&] { return fs::exists(checkpoint(label)); })) << experiment;
    going.signal(SIGKILL);
    going.wait();
    const Said resumed = engram(words);
    ASSERT_EQ(resumed.code, 0) << resumed.err;
    EXPECT_NE(resumed.err.find(experiment + " seed 0: resumed"), std::string::npos) << resumed.err;
    expect_same_results(results(experiment + "_whole"), results(label));
  }
}

TEST_F(SameBits, AfterForceWasStoppedTheRestIsAsItWas) {
  const auto words = run("long", "again", {"--seeds", "0,1", "--jobs", "1"});
  ASSERT_EQ(engram(words).code, 0);
  const auto before = fs::last_write_time(results("again", 1));
  auto forced = words;
  forced.push_back("--force");
  Process going = engram.start(forced);
  ASSERT_TRUE(going.wait_until([&] { return !peek_results(results("again", 0))->complete; }));
  going.signal(SIGINT);
  const Said said = going.wait();
  ASSERT_EQ(said.code, 130) << said.err;
  EXPECT_NE(said.err.find("without --force goes on with what had begun"), std::string::npos)
      << said.err;
  const Said rest = engram(words);
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_NE(rest.err.find("long seed 0: resumed"), std::string::npos) << rest.err;
  EXPECT_NE(rest.err.find("long seed 1: complete, not repeated"), std::string::npos) << rest.err;
  EXPECT_EQ(fs::last_write_time(results("again", 1)), before);
}

TEST_F(SameBits, AfterForceOverOtherSettingsWasStoppedItIsSaidHowToGoOn) {
  ASSERT_EQ(engram(run("long", "over", {"--seeds", "0,1", "--set", "epochs=1"})).code, 0);
  auto words = run("long", "over", {"--jobs", "1", "--seeds", "0,1"});
  auto forced = words;
  forced.push_back("--force");
  Process going = engram.start(forced);
  ASSERT_TRUE(going.wait_until([&] { return !peek_results(results("over", 0))->complete; }));
  going.signal(SIGINT);
  const Said said = going.wait();
  ASSERT_EQ(said.code, 130) << said.err;
  EXPECT_NE(said.err.find("leave out the names and seeds of which results of other settings are"),
            std::string::npos)
      << said.err;
  EXPECT_EQ(engram(words).code, 78);
  words.back() = "0";
  const Said rest = engram(words);
  ASSERT_EQ(rest.code, 0) << rest.err;
  EXPECT_NE(rest.err.find("long seed 0: resumed"), std::string::npos) << rest.err;
}

TEST_F(SameBits, ASweepGoesOnWhereAPlainRunOfItsPointBegan) {
  Process going = engram.start({"run", "long", "--out", "o", "--checkpoint", "0.02"});
  ASSERT_TRUE(going.wait_until([&] { return fs::exists(engram / "o/long/seed-0.checkpoint.h5"); }));
  going.signal(SIGKILL);
  going.wait();
  const Said said = engram({"sweep", "long", "--grid", "lr=0.05,0.04", "--out", "o", "--dry-run"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_NE(said.out.find("o/long\n"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("o/long~"), std::string::npos) << said.out;
}

}  // namespace
}  // namespace engram
