#include "exps/results_file.h"

#include <bit>

#include <gtest/gtest.h>

#include "tests/exps/sample_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"
#include "utils/h5.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

constexpr auto kChaudhry = ForgettingDefinition::Chaudhry;

/// Equal bits, so that NaN equals NaN and 0 differs from -0.
void expect_same(const std::vector<double>& a, const std::vector<double>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(std::bit_cast<std::uint64_t>(a[i]), std::bit_cast<std::uint64_t>(b[i])) << i;
}

void expect_same(const Table& a, const Table& b) {
  ASSERT_EQ(a.shape(), b.shape());
  expect_same(std::vector<double>(a.begin(), a.end()), std::vector<double>(b.begin(), b.end()));
}

void expect_same(const xt::xtensor<double, 3>& a, const xt::xtensor<double, 3>& b) {
  ASSERT_EQ(a.shape(), b.shape());
  expect_same(std::vector<double>(a.begin(), a.end()), std::vector<double>(b.begin(), b.end()));
}

void expect_same(const Macs& a, const Macs& b) {
  expect_same({a.executed, a.dense}, std::vector<double>{b.executed, b.dense});
}

void expect_same(const RunRecord& a, const RunRecord& b) {
  EXPECT_EQ(a.experiment, b.experiment);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.complete, b.complete);
  EXPECT_EQ(a.config_text, b.config_text);
  EXPECT_EQ(a.config_sources, b.config_sources);
  EXPECT_EQ(a.model_text, b.model_text);
  EXPECT_EQ(a.provenance, b.provenance);
  EXPECT_EQ(a.task_names, b.task_names);
  EXPECT_EQ(a.test_sizes, b.test_sizes);
  EXPECT_EQ(a.order, b.order);
  expect_same(a.accuracy, b.accuracy);
  expect_same(a.task_seconds, b.task_seconds);
  expect_same(a.evaluate_seconds, b.evaluate_seconds);
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    const EpochRow &x = a.epochs[i], &y = b.epochs[i];
    EXPECT_EQ(x.experience, y.experience);
    EXPECT_EQ(x.epoch, y.epoch);
    expect_same({x.learning_rate, x.loss, x.train_accuracy, x.seconds},
                std::vector<double>{y.learning_rate, y.loss, y.train_accuracy, y.seconds});
    expect_same(x.macs, y.macs);
    expect_same(x.active_fraction, y.active_fraction);
    expect_same(x.measures, y.measures);
  }
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    EXPECT_EQ(a.steps[i].step, b.steps[i].step);
    EXPECT_EQ(a.steps[i].experience, b.steps[i].experience);
    expect_same({a.steps[i].prequential_accuracy},
                std::vector<double>{b.steps[i].prequential_accuracy});
    expect_same(a.steps[i].probe_accuracy, b.steps[i].probe_accuracy);
  }
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].name, b.layers[i].name);
    EXPECT_EQ(a.layers[i].description, b.layers[i].description);
    EXPECT_EQ(a.layers[i].units, b.layers[i].units);
    EXPECT_EQ(a.layers[i].usage_learned, b.layers[i].usage_learned);
    EXPECT_EQ(a.layers[i].usage_final, b.layers[i].usage_final);
    expect_same(a.layers[i].active_fraction_test, b.layers[i].active_fraction_test);
  }
  expect_same(a.train_macs, b.train_macs);
  expect_same(a.test_macs, b.test_macs);
  EXPECT_EQ(a.optimizer_steps, b.optimizer_steps);
  EXPECT_EQ(a.measure_names, b.measure_names);
  ASSERT_EQ(a.goodness.size(), b.goodness.size());
  for (std::size_t i = 0; i < a.goodness.size(); ++i) {
    EXPECT_EQ(a.goodness[i].level, b.goodness[i].level);
    expect_same(a.goodness[i].with_label, b.goodness[i].with_label);
    expect_same(a.goodness[i].with_others, b.goodness[i].with_others);
  }
  ASSERT_EQ(a.pictures.size(), b.pictures.size());
  for (std::size_t i = 0; i < a.pictures.size(); ++i) {
    const PictureRecord &x = a.pictures[i], &y = b.pictures[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.description, y.description);
    EXPECT_EQ(x.moments, y.moments);
    EXPECT_EQ(x.count, y.count);
    EXPECT_EQ(x.height, y.height);
    EXPECT_EQ(x.width, y.width);
    EXPECT_EQ(x.channels, y.channels);
    EXPECT_EQ(x.pixels, y.pixels);
    EXPECT_EQ(x.labels, y.labels);
    EXPECT_EQ(x.components, y.components);
    EXPECT_EQ(x.columns, y.columns);
    EXPECT_EQ(x.is_map, y.is_map);
  }
  ASSERT_EQ(a.representations.size(), b.representations.size());
  for (std::size_t i = 0; i < a.representations.size(); ++i) {
    const RepresentationRecord &x = a.representations[i], &y = b.representations[i];
    EXPECT_EQ(x.layer, y.layer);
    expect_same(x.probe_accuracy, y.probe_accuracy);
    expect_same(x.drift, y.drift);
    expect_same(x.overlap, y.overlap);
    expect_same(x.active_overlap, y.active_overlap);
  }
  for (const auto field : {&RunRecord::unit_plasticity, &RunRecord::weight_plasticity}) {
    ASSERT_EQ((a.*field).size(), (b.*field).size());
    for (std::size_t i = 0; i < (a.*field).size(); ++i) {
      EXPECT_EQ((a.*field)[i].layer, (b.*field)[i].layer);
      ASSERT_EQ((a.*field)[i].measures.size(), (b.*field)[i].measures.size());
      for (std::size_t m = 0; m < (a.*field)[i].measures.size(); ++m)
        expect_same((a.*field)[i].measures[m], (b.*field)[i].measures[m]);
    }
  }
  ASSERT_EQ(a.embeddings.size(), b.embeddings.size());
  for (std::size_t i = 0; i < a.embeddings.size(); ++i) {
    EXPECT_EQ(a.embeddings[i].name, b.embeddings[i].name);
    EXPECT_EQ(a.embeddings[i].description, b.embeddings[i].description);
    expect_same(a.embeddings[i].points, b.embeddings[i].points);
    EXPECT_EQ(a.embeddings[i].labels, b.embeddings[i].labels);
  }
}

