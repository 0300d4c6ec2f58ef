// `engram sweep` from outside: points are ordinary runs, nothing that is finished runs again, and a
// choice is made by what it says, and by nothing else.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exps/run.h"
#include "tests/e2e/program.h"
#include "tests/e2e/same_results.h"
#include "tests/e2e/tiny_cfg.h"
#include "utils/file_lock.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

const std::string kCfg = std::string(kTinyCfg) + R"(
[swept]
inherits = tiny
tasks = 4
grid.lr = 0.1, 0.001
grid.momentum = 0, 0.5

# Long enough for the larger rate to win by whatever it is judged.
[other]
inherits = swept
grid.momentum =
epochs = 6

[slow]
inherits = swept
hidden_units = 400
epochs = 4
train_limit = 0

[explodes]
inherits = tiny
grid.lr = 0.1, 1e30

[hopeless]
inherits = tiny
grid.lr = 1e30

[keeps]
inherits = tiny
keep_weights = yes

[acts]
benchmark = flock
agent = random

[misspelt]
inherits = tiny
grid.momentumm = 0, 1

[useless]
inherits = tiny
grid.dqn.batch = 8, 16
)";

class Sweep : public ::testing::Test {
 protected:
  Program engram{kCfg};

  /// Files that end so below a folder, with the time of their last change.
  std::map<std::string, fs::file_time_type> files(const std::string& folder,
                                                  const std::string& ending = ".h5") const {
    std::map<std::string, fs::file_time_type> out;
    if (!fs::exists(engram / folder)) return out;
    for (const auto& entry : fs::recursive_directory_iterator(engram / folder))
      if (entry.is_regular_file() && entry.path().string().ends_with(ending) &&
          !entry.path().string().ends_with(".checkpoint.h5"))
        out[fs::relative(entry.path(), engram / folder).string()] = entry.last_write_time();
    return out;
  }
  std::size_t complete(const std::string& folder) const {
    std::size_t count = 0;
    for (const auto& [name, time] : files(folder)) {
      const auto head = peek_results(engram / (folder + "/" + name));
      count += head && head->complete;
    }
    return count;
  }
  Said sweep(Words words) const {
    words.insert(words.begin(), "sweep");
    return engram_(words);
  }

 private:
  Said engram_(const Words& words) const { return const_cast<Program&>(engram)(words); }
};

