// What makes two runs incomparable, and what does not.
#include <gtest/gtest.h>

#include "exps/analysis/comparison.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

using Lines = std::vector<std::string>;

/// A run whose file records these settings; all others are defaults.
RunRecord run_with(const std::string& settings) {
  RunRecord run = sample_run("x", 3, 0);
  run.config_text = "[x]\n" + settings;
  return run;
}

Lines between(const std::string& a, const std::string& b,
              const std::string& metric = "average_accuracy") {
  return protocol_differences(run_with(a), run_with(b), metric);
}

TEST(Protocol, TheSameRunDoesNotDiffer) {
  EXPECT_EQ(between("tasks = 3\n", "tasks = 3\n"), Lines{});
  EXPECT_EQ(between("", "tasks = 10\n"), Lines{}) << "what is not recorded has its default";
}

TEST(Protocol, NamesEverySettingOfStreamScenarioAndEvaluation) {
  EXPECT_EQ(between("tasks = 5\n", "tasks = 10\n"), Lines{"tasks: 5 against 10"});
  EXPECT_EQ(between("benchmark = mnist\ntrain_limit = 100\n", "benchmark = kmnist\n"),
            (Lines{"benchmark: mnist against kmnist", "train_limit: 100 against 0"}));
  for (const std::string setting : {"stream = rotated",
                                    "protocol = joint",
                                    "permutation_seed = 3",
                                    "permutations = philox",
                                    "first_task_identity = true",
                                    "validation = 0.1",
                                    "test_limit = 10",
                                    "pad = 2",
                                    "normalise = standard",
                                    "scenario = class",
                                    "eval_pad = v1",
                                    "evaluate_validation = true",
                                    "data_seed = 4",
                                    "boundaries = linear",
                                    "boundaries = i_blurry",
                                    "task_free = true",
                                    "imbalance = 10",
                                    "task_imbalance = 10",
                                    "task_order = 0, 1, 0",
                                    "repeats = 2"})
    EXPECT_FALSE(between(setting + "\n", "").empty()) << setting;
}

TEST(Protocol, WhatIsComparedIsNoDifference) {
  for (const std::string setting : {"batch_size = 1",
                                    "epochs = 9",
                                    "lr = 1",
                                    "optimizer = adam",
                                    "model = mlp",
                                    "hidden_units = 3",
                                    "rule = other",
                                    "strategies = ewc",
                                    "dropout = 0.1",
                                    "init_seed = 4",
                                    "percent_on_fc = 0.02",
                                    "pictures = 3",
                                    "keep_weights = yes",
                                    "receptive_fields = 9",
                                    "representation_examples = 9",
                                    "attributions = 3",
                                    "plasticity_examples = 9",
                                    "occlusion_patch = 8",
                                    "blur = 0.7",
                                    "disjoint_classes = 1",
                                    "blurry_share = 1",
                                    "imbalance_order = seed",
                                    "repeat_data = parts",
                                    "data_path = here",
                                    "image_layout = chw",
                                    "a_key_of_the_future = 1"})
    EXPECT_EQ(between(setting + "\n", ""), Lines{}) << setting;
}

TEST(Protocol, AnotherSpellingOfTheSameIsNoDifference) {
  EXPECT_EQ(between("benchmark = fashion\n", "benchmark = fashion\nstream = permuted\n"), Lines{});
  EXPECT_EQ(between("mnist_mode = split\n", "stream = split\n"), Lines{});
  EXPECT_EQ(between("cumul = true\n", "protocol = joint\n"), Lines{});
  EXPECT_EQ(between("permutation_seed = 0\n", ""), Lines{});
  EXPECT_EQ(between("", "scenario = domain\nhead = shared\n"), Lines{});
  EXPECT_EQ(between("stream = permuted\nbase_classes = 3\n", "stream = permuted\n"), Lines{});
  EXPECT_EQ(between("stream = split\ntasks = 6\nbase_classes = 5\n", "stream = split\ntasks = 6\n"),
            (Lines{"base_classes: 5 against auto", "classes_per_task: auto against 1"}));
  EXPECT_EQ(between("stream = split\ntasks = 5\n",
                    "stream = split\ntasks = 5\nclasses_per_task = 2\nscenario = task\n"),
            Lines{});
}

TEST(Protocol, SettingsWithoutEffectAreNoDifference) {
  EXPECT_EQ(between("max_rotation = 90\norder_seed = 3\n", ""), Lines{}) << "pixels are permuted";
  EXPECT_EQ(between("stream = rotated\nmax_rotation = 90\n", "stream = rotated\n"),
            Lines{"max_rotation: 90 against 180"});
  EXPECT_EQ(between("stream = split\norder_seed = 3\n", "stream = split\n"), Lines{});
  EXPECT_EQ(between("stream = split\nclass_order = seed\norder_seed = 3\n",
                    "stream = split\nclass_order = seed\n"),
            Lines{"order_seed: 3 against auto"});
  EXPECT_EQ(between("mask_rule = multiply\n", ""), Lines{}) << "a shared head has no mask";
  EXPECT_EQ(between("scenario = class\nmask_rule = multiply\n", "scenario = class\n"),
            Lines{"mask_rule: multiply against exclude"});
  EXPECT_EQ(between("stream = split\nunseen_heads = newest\n", "stream = split\n"),
            Lines{"unseen_heads: newest against skip"});
}