RunRecord through_a_file(const fs::path& file, const RunRecord& run) {
  save_results(file, run, kChaudhry);
  return load_results(file);
}

TEST(ResultsFile, GivesBackEveryBit) {
  const TempFolder folder;
  RunRecord run = sample_run("split_mnist/ewc", 5, 3);
  run.accuracy(2, 0) = 1.0 / 3;
  run.epochs[1].loss = HUGE_VAL;
  run.epochs[2].loss = std::nan("");
  run.steps[1].prequential_accuracy = kNotEvaluated;
  run.seed = 0xFFFFFFFFFFFFFFFFull;
  expect_same(through_a_file(folder / "run.h5", run), run);
}

TEST(ResultsFile, GivesBackRunsThatAreBarelyBegun) {
  const TempFolder folder;
  RunRecord empty;
  expect_same(through_a_file(folder / "empty.h5", empty), empty);
  RunRecord begun = sample_run("x", 4, 0);
  begun.complete = false;
  begun.accuracy.fill(kNotEvaluated);
  begun.epochs.clear(), begun.steps.clear(), begun.task_seconds.clear();
  begun.evaluate_seconds.clear();
  begun.layers[0].usage_learned = {}, begun.layers[0].usage_final = {};
  begun.layers[0].active_fraction_test = {};
  expect_same(through_a_file(folder / "begun.h5", begun), begun);
}

