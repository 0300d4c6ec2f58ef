// A made-up run for the tests of results: every field filled, numbers by formula.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "exps/record.h"

namespace engram {

/// Of a hidden layer and one with weights: measure m of task t (from 0) is 0.1 m + 0.02 (t mod 10)
/// before it and 0.01 more after it. The first task has no number before it.
inline void add_sample_plasticity(RunRecord& run) {
  const std::size_t tasks = run.accuracy.shape(1);
  const auto record = [&](const char* layer, std::size_t measures) {
    PlasticityRecord r{layer, {}};
    for (std::size_t m = 0; m < measures; ++m) {
      r.measures.emplace_back(Table::shape_type{tasks, 2}, kNotEvaluated);
      for (std::size_t t = 0; t < tasks; ++t)
        for (std::size_t after = t == 0 ? 1 : 0; after < 2; ++after)
          r.measures[m](t, after) = 0.1 * static_cast<double>(m) +
                                    0.02 * static_cast<double>(t % 10) +
                                    0.01 * static_cast<double>(after);
    }
    return r;
  };
  run.unit_plasticity.push_back(record("k_winners.1", kUnitMeasures.size()));
  run.weight_plasticity.push_back(record("linear/1", kWeightMeasures.size()));
}

/// Goodness of one level for four outputs, two sets of pictures and an embedding.
inline void add_sample_pictures(RunRecord& run) {
  const std::size_t rows = run.accuracy.shape(0);
  GoodnessRecord level{"1", Table({rows, 4}, 2.5), Table({rows, 4}, 0.5)};
  level.with_others(0, 3) = kNotEvaluated;
  run.goodness.push_back(level);
  for (const std::size_t channels : {1u, 3u}) {
    PictureRecord set{.name = channels == 1 ? "samples" : "rebuilt",
                      .description = "Drawn from the model",
                      .moments = {"before training", "after task 1"},
                      .height = 4,
                      .width = 3,
                      .channels = channels,
                      .count = 5};
    if (channels == 3) set.columns = 3;  // as many as make it square
    set.pixels.resize(2 * 5 * 4 * 3 * channels);
    for (std::size_t i = 0; i < set.pixels.size(); ++i)
      set.pixels[i] = static_cast<std::uint8_t>(37 * i + run.seed);
    for (std::int32_t i = 0; i < 10; ++i) {
      set.labels.push_back(i % 5 - 1);
      set.components.push_back(channels == 1 ? i : -1);
    }
    run.pictures.push_back(std::move(set));
  }
  const std::size_t tasks = rows - 1;
  RepresentationRecord representation{"k_winners.1", Table({rows, tasks}, kNotEvaluated),
                                      Table({rows, tasks}, kNotEvaluated),
                                      xt::xtensor<double, 3>({rows, tasks, tasks}, kNotEvaluated),
                                      xt::xtensor<double, 3>({rows, tasks, tasks}, kNotEvaluated)};
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < (i == 0 ? tasks : i); ++j) {
      representation.probe_accuracy(i, j) = 0.9 - 0.01 * static_cast<double>(i + j);
      if (i > 0) representation.drift(i, j) = 0.05 * static_cast<double>(i - 1 - j);
      for (std::size_t k = 0; k < (i == 0 ? tasks : i); ++k)
        representation.overlap(i, j, k) = j == k ? 1 : 0.5,
                                     representation.active_overlap(i, j, k) = j == k ? 1 : 0;
    }
  run.representations.push_back(representation);
  add_sample_plasticity(run);
  EmbeddingRecord embedding{"codes", "Codes of the top level", Table({3, 2}, 0.25), {0, 3, -1}};
  embedding.points(1, 0) = -1.0 / 3;
  run.embeddings.push_back(embedding);
}

/// Two sheets of six tiles of 2 x 2 pixels, each of one colour: receptive fields, and attribution
/// maps in rows of three.
inline void add_sample_maps(RunRecord& run) {
  for (const std::size_t columns : {0u, 3u}) {
    PictureRecord set{.name = columns == 0 ? "receptive fields" : "attribution maps",
                      .description = "Maps of what is seen",
                      .moments = {"before training, weights up to 2", "after task 1"},
                      .height = 2,
                      .width = 2,
                      .channels = 3,
                      .count = 6,
                      .columns = columns,
                      .is_map = true};
    for (std::size_t i = 0; i < set.moments.size() * set.count * 4; ++i)
      for (const std::size_t part : {i / 4, 250 - i / 4, columns})
        set.pixels.push_back(static_cast<std::uint8_t>(10 * part % 256));
    set.labels.assign(set.moments.size() * set.count, columns == 0 ? -1 : 2);
    set.components.assign(set.labels.size(), -1);
    run.pictures.push_back(std::move(set));
  }
}