TEST(Protocol, KnowsTasksOverTheSameImages) {
  const std::string pairs = "stream = multi_mnist\n", asks = "stream = attributes\n";
  EXPECT_EQ(
      between(pairs, pairs + "scenario = task\nhead = per_task\ntasks = 2\nrotation = even\n"),
      Lines{});
  EXPECT_EQ(between(pairs + "pair_seed = 3\n", pairs), Lines{"pair_seed: 3 against auto"});
  EXPECT_EQ(between("pair_seed = 3\nimage_scale = 2\nattributes = Bald\n", ""), Lines{});
  EXPECT_EQ(between(asks + "image_scale = 2\n", asks), Lines{"image_scale: 2 against 1"});
  EXPECT_EQ(between(asks + "attributes = Bald\n", asks), Lines{"attributes: Bald against nothing"});
  const std::string shared = "stream = split\nhead = shared\n";
  EXPECT_EQ(between(shared + "head_outputs = single\n", shared),
            Lines{"head_outputs: single against own"});
  EXPECT_EQ(between(shared + "head_outputs = all\n", shared), Lines{}) << "for heads per task";
}

TEST(Protocol, SomeSettingsMatterToSomeMetricsOnly) {
  EXPECT_EQ(between("probe_every = 20\n", ""), Lines{});
  EXPECT_EQ(between("probe_every = 20\n", "", "stability_gap"), Lines{"probe_every: 20 against 0"});
  EXPECT_EQ(between("forgetting_definition = mammoth\n", "", "bwt"), Lines{});
  EXPECT_EQ(between("forgetting_definition = mammoth\n", "", "forgetting"),
            Lines{"forgetting_definition: mammoth against chaudhry"});
}

TEST(Protocol, ValuesOfAnotherVersionAreComparedAsWritten) {
  EXPECT_EQ(between("stream = spiral\n", "stream = spiral\n"), Lines{});
  EXPECT_EQ(between("stream = spiral\n", "stream = split\n"),
            Lines{"stream: spiral against split"});
  EXPECT_EQ(between("benchmark = unheard\n", "benchmark = unheard\n"), Lines{});
}

TEST(Protocol, LooksAtWhatWasEvaluatedInFact) {
  const RunRecord run = run_with("tasks = 3\n");
  RunRecord renamed = run, resized = run, other_data = run;
  renamed.task_names[1] = "letters a b", resized.test_sizes[2] = 7;
  EXPECT_EQ(protocol_differences(run, renamed),
            Lines{"name of task 2: digits 2 3 against letters a b"});
  EXPECT_EQ(protocol_differences(run, resized), Lines{"test examples of task 3: 1002 against 7"});
  EXPECT_EQ(protocol_differences(run, sample_run("x", 4, 0)), Lines{"tasks: 3 against 4"});
  RunRecord dated = run;
  dated.provenance.emplace_back("data_sha256", "0123456789abcdef");
  other_data.provenance.emplace_back("data_sha256", "fedcba9876543210");
  EXPECT_EQ(protocol_differences(dated, other_data),
            Lines{"SHA-256 of the data: 0123456789ab against fedcba987654"});
  EXPECT_EQ(protocol_differences(dated, run), Lines{}) << "an older file does not say";
}

ExperimentRuns experiment(const std::string& label, const std::string& settings) {
  ExperimentRuns out{.label = label};
  for (std::uint64_t seed = 0; seed < 2; ++seed) {
    out.runs.push_back(sample_run(label, 3, seed));
    out.runs.back().config_text = settings;
  }
  return out;
}

TEST(Protocol, ComparingRefusesAndNamesEveryDifference) {
  const ExperimentRuns a = experiment("a", "benchmark = mnist\n");
  const ExperimentRuns b = experiment("b", "benchmark = fashion\neval_pad = v1\nlr = 1\n");
  const std::string said = error_of([&] { compare_experiments({a, b}, {}); }, Fault::Data);
  EXPECT_EQ(said,
            "a and b cannot be compared, for they differ in benchmark: mnist against fashion; "
            "eval_pad: none against v1");
  const std::string of_three = error_of(
      [&] {
        compare_experiments({a, b, experiment("c", "")}, {});
      },
      Fault::Data);
  EXPECT_SAYS(of_three, "(and so does 1 other pair)");
}

TEST(Protocol, SeedsMayDifferInWhatTheyDraw) {
  // Angles of rotated tasks follow from the seed: names differ between seeds, not within one.
  ExperimentRuns a = experiment("a", "stream = rotated\n");
  for (RunRecord& run : a.runs)
    run.task_names[1] = "rotation " + std::to_string(run.seed);
  ExperimentRuns b = a;
  b.label = "b";
  EXPECT_EQ(compare_experiments({a, b}, {}).size(), 1u);
}

}  // namespace
}  // namespace engram
