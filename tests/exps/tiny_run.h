// Runs of three small tasks for tests of what is looked at beside the accuracy.
#pragma once

#include <cmath>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "exps/run.h"
#include "utils/parallel.h"

namespace engram {

using Keys = std::vector<std::pair<std::string, std::string>>;

inline Keys with(Keys keys, const Keys& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

/// Three permutations of the synthetic images for an mlp of 40 units, but for what `extra` says.
inline Settings tiny_settings(const Keys& extra) {
  Config c;
  for (const auto& [key, value] : with({{"benchmark", "synthetic"},
                                        {"stream", "permuted"},
                                        {"tasks", "3"},
                                        {"train_limit", "300"},
                                        {"test_limit", "120"},
                                        {"hidden_units", "40"},
                                        {"lr", "0.1"},
                                        {"momentum", "0.9"},
                                        {"batch_size", "30"}},
                                       extra))
    c.set(key, value, "test");
  return read_settings("tiny", std::move(c));
}
inline const Dataset& tiny_data() {
  static const Dataset d = load_dataset("synthetic", {});
  return d;
}
inline void run_tiny(const Keys& keys, const RunFiles& files) {
  const Settings s = tiny_settings(keys);
  ASSERT_EQ(execute_run(s, tiny_data(), {.seed = files.seed, .files = files}),
            RunOutcome::Finished);
}
/// The same, stopped after so many steps and resumed.
inline void run_tiny_in_two(const Keys& keys, const RunFiles& files, int steps) {
  const Settings s = tiny_settings(keys);
  std::atomic<bool> stop = false;
  int seen = 0;
  RunRequest request{.seed = files.seed, .files = files};
  request.stop = &stop;
  request.progress = [&](const Progress& p) { stop = !p.evaluating && ++seen >= steps; };
  ASSERT_EQ(execute_run(s, tiny_data(), request), RunOutcome::Interrupted);
  ASSERT_EQ(execute_run(s, tiny_data(), {.seed = files.seed, .files = files}),
            RunOutcome::Finished);
}

inline bool same_number(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}
/// Accuracies, losses, measures and unit usage to the bit.
inline void expect_same_numbers(const RunRecord& a, const RunRecord& b) {
  ASSERT_EQ(a.accuracy.shape(), b.accuracy.shape());
  for (std::size_t i = 0; i < a.accuracy.size(); ++i)
    EXPECT_PRED2(same_number, a.accuracy.data()[i], b.accuracy.data()[i]) << i;
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    EXPECT_PRED2(same_number, a.epochs[i].loss, b.epochs[i].loss) << "epoch " << i;
    ASSERT_EQ(a.epochs[i].measures.size(), b.epochs[i].measures.size());
    for (std::size_t m = 0; m < a.epochs[i].measures.size(); ++m)
      EXPECT_PRED2(same_number, a.epochs[i].measures[m], b.epochs[i].measures[m]) << "epoch " << i;
  }
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i)
    EXPECT_EQ(a.layers[i].usage_final, b.layers[i].usage_final) << "layer " << i;
  EXPECT_EQ(a.test_macs.executed, b.test_macs.executed);
}
inline void expect_same_pictures(const RunRecord& a, const RunRecord& b) {
  ASSERT_EQ(a.pictures.size(), b.pictures.size());
  for (std::size_t i = 0; i < a.pictures.size(); ++i) {
    EXPECT_EQ(a.pictures[i].name, b.pictures[i].name);
    EXPECT_EQ(a.pictures[i].moments, b.pictures[i].moments);
    EXPECT_EQ(a.pictures[i].pixels, b.pictures[i].pixels);
    EXPECT_EQ(a.pictures[i].labels, b.pictures[i].labels);
  }
}

/// Stopped after each of these numbers of steps, a run goes on to the bits of one that was not.
inline void expect_same_bits_wherever_stopped(const Keys& keys, const std::filesystem::path& folder,
                                              std::initializer_list<int> steps) {
  const RunFiles whole{folder / "whole", 0};
  run_tiny(keys, whole);
  for (const int step : steps) {
    SCOPED_TRACE(step);
    const RunFiles files{folder / std::to_string(step), 0};
    run_tiny_in_two(keys, files, step);
    expect_same_numbers(load_results(whole.results()), load_results(files.results()));
  }
}

inline void expect_same_bits_on_two_threads(const Keys& keys, const std::filesystem::path& folder) {
  const RunFiles one{folder / "one", 0}, two{folder / "two", 0};
  run_tiny(keys, one);
  set_threads(2);
  run_tiny(keys, two);
  set_threads(1);
  expect_same_numbers(load_results(one.results()), load_results(two.results()));
}

}  // namespace engram