/// What an agent did in two measures, with two points of the learning curve in every regime. The
/// matrix becomes one of scores, the first below 0 and one above 1.
inline void add_sample_returns(RunRecord& run) {
  const std::size_t rows = run.accuracy.shape(0), tasks = rows - 1;
  ReturnRecord r{.simulation = "drive",
                 .agent = "dqn",
                 .returns = Table({rows, tasks}, kNotEvaluated),
                 .random = std::vector<double>(tasks, -10),
                 .expert = std::vector<double>(tasks, 90),
                 .measure_names = {"arrived", "speed"},
                 .measures = {Table({rows, tasks}, 0.25), Table({rows, tasks}, 7.5)},
                 .random_measures = Table({2, tasks}, 0.0),
                 .expert_measures = Table({2, tasks}, 1.0)};
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < tasks; ++j) {
      r.returns(i, j) = -20 + 40. * static_cast<double>(i) - 3. * static_cast<double>(j) +
                        static_cast<double>(run.seed);
      run.accuracy(i, j) = r.score(j, r.returns(i, j));
    }
  for (std::size_t j = 0; j < tasks; ++j)
    for (const int n : {0, 1})
      r.curve.push_back({static_cast<int>(j),
                         static_cast<std::int64_t>(1000 * j) + 500 * n,
                         n == 0 ? kNotEvaluated : 1.5,
                         r.returns(j + n, j),
                         run.accuracy(j + n, j),
                         {0.125 * n, 3}});
  run.returns = std::move(r);
}

/// `fading` in [0, 1]: how much of a task is lost with every later one.
inline RunRecord sample_run(const std::string& experiment, int tasks, std::uint64_t seed,
                            double fading = 0.1) {
  RunRecord run;
  run.experiment = experiment;
  run.seed = seed;
  run.complete = true;
  run.config_text = "[" + experiment + "]\ntasks = " + std::to_string(tasks) + "\n";
  run.config_sources = "tasks: split.cfg:3\n";
  run.model_text = "784 -> 256 -> 10\n";
  run.provenance = {
      {"git", "0123456789ab"}, {"cpu", "abacus"}, {"started", "2026-01-02T03:04:05Z"}};
  const auto n = static_cast<std::size_t>(tasks);
  run.accuracy = Table({n + 1, n}, kNotEvaluated);
  for (std::size_t j = 0; j < n; ++j)
    run.accuracy(0, j) = 0.1;
  for (std::size_t i = 1; i <= n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double wobble = 0.01 * std::sin(static_cast<double>(7 * i + 3 * j + 11 * seed));
      run.accuracy(i, j) =
          std::clamp(0.97 + wobble - fading * static_cast<double>(i - 1 - j), 0.05, 1.0);
    }
  }
  const std::size_t units = 6;
  LayerRecord layer{.name = "k_winners.1",
                    .description = "6 units, 2 win",
                    .units = static_cast<int>(units),
                    .usage_learned = {},
                    .usage_final = {},
                    .active_fraction_test = std::vector<double>(n, 2.0 / 6)};
  layer.usage_learned = xt::xtensor<std::uint32_t, 2>({n, units}, 0u);
  layer.usage_final = layer.usage_learned;
  for (std::size_t t = 0; t < n; ++t) {
    run.task_names.push_back("digits " + std::to_string(2 * t) + " " + std::to_string(2 * t + 1));
    run.test_sizes.push_back(1000 + static_cast<int>(t));
    run.task_seconds.push_back(20.5 + static_cast<double>(seed));
    const auto count = static_cast<std::uint32_t>(1000 + t);
    layer.usage_learned(t, t % units) = layer.usage_learned(t, (t + 1) % units) = count;
    layer.usage_final(t, t % units) = layer.usage_final(t, 0) = count;
    for (int e = 0; e < 2; ++e)
      run.epochs.push_back({static_cast<int>(t),
                            e,
                            0.1 / (e + 1),
                            0.5 / (e + 1),
                            0.9,
                            10.25,
                            {1e9, 4e9},
                            {2.0 / 6},
                            {{80.5, 42.25 / (e + 1), 1.5}, {kNotEvaluated, 0, 2}},
                            {1.5 + e, 0.75 / (e + 1), -0.125}});
    StepRow row{static_cast<std::int64_t>(100 * (t + 1)), static_cast<int>(t), 0.8, {}};
    for (std::size_t j = 0; j < n; ++j)
      row.probe_accuracy.push_back(run.accuracy(t + 1, j));
    run.steps.push_back(row);
  }
  run.layers.push_back(layer);
  GateRecord gate;
  gate.layer = "k_winners.1";
  gate.learned = xt::xtensor<std::uint8_t, 2>({n, units}, 0u);
  for (std::size_t t = 0; t < n; ++t)
    gate.learned(t, t % units) = 1;
  gate.density = gate.kept = Table({n + 1, n}, kNotEvaluated);
  gate.overlap = Table({n, n}, 0.25);
  for (std::size_t j = 0; j < n; ++j)
    gate.density(n, j) = 0.5, gate.kept(n, j) = 0.75;
  run.gates.push_back(gate);
  run.weight_layers = {"linear1", "linear2"};
  run.measure_names = {"positive_goodness/1", "negative_goodness/1", "generative_loss"};
  run.optimizer_steps = 1200 * tasks;
  add_sample_pictures(run);
  run.evaluate_seconds.assign(n + 1, 0.75);
  run.train_macs = {2e9 * tasks, 8e9 * tasks};
  run.test_macs = {1e8 * tasks, 1e9 * tasks};
  return run;
}

}  // namespace engram
