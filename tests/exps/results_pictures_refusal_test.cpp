// What load_results() must refuse of measures, goodness, pictures and embeddings, and files from
// before there were any.
#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"
#include "utils/h5.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

using Reals = std::vector<double>;
using Bytes = std::vector<std::uint8_t>;
using Integers = std::vector<std::int32_t>;
using Texts = std::vector<std::string>;

/// A run of two tasks and one epoch without goodness, and what `add` writes beside it.
fs::path file_with(const TempFolder& folder, const std::function<void(const h5::Group&)>& add) {
  RunRecord run = sample_run("x", 2, 0);
  run.epochs.resize(1), run.epochs[0].measures.clear();
  run.measure_names.clear(), run.goodness.clear(), run.pictures.clear(), run.embeddings.clear();
  run.representations.clear(), run.unit_plasticity.clear(), run.weight_plasticity.clear();
  const fs::path file = folder / "run.h5";
  h5::save(file, [&](const h5::Group& root) {
    write_record(root, run, ForgettingDefinition::Chaudhry);
    add(root);
  });
  return file;
}

void expect_refusal(const fs::path& file, const std::string& part) {
  try {
    load_results(file);
    ADD_FAILURE() << "was read; should have complained about " << part;
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Data) << e.what();
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

/// A good set of two moments of three images of 4 x 5, but for what a test changes.
struct Pictures {
  std::vector<std::size_t> shape{2, 3, 4, 5, 1}, labels_shape{2, 3};
  Bytes pixels = Bytes(120);
  Texts moments{"before", "after"};
  Integers labels = Integers(6, -1);
  std::int64_t columns = 3, map = 1;

  void write(const h5::Group& root) const {
    const h5::Group set = root.create("pictures").create("samples");
    set.attribute("name", "samples"), set.attribute("description", "");
    set.attribute("columns", columns), set.attribute("map", map);
    set.write("pixels", pixels, shape);
    set.write_texts("moments", moments);
    set.write("labels", labels, labels_shape);
    set.write("components", Integers(6, -1), {2, 3});
  }
};

TEST(ResultsPictures, GoodOnesAreRead) {
  const TempFolder folder;
  const RunRecord run =
      load_results(file_with(folder, [](const h5::Group& root) { Pictures().write(root); }));
  ASSERT_EQ(run.pictures.size(), 1u);
  EXPECT_EQ(run.pictures[0].count, 3u);
  EXPECT_EQ(run.pictures[0].columns, 3u);
  EXPECT_TRUE(run.pictures[0].is_map);
}

TEST(ResultsPictures, RefusesShapesThatDoNotFitTogether) {
  const TempFolder folder;
  const auto refused = [&](auto change, const std::string& part) {
    Pictures pictures;
    change(pictures);
    expect_refusal(file_with(folder, [&](const h5::Group& root) { pictures.write(root); }), part);
  };
  refused([](Pictures& p) { p.shape = {6, 4, 5, 1}; }, "4 dimensions instead of 5");
  refused([](Pictures& p) { p.shape = {2, 3, 2, 5, 2}; }, "2 channels instead of 1 or 3");
  refused([](Pictures& p) { p.shape = {1, 6, 4, 5, 1}; }, "'pictures/samples/moments'");
  refused([](Pictures& p) { p.shape = {2, 2, 5, 6, 1}; }, "'pictures/samples/labels'");
  refused([](Pictures& p) { p.shape = {2, 3, 0, 5, 1}, p.pixels.clear(); }, "0x5 pixels");
  refused(
      [](Pictures& p) {
        p.shape = {2, 3, 1, 1025, 1}, p.pixels.resize(6150);
      },
      "1x1025 pixels");
  refused([](Pictures& p) { p.moments.pop_back(); }, "'pictures/samples/moments'");
  refused([](Pictures& p) { p.labels_shape = {3, 2}; }, "has shape [3, 2] instead of [2, 3]");
  refused([](Pictures& p) { p.columns = 4; }, "columns = 4, which is outside [0, 3]");
  refused([](Pictures& p) { p.columns = -1; }, "columns = -1");
  refused([](Pictures& p) { p.map = 2; }, "map = 2");
  refused([](Pictures& p) { p.labels[4] = -2; }, "'pictures/samples/labels' holds -2");
}

TEST(ResultsPictures, RefusesPixelsThatAreNoBytes) {
  const TempFolder folder;
  const auto with_pixels = [&](const auto& pixels) {
    return file_with(folder, [&](const h5::Group& root) {
      const h5::Group set = root.create("pictures").create("samples");
      set.attribute("name", ""), set.attribute("description", "");
      set.write("pixels", pixels, {1, 1, 1, 1, 1});
      set.write_texts("moments", Texts{"now"});
      set.write("labels", Integers{0}, {1, 1});
      set.write("components", Integers{0}, {1, 1});
    });
  };
  EXPECT_NO_THROW(load_results(with_pixels(Bytes{255})));
  expect_refusal(with_pixels(Integers{256}), "does not hold unsigned bytes");
  expect_refusal(with_pixels(Reals{0.5}), "does not hold integers");
}

/// Zeros deflate a thousandfold: the file is small, what it asks for is not.
TEST(ResultsPictures, RefusesMoreThanFitsIntoMemory) {
  const TempFolder folder;
  const std::size_t images = 280;
  const Bytes zeros(images << 20);
  const fs::path file = file_with(folder, [&](const h5::Group& root) {
    const h5::Group set = root.create("pictures").create("samples");
    set.attribute("name", ""), set.attribute("description", "");
    set.write("pixels", zeros, {images, 1, 1024, 1024, 1});
    set.write_texts("moments", Texts(images, "now"));
    set.write("labels", Integers(images), {images, 1});
    set.write("components", Integers(images), {images, 1});
  });
  EXPECT_LT(fs::file_size(file), 10u << 20);
  expect_refusal(file, "more than the 256 MiB");
}

TEST(ResultsPictures, RefusesMeasuresThatFitNoEpoch) {
  const TempFolder folder;
  const auto with = [&](const Texts& names, const Reals& values, std::vector<std::size_t> shape) {
    return file_with(folder, [&](const h5::Group& root) {
      const h5::Group group = root.create("measures");
      group.write_texts("names", names);
      group.write("values", values, shape);
    });
  };
  EXPECT_NO_THROW(load_results(with({"a", "b"}, {1, kNotEvaluated}, {1, 2})));
  expect_refusal(with({"a", "b"}, {1, 2, 3, 4}, {2, 2}), "[2, 2] instead of [1, 2]");
  expect_refusal(with({"a"}, {1, 2}, {1, 2}), "[1, 2] instead of [1, 1]");
  expect_refusal(with({"a", "b"}, {1, 2}, {2}), "1 dimensions instead of 2");
  expect_refusal(with(Texts(10'001, "a"), {}, {0, 0}), "10001 names");
}

TEST(ResultsPictures, RefusesGoodnessWithOtherRowsThanTheMatrix) {
  const TempFolder folder;
  const auto with = [&](const std::vector<std::size_t>& label,
                        const std::vector<std::size_t>& others) {
    return file_with(folder, [&](const h5::Group& root) {
      const h5::Group group = root.create("goodness").create("1");
      group.attribute("level", "1");
      group.write("with_label", Reals(label[0] * label[1]), label);
      group.write("with_others", Reals(others[0] * others[1]), others);
    });
  };
  EXPECT_NO_THROW(load_results(with({3, 10}, {3, 10})));
  expect_refusal(with({2, 10}, {3, 10}), "'goodness/1/with_label'");
  expect_refusal(with({3, 10}, {3, 9}), "'goodness/1/with_others'");
}

TEST(ResultsPictures, RefusesEmbeddingsThatAreNotInThePlane) {
  const TempFolder folder;
  const auto with = [&](std::vector<std::size_t> shape, const Integers& labels) {
    return file_with(folder, [&](const h5::Group& root) {
      const h5::Group group = root.create("embeddings").create("codes");
      group.attribute("name", "codes"), group.attribute("description", "");
      group.write("points", Reals(6), shape);
      group.write("labels", labels, {labels.size()});
    });
  };
  EXPECT_NO_THROW(load_results(with({3, 2}, {0, 1, -1})));
  expect_refusal(with({2, 3}, {0, 1}), "'embeddings/codes/points'");
  expect_refusal(with({3, 2}, {0, 1}), "'embeddings/codes/points'");
  expect_refusal(with({3, 2}, {0, 1, -5}), "holds -5");
}

TEST(ResultsPictures, RefusesRepresentationsOfOtherTasksOrOutOfBounds) {
  const TempFolder folder;
  struct Layer {
    std::vector<std::size_t> table{3, 2}, cube{3, 2, 2};
    double probe = 0.5, drift = 0.5, overlap = 0.5;
  };
  const auto with = [&](auto change) {
    Layer l;
    change(l);
    return file_with(folder, [&](const h5::Group& root) {
      const h5::Group group = root.create("representations").create("relu1");
      group.attribute("layer", "relu1");
      group.write("linear_probe_accuracy", Reals(6, l.probe), l.table);
      group.write("drift", Reals(6, l.drift), {3, 2});
      group.write("overlap", Reals(12, l.overlap), l.cube);
      group.write("active_overlap", Reals(12, 1), {3, 2, 2});
    });
  };
  EXPECT_EQ(load_results(with([](Layer&) {})).representations.at(0).overlap(2, 1, 1), 0.5);
  EXPECT_NO_THROW(load_results(with([](Layer& l) { l.overlap = kNotEvaluated; })));
  expect_refusal(with([](Layer& l) { l.table = {2, 3}; }), "shape [2, 3] instead of [3, 2]");
  expect_refusal(with([](Layer& l) { l.cube = {3, 4}; }), "2 dimensions instead of 3");
  expect_refusal(with([](Layer& l) { l.cube = {2, 3, 2}; }), "'representations/relu1/overlap'");
  expect_refusal(with([](Layer& l) { l.probe = 1.5; }), "holds 1.5");
  expect_refusal(with([](Layer& l) { l.drift = 2.5; }), "'representations/relu1/drift' holds 2.5");
  expect_refusal(with([](Layer& l) { l.overlap = -0.1; }), "holds -0.1");
}

TEST(ResultsPictures, RefusesPlasticityOfOtherTasksOrOutOfBounds) {
  const TempFolder folder;
  const auto with = [&](const char* name, const std::vector<std::size_t>& shape, double value,
                        bool weights = true) {
    return file_with(folder, [&](const h5::Group& root) {
      const h5::Group all = root.create("plasticity");
      const h5::Group unit = all.create("units").create("relu1");
      unit.attribute("layer", "relu1");
      const auto write = [&](const h5::Group& group, const char* measure) {
        const bool other = std::string_view(measure) == name;
        const std::vector<std::size_t> extents = other ? shape : std::vector<std::size_t>{2, 2};
        group.write(measure, Reals(extents[0] * extents[1], other ? value : 0.5), extents);
      };
      for (const PlasticityMeasure& measure : kUnitMeasures)
        write(unit, measure.name);
      if (!weights) return;
      const h5::Group weight = all.create("weights").create("linear1");
      weight.attribute("layer", "linear1");
      for (const PlasticityMeasure& measure : kWeightMeasures)
        write(weight, measure.name);
    });
  };
  const RunRecord run = load_results(with("stable_rank", {2, 2}, 40));
  EXPECT_EQ(run.unit_plasticity.at(0).measures.at(7)(1, 1), 40);
  EXPECT_EQ(run.weight_plasticity.at(0).measures.at(1)(0, 1), 0.5);
  EXPECT_NO_THROW(load_results(with("dead", {2, 2}, kNotEvaluated)));
  expect_refusal(with("dead", {2, 2}, 1.5), "'plasticity/units/relu1/dead' holds 1.5");
  expect_refusal(with("weight_norm", {2, 2}, -1), "'plasticity/weights/linear1/weight_norm'");
  expect_refusal(with("srank99", {4, 1}, 1), "shape [4, 1] instead of [2, 2]");
  expect_refusal(with("mean_weight", {3, 2}, 1), "shape [3, 2] instead of [2, 2]");
  expect_refusal(with("", {2, 2}, 1, false), "plasticity");
}

}  // namespace
}  // namespace engram