TEST_F(Sweep, RunsEveryPointWithEverySeedAndMarksTheBest) {
  const Said said = sweep({"swept", "--seeds", "0,1", "--out", "o", "--json", "points.json"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(complete("o"), 8u);
  EXPECT_TRUE(contains(said.out, "4 points, seeds 0 1")) << said.out;
  EXPECT_TRUE(contains(said.out, "\nbest  0.1 ")) << said.out;
  EXPECT_TRUE(contains(said.out, "tuned on test")) << said.out;
  const auto json = nlohmann::json::parse(TempFolder::read(engram / "points.json"));
  const auto& one = json["experiments"][0];
  ASSERT_EQ(one["points"].size(), 4u);
  EXPECT_EQ(one["points"][1]["settings"]["lr"], "0.1");
  EXPECT_EQ(one["points"][1]["settings"]["momentum"], "0.5");
  EXPECT_EQ(one["points"][1]["scores"].size(), 2u);
}

TEST_F(Sweep, KilledAndResumedGivesTheSameFilesAndRepeatsNothing) {
  const Words words{"slow", "--out", "killed", "--jobs", "2", "--checkpoint", "0.05"};
  ASSERT_EQ(sweep({"slow", "--out", "whole", "--jobs", "2"}).code, 0);
  Words start = words;
  start.insert(start.begin(), "sweep");
  Process going = engram.start(start);
  ASSERT_TRUE(going.wait_until([&] { return complete("killed") >= 1; }));
  going.signal(SIGKILL);
  EXPECT_EQ(going.wait().code, 128 + SIGKILL);
  std::map<std::string, fs::file_time_type> before;
  for (const auto& [name, time] : files("killed"))
    if (peek_results(engram / ("killed/" + name))->complete) before[name] = time;
  ASSERT_LT(before.size(), 4u);
  const Said resumed = sweep(words);
  ASSERT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_TRUE(contains(resumed.err, std::to_string(before.size()) + " of 4 runs complete"))
      << resumed.err;
  const auto after = files("killed"), whole = files("whole");
  ASSERT_EQ(after.size(), 4u);
  for (const auto& [name, time] : before)
    EXPECT_EQ(after.at(name), time) << name << " ran twice";
  for (const auto& [name, time] : whole) {
    ASSERT_TRUE(after.contains(name)) << name;
    expect_same_results(engram / ("whole/" + name), engram / ("killed/" + name));
  }
  const Said again = sweep(words);
  EXPECT_EQ(files("killed"), after);
  EXPECT_TRUE(contains(again.err, "4 of 4 runs complete")) << again.err;
  EXPECT_EQ(again.out, resumed.out);
}

TEST_F(Sweep, TakesAPointThatRunMadeAsFinished) {
  ASSERT_EQ(engram({"run", "swept", "--set", "lr=0.001", "--set", "momentum=0.5", "--out", "o",
                    "--no-report"})
                .code,
            0);
  ASSERT_EQ(engram({"run", "swept", "--out", "o", "--no-report"}).code, 0);  // lr 0.1, momentum 0
  const auto before = files("o");
  ASSERT_EQ(before.size(), 2u);
  const Said said = sweep({"swept", "--out", "o"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.err, "2 of 4 runs complete")) << said.err;
  const auto after = files("o");
  EXPECT_EQ(after.size(), 4u);
  for (const auto& [name, time] : before)
    EXPECT_EQ(after.at(name), time);
}

TEST_F(Sweep, ReportsAndRemembersALossThatExplodes) {
  const Words words{"explodes", "--out", "o"};
  const Said said = sweep(words);
  EXPECT_EQ(said.code, 76) << said.err;
  EXPECT_TRUE(contains(said.err, "explodes (lr = 1e30)")) << said.err;
  EXPECT_TRUE(contains(said.out, "1 run failed")) << said.out;
  EXPECT_TRUE(contains(said.out, "\nbest  0.1 ")) << said.out;
  EXPECT_EQ(complete("o"), 1u);
  const auto before = files("o");
  const Said again = sweep(words);
  EXPECT_EQ(again.code, 76);
  EXPECT_TRUE(contains(again.err, "1 of 2 runs complete and 1 diverged")) << again.err;
  EXPECT_EQ(files("o"), before);
}

TEST_F(Sweep, ARunThatWasKilledHasNotExploded) {
  const Words words{"sweep", "slow", "--out", "o", "--jobs", "2", "--checkpoint", "0.05"};
  Process going = engram.start(words);
  // The third has just begun, while one of the first two may be at its end.
  std::set<pid_t> begun;
  ASSERT_TRUE(going.wait_until([&] {
    for (const pid_t child : going.children())
      begun.insert(child);
    return begun.size() >= 3;
  }));
  ::kill(going.children().back(), SIGKILL);
  const Said said = going.wait();
  EXPECT_EQ(said.code, 70) << said.err;
  EXPECT_TRUE(contains(said.err, "ended without a word")) << said.err;
  EXPECT_EQ(complete("o"), 3u);
  const Said again = engram(words);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(contains(again.err, "3 of 4 runs complete")) << again.err;
  EXPECT_EQ(complete("o"), 4u);
}

TEST_F(Sweep, NeverWritesOverResultsThatAreNotItsOwn) {
  ASSERT_EQ(sweep({"other", "--out", "o"}).code, 0);
  const auto all = files("o");
  ASSERT_EQ(all.size(), 2u);
  const fs::path one = engram / ("o/" + all.begin()->first),
                 two = engram / ("o/" + all.rbegin()->first);
  fs::copy_file(one, two, fs::copy_options::overwrite_existing);
  const std::string before = TempFolder::read(two);
  const Said said = sweep({"other", "--out", "o"});
  EXPECT_EQ(said.code, 78) << said.err;
  EXPECT_TRUE(contains(said.err, "was made with other settings") && contains(said.err, "--force"))
      << said.err;
  EXPECT_EQ(TempFolder::read(two), before);
  EXPECT_EQ(sweep({"other", "--out", "o", "--force"}).code, 0);
  EXPECT_NE(TempFolder::read(two), before);
}

TEST_F(Sweep, RefusesBeforeAnythingTrains) {
  for (const auto& [words, code, part] : std::initializer_list<std::tuple<Words, int, std::string>>{
           {{"misspelt"}, 78, "did you mean 'momentum'?"},
           {{"useless"}, 78, "dqn.batch"},
           {{"tiny", "--grid", "lr=0.1,soon"}, 78, "soon"},
           {{"tiny", "--grid", "lrr=0.1"}, 64, "--grid"},
           {{"tiny", "--grid", "lr=0.1,0.10"}, 64, "the same settings"},
           {{"tiny", "--grid", "lr=0.1,1", "--set", "lr=2"}, 64, "--set gives 'lr'"},
           {{"swept", "--selection", "orakel"}, 78, "oracle"},
           {{"swept", "--selection", "oracle", "--seeds", "100"}, 64, "seed 100"},
           {{"tiny", "--selection", "first_tasks"}, 78, "selection_tasks = 3 of 2"},
           {{"swept", "--metric", "accuracy"}, 64, "accuracy"},
           {{"swept", "--metric", "min_accuracy"}, 78, "run with --set probe_every=N"},
           {{"swept", "--metric", "online_accuracy"}, 78, "--set plasticity_examples=N"},
           {{"acts", "--metric", "online_accuracy"}, 78, "agents are scored"},
           {{"tiny", "--set", "evaluate_validation=yes"}, 78, "needs a validation part"},
           {{}, 64, "which experiments"}}) {
    Words all = words;
    all.insert(all.end(), {"--out", "o"});
    const Said said = sweep(all);
    EXPECT_EQ(said.code, code) << said.err;
    EXPECT_TRUE(contains(said.err, part)) << said.err;
    EXPECT_FALSE(fs::exists(engram / "o"));
  }
  EXPECT_TRUE(contains(sweep({"misspelt"}).err, "exps/tiny.cfg:"));
}

TEST_F(Sweep, ShowsThePlanOfADryRun) {
  const Said said = sweep({"swept", "--out", "o", "--dry-run", "--selection", "oracle"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.out, "swept (lr = 0.001, momentum = 0.5)  0 of 3 runs complete"))
      << said.out;
  EXPECT_FALSE(fs::exists(engram / "o"));
}

/// The only folder below `o` whose name begins so.
fs::path only_folder(const fs::path& o, const std::string& begin) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(o))
    if (entry.path().filename().string().starts_with(begin)) {
      EXPECT_TRUE(found.empty()) << found << " and " << entry.path();
      found = entry.path();
    }
  EXPECT_FALSE(found.empty()) << begin;
  return found;
}