TEST(ResultsFile, GivesBackOddNamesAndLongTexts) {
  const TempFolder folder;
  RunRecord run = sample_run("naïve/√2", 2, 0);
  run.config_text = std::string(300'000, 'c') + "\n";
  run.task_names = {"", "a/b \"ü\""};
  for (const char* name : {"a/b", "a:b", ".", ""}) {
    run.layers.push_back(run.layers.front());
    run.layers.back().name = name;
  }
  for (EpochRow& row : run.epochs)
    row.active_fraction.resize(run.layers.size(), 0.5);
  expect_same(through_a_file(folder / "run.h5", run), run);
}

TEST(ResultsFile, ExplainsItself) {
  const TempFolder folder;
  const RunRecord run = sample_run("x", 3, 4);
  save_results(folder / "run.h5", run, ForgettingDefinition::Mammoth);
  h5::load(folder / "run.h5", [&](const h5::Group& root) {
    EXPECT_EQ(root.integer_attribute("schema"), kResultsSchema);
    EXPECT_EQ(root.integer_attribute("complete"), 1);
    EXPECT_EQ(root.integer_attribute("seed"), 4);
    EXPECT_EQ(root.names(),
              (std::vector<std::string>{"config", "model", "provenance", "accuracy", "metrics",
                                        "tasks", "cost", "epochs", "alignment", "steps", "layers",
                                        "gates", "measures", "goodness", "pictures", "embeddings",
                                        "representations", "plasticity"}));
    const h5::Group metrics = root.open("metrics");
    EXPECT_EQ(metrics.text_attribute("forgetting_definition"), "mammoth");
    for (const Metric& metric : compute_metrics(run, ForgettingDefinition::Mammoth)) {
      const double stored = metrics.number_attribute(metric.name);
      EXPECT_TRUE(stored == metric.value || (std::isnan(stored) && std::isnan(metric.value)));
      EXPECT_EQ(metrics.text_attribute(metric.name + ".definition"), metric.definition);
    }
    const h5::Group layer = root.open("layers/k_winners.1");
    std::vector<std::size_t> shape;
    const std::vector<double> overlap = layer.read("overlap_final", &shape);
    EXPECT_EQ(shape, (std::vector<std::size_t>{3, 3}));
    EXPECT_DOUBLE_EQ(overlap[1], usage_overlap(run.layers[0].usage_final, run.test_sizes)(0, 1));
  });
}

TEST(ResultsFile, WritesGoodnessAndPicturesOnlyWhereThereAreAny) {
  const TempFolder folder;
  RunRecord run = sample_run("x", 3, 4);
  run.measure_names.clear(), run.goodness.clear(), run.pictures.clear(), run.embeddings.clear();
  run.representations.clear(), run.unit_plasticity.clear(), run.weight_plasticity.clear();
  for (EpochRow& row : run.epochs)
    row.measures.clear();
  expect_same(through_a_file(folder / "run.h5", run), run);
  h5::load(folder / "run.h5", [](const h5::Group& root) {
    for (const char* name :
         {"measures", "goodness", "pictures", "embeddings", "representations", "plasticity"})
      EXPECT_FALSE(root.has(name)) << name;
  });
}

TEST(ResultsFile, GivesBackSetsThatShareANameAndAreLarge) {
  const TempFolder folder;
  RunRecord run = sample_run("x", 3, 4);
  PictureRecord& set = run.pictures.front();
  set.name = "a/b", set.count = 40;
  set.labels.assign(80, -1), set.components.assign(80, 3);
  set.height = set.width = 32, set.pixels.assign(2 * 40 * 32 * 32, 200);
  run.pictures[1].name = "a/b";
  run.goodness.push_back(run.goodness.front());
  run.embeddings.push_back(run.embeddings.front());
  expect_same(through_a_file(folder / "run.h5", run), run);
}

TEST(ResultsFile, CanBePeekedInto) {
  const TempFolder folder;
  EXPECT_FALSE(peek_results(folder / "none.h5").has_value());
  const RunRecord run = sample_run("x", 3, 9);
  save_results(folder / "run.h5", run, kChaudhry);
  const auto head = peek_results(folder / "run.h5");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->experiment, "x");
  EXPECT_EQ(head->seed, 9u);
  EXPECT_TRUE(head->complete);
  EXPECT_EQ(head->config_text, run.config_text);
  EXPECT_THROW(peek_results(folder.write("text.h5", "not HDF5")), Error);
}

TEST(ResultsFile, SavesWithoutEverShowingHalfAFile) {
  const TempFolder folder;
  const fs::path file = folder / "deep/er/run.h5";
  save_results(file, sample_run("x", 3, 0), kChaudhry);
  save_results(file, sample_run("x", 3, 1), kChaudhry);
  EXPECT_EQ(load_results(file).seed, 1u);
  EXPECT_EQ(std::distance(fs::directory_iterator(file.parent_path()), {}), 1);
}

}  // namespace
}  // namespace engram
