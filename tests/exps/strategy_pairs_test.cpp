// Every two strategies together: either they are refused by name before training, or the run goes
// on to the same bits after it was stopped.
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "learners/strategy.h"
#include "tests/exps/tiny_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

namespace engram {
namespace {

/// What strategies need beside their name, or cost less with.
const std::map<std::string, Keys, std::less<>>& own_keys() {
  static const std::map<std::string, Keys, std::less<>> keys{
      {"dgr", {{"dgr.hidden", "12"}, {"dgr.codes", "4"}}},
      {"gdumb", {{"gdumb.memory", "20"}, {"gdumb.passes", "2"}}},
      {"gem", {{"gem.memory", "30"}}},
      {"icarl", {{"icarl.memory", "40"}}},
      {"generative_replay",
       {{"generative_replay.images", "40"},
        {"generative_replay.codes", "4"},
        {"generative_replay.components", "3"}}},
      {"shrink_perturb", {{"shrink_perturb.perturb", "0.001"}}},
  };
  return keys;
}

Keys keys_of(const StrategyEntry& a, const StrategyEntry& b, const Keys& scenario) {
  Keys keys = with(scenario, {{"stream", "split"},
                              {"tasks", "5"},
                              {"train_limit", "60"},
                              {"test_limit", "60"},
                              {"hidden_units", "16"},
                              {"dropout", "0"},
                              {"batch_size", "6"},
                              {"epochs", "2"},
                              {"lr", "0.05"},
                              {"strategies", fmt::format("{}, {}", a.name, b.name)}});
  if (a.rewires || b.rewires)
    keys = with(keys, {{"sparsify", "yes"},
                       {"percent_on_fc", "0.5"},
                       {"weight_sparsity_fc", "0.4"},
                       {"weight_storage", "sparse"}});
  for (const StrategyEntry* s : {&a, &b})
    if (const auto own = own_keys().find(s->name); own != own_keys().end())
      keys = with(keys, own->second);
  return keys;
}

/// True when it ran; false when it was refused as it should be.
bool runs(const StrategyEntry& a, const StrategyEntry& b, const Keys& scenario) {
  const TempFolder folder;
  const Keys keys = keys_of(a, b, scenario);
  const RunFiles whole{folder.path() / "whole", 0}, parts{folder.path() / "parts", 0};
  try {
    const Settings s = tiny_settings(keys);
    if (execute_run(s, tiny_data(), {.seed = 0, .files = whole}) != RunOutcome::Finished)
      ADD_FAILURE() << "not finished";
  } catch (const Error& e) {
    const std::string text = e.what();
    EXPECT_EQ(e.fault(), Fault::Config) << text;
    const bool names_one =
        text.find(a.name) != std::string::npos || text.find(b.name) != std::string::npos ||
        ((!a.gating.empty() || !b.gating.empty()) && text.find("gating") != std::string::npos);
    EXPECT_TRUE(names_one) << text;
    return false;
  }
  run_tiny_in_two(keys, parts, 9);
  const RunRecord once = load_results(whole.results()), twice = load_results(parts.results());
  expect_same_numbers(once, twice);
  const bool rule_learns =
      a.name != "slda" && b.name != "slda" && a.name != "gdumb" && b.name != "gdumb";
  for (const EpochRow& e : once.epochs)
    EXPECT_EQ(std::isfinite(e.loss), rule_learns);
  return true;
}

void expect_all_pairs(const Keys& scenario, int least) {
  const auto all = strategies();
  int run = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      SCOPED_TRACE(fmt::format("strategies = {}, {}", all[i].name, all[j].name));
      run += runs(all[i], all[j], scenario);
    }
  EXPECT_GE(run, least);
}

TEST(StrategyPairs, RunOrAreRefusedWhereTheTaskIsKnown) {
  expect_all_pairs({{"scenario", "task"}, {"head", "per_task"}}, 150);
}
TEST(StrategyPairs, RunOrAreRefusedWhereClassesAreToldApart) {
  expect_all_pairs({{"scenario", "class"}, {"head", "masked"}}, 150);
}

}  // namespace
}  // namespace engram