std::string fact(const fs::path& file, const std::string& name) {
  for (const auto& [known, text] : load_results(file).provenance)
    if (known == name) return text;
  return "";
}

TEST_F(Sweep, ChoosesOnTheFirstTasksAndReportsOnAll) {
  const Words words{"swept",       "other",
                    "--out",       "o",
                    "--selection", "first_tasks",
                    "--set",       "selection_tasks=2",
                    "--set",       "selection_seeds=7",
                    "--seeds",     "0,1"};
  const Said said = sweep(words);
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.out, "the validation parts of the first 2 tasks")) << said.out;
  EXPECT_TRUE(
      contains(said.out, "not the same budget for all: swept has 4 points of 1 run, other has 2"))
      << said.out;
  for (const auto& [name, time] : files("o")) {
    const RunRecord run = load_results(engram / ("o/" + name));
    const bool is_final = contains(name, "@first_tasks~");
    EXPECT_EQ(run.tasks(), is_final ? 4 : 2) << name;
    EXPECT_EQ(contains(run.config_text, "evaluate_validation = true"), !is_final) << name;
    EXPECT_EQ(run.seed == 7, !is_final) << name;
  }
  const fs::path chosen = only_folder(engram / "o", "swept@first_tasks~");
  for (const int seed : {0, 1}) {
    const fs::path file = chosen / ("seed-" + std::to_string(seed) + ".h5");
    EXPECT_EQ(fact(file, "selection"), "first_tasks");
    EXPECT_EQ(fact(file, "tuned_on_test"), "no");
    EXPECT_EQ(fact(file, "selection_points"), "4");
    EXPECT_TRUE(fact(file, "selection_choice").starts_with("lr = 0.1, momentum = "));
  }
  const auto json = nlohmann::json::parse(TempFolder::read(chosen / "selection.json"));
  EXPECT_EQ(json["cost"]["runs"], 4);
  EXPECT_FALSE(json["tuned_on_test"]);
  const auto before = files("o");
  const Said again = sweep(words);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(again.out, said.out);
  EXPECT_EQ(files("o"), before);
  const Said compared = engram(
      {"compare", chosen.string(), only_folder(engram / "o", "other@first_tasks~").string()});
  ASSERT_EQ(compared.code, 0) << compared.err;
  EXPECT_TRUE(contains(compared.out, "first_tasks among 4")) << compared.out;
}

TEST_F(Sweep, LeavesToOthersWhatTheyAreAtAndChoosesOnceAllIsThere) {
  Words words{"other", "--selection", "oracle", "--set", "selection_seeds=7", "--out", "whole"};
  ASSERT_EQ(sweep(words).code, 0);
  std::vector<fs::path> points;
  for (const auto& [name, time] : files("whole"))
    if (contains(name, "seed-7.h5")) points.push_back(fs::path(name).parent_path());
  ASSERT_EQ(points.size(), 2u);
  words.back() = "shared";
  const RunFiles busy{engram / "shared" / points.front(), 7};
  fs::create_directories(busy.folder);
  {
    const FileLock other_process(busy.lock());
    const Said said = sweep(words);
    EXPECT_EQ(said.code, 73) << said.err;
    EXPECT_TRUE(contains(said.err, "is at this run already")) << said.err;
    EXPECT_TRUE(contains(said.err, "no setting was chosen, for 1 run of the grid is missing"))
        << said.err;
    EXPECT_EQ(complete("shared"), 1u);  // the other point; no final run
  }
  const Said again = sweep(words);
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(contains(again.err, "1 of 2 runs complete")) << again.err;
  EXPECT_EQ(complete("shared"), complete("whole"));
}

TEST_F(Sweep, SaysWhenItTunesOnTheTests) {
  const Words words{"other", "--out", "o", "--set", "selection_seeds=7"};
  Words oracle_test = words;
  oracle_test.insert(oracle_test.end(), {"--selection", "oracle_test"});
  const Said said = sweep(oracle_test);
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.out, "TUNED ON TEST")) << said.out;
  const fs::path chosen = only_folder(engram / "o", "other@oracle_test~");
  EXPECT_EQ(fact(chosen / "seed-0.h5", "tuned_on_test"), "yes");
  // The same setting by another protocol: copied, not trained, and not said to be tuned on test.
  ASSERT_EQ(engram({"run", "other", "--out", "o", "--no-report"}).code, 0);
  Words oracle = words;
  oracle.insert(oracle.end(), {"--selection", "oracle"});
  const Said sound = sweep(oracle);
  ASSERT_EQ(sound.code, 0) << sound.err;
  EXPECT_FALSE(contains(sound.out, "TUNED ON TEST")) << sound.out;
  EXPECT_TRUE(contains(sound.err, "1 of 1 runs complete")) << sound.err;
  const fs::path copied = only_folder(engram / "o", "other@oracle~");
  EXPECT_EQ(fact(copied / "seed-0.h5", "tuned_on_test"), "no");
  EXPECT_EQ(fact(engram / "o/other/seed-0.h5", "selection"), "");
  expect_same_results(copied / "seed-0.h5", chosen / "seed-0.h5");
  // Nor is it trained again when only the other protocol has run it.
  Words elsewhere = oracle_test;
  elsewhere[2] = "o2";
  ASSERT_EQ(sweep(elsewhere).code, 0);
  elsewhere.back() = "oracle";
  const Said third = sweep(elsewhere);
  ASSERT_EQ(third.code, 0) << third.err;
  EXPECT_TRUE(contains(third.err, "1 of 1 runs complete")) << third.err;
  const Said shown = engram({"compare", copied.string(), chosen.string()});
  EXPECT_TRUE(contains(shown.out, "tuned on test: ")) << shown.out;
}

TEST_F(Sweep, AnExperimentWithNothingToChooseStopsNoOther) {
  const Words words{"hopeless",    "other",  "--out", "o",
                    "--selection", "oracle", "--set", "selection_seeds=7"};
  for (int time = 0; time < 2; ++time) {
    const Said said = sweep(words);
    EXPECT_EQ(said.code, 76) << said.err;
    EXPECT_TRUE(contains(said.err, "hopeless: nothing can be chosen: the loss of every point"))
        << said.err;
    EXPECT_TRUE(fs::exists(only_folder(engram / "o", "other@oracle~") / "seed-0.h5")) << said.err;
  }
  // All runs are there, but of one task nothing can be forgotten.
  const Said unknown = sweep({"other", "--out", "o2", "--selection", "oracle", "--metric",
                              "forgetting", "--set", "selection_seeds=7", "--set", "tasks=1"});
  EXPECT_EQ(unknown.code, 78) << unknown.err;
  EXPECT_TRUE(contains(unknown.err, "nothing can be chosen by forgetting, which is not known"))
      << unknown.err;
}

TEST_F(Sweep, CopiesTheWeightsOfAFinalRunThatKeepsThem) {
  ASSERT_EQ(engram({"run", "keeps", "--out", "o", "--no-report"}).code, 0);
  const Words words{"keeps", "--out", "o", "--selection", "oracle", "--set", "selection_seeds=7"};
  const Said said = sweep(words);
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_TRUE(contains(said.err, "1 of 1 runs complete")) << said.err;
  const fs::path copied = only_folder(engram / "o", "keeps@oracle~") / "seed-0.weights.h5";
  EXPECT_EQ(TempFolder::read(copied), TempFolder::read(engram / "o/keeps/seed-0.weights.h5"));
}

}  // namespace
}  // namespace engram
