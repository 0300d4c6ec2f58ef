// What load_results() must refuse, and that it never falls over what it did not expect.
#include <random>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"
#include "utils/h5.h"

/// HDF5 1.10.8 leaks a little when it gives up on a damaged file.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT(bugprone-reserved-identifier)
  return "leak:libhdf5";
}

namespace engram {
namespace {
namespace fs = std::filesystem;

constexpr auto kChaudhry = ForgettingDefinition::Chaudhry;

/// The error of loading, which must be Fault::Data, name the file and hold `part`.
void expect_refusal(const fs::path& file, const std::string& part) {
  try {
    load_results(file);
    ADD_FAILURE() << "was read; should have complained about " << part;
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Data) << e.what();
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find(file.filename().string()), std::string::npos) << e.what();
  }
}

TEST(ResultsFile, RefusesForeignTruncatedAndNewerFiles) {
  const TempFolder folder;
  EXPECT_THROW(load_results(folder / "none.h5"), Error);
  expect_refusal(folder.write("text.h5", "accuracy,1\n"), "not an HDF5 file");
  h5::save(folder / "other.h5", [](const h5::Group& root) { root.attribute("schema_of", "x"); });
  expect_refusal(folder / "other.h5", "not a results file of Engram");
  h5::save(folder / "newer.h5", [](const h5::Group& root) {
    root.attribute("schema", std::int64_t{kResultsSchema + 1});
  });
  expect_refusal(folder / "newer.h5", "written by a newer Engram");
  EXPECT_THROW(peek_results(folder / "newer.h5"), Error);

  save_results(folder / "run.h5", sample_run("x", 3, 0), kChaudhry);
  const std::string whole = TempFolder::read(folder / "run.h5");
  // The end may be room that HDF5 set aside, in blocks of 2048 bytes and steps of 512.
  constexpr std::size_t kUnused = 2048 + 512;
  for (std::size_t length = 0; length + kUnused < whole.size(); length += whole.size() / 23)
    expect_refusal(folder.write("cut.h5", whole.substr(0, length)), "cut.h5");
}

/// Writes a good file except for what `spoil` does instead of one group or data set.
void save_spoilt(
    const fs::path& file, const std::string& without,
    const std::function<void(const h5::Group&)>& spoil = [](const h5::Group&) {}) {
  using Reals = std::vector<double>;
  using Integers = std::vector<std::int64_t>;
  h5::save(file, [&](const h5::Group& root) {
    const auto group = [&](const std::string& name, auto fill) {
      if (name != without) fill(root.create(name));
    };
    const auto set = [&](const h5::Group& g, const std::string& name, const auto& values,
                         std::vector<std::size_t> shape) {
      if (name != without) g.write(name, values, std::move(shape));
    };
    root.attribute("schema", std::int64_t{1});
    root.attribute("complete", std::int64_t{without == "complete" ? 2 : 1});
    root.attribute("experiment", "x");
    if (without != "seed") root.attribute("seed", std::int64_t{0});
    group("config",
          [](const h5::Group& g) { g.attribute("text", ""), g.attribute("sources", ""); });
    group("model", [](const h5::Group& g) { g.attribute("text", ""); });
    group("provenance", [](const h5::Group&) {});
    set(root, "accuracy", Reals{0, 0, 1, 0, 0.5, 1}, {3, 2});
    group("tasks", [&](const h5::Group& g) {
      if (without != "names") g.write_texts("names", std::vector<std::string>{"a", "b"});
      set(g, "test_sizes", Integers{5, 5}, {2});
      set(g, "seconds", Reals{1, 1}, {2});
      set(g, "evaluate_seconds", Reals{1, 1, 1}, {3});
      if (without.rfind("tasks.", 0) == 0) spoil(g);
    });
    group("cost", [](const h5::Group& g) {
      for (const char* name :
           {"train_executed_macs", "train_dense_macs", "test_executed_macs", "test_dense_macs"})
        g.attribute(name, 1.0);
    });
    group("epochs", [&](const h5::Group& g) {
      set(g, "experience", Integers{0}, {1});
      set(g, "epoch", Integers{0}, {1});
      for (const char* name :
           {"learning_rate", "loss", "train_accuracy", "seconds", "executed_macs", "dense_macs"})
        set(g, name, Reals{1}, {1});
      set(g, "active_fraction", Reals{0.5}, {1, 1});
    });
    group("layers", [](const h5::Group& g) {
      const h5::Group layer = g.create("k");
      layer.attribute("name", "k"), layer.attribute("description", "");
      layer.attribute("units", std::int64_t{2});
      for (const char* name : {"usage_learned", "usage_final"})
        layer.write(name, std::vector<std::uint32_t>{1, 2, 3, 4}, {2, 2});
      layer.write("active_fraction_test", Reals{0.5, 0.5}, {2});
    });
    if (without.rfind("tasks.", 0) != 0) spoil(root);
  });
}

TEST(ResultsFile, SaysWhichPartIsMissing) {
  const TempFolder folder;
  const fs::path file = folder / "run.h5";
  save_spoilt(file, "nothing");
  EXPECT_EQ(load_results(file).optimizer_steps, 0) << "not in older files";
  for (const char* name :
       {"config", "model", "provenance", "accuracy", "tasks", "cost", "epochs", "layers", "seed",
        "names", "test_sizes", "evaluate_seconds", "experience", "loss", "active_fraction"}) {
    save_spoilt(file, name);
    expect_refusal(file, std::string("'") + name + "'");
  }
  save_spoilt(file, "complete");
  expect_refusal(file, "'complete'");
}

TEST(ResultsFile, RefusesWrongShapesAndNumbersThatCannotBe) {
  const TempFolder folder;
  const fs::path file = folder / "run.h5";
  using Reals = std::vector<double>;
  const auto instead = [&](const std::string& name, const Reals& values,
                           const std::vector<std::size_t>& shape) {
    save_spoilt(file, name, [&](const h5::Group& root) { root.write(name, values, shape); });
  };
  instead("accuracy", Reals(4), {2, 2});
  expect_refusal(file, "not [T + 1, T]");
  instead("accuracy", Reals(12), {4, 3});
  expect_refusal(file, "differ in number");
  instead("accuracy", Reals(6), {6});
  expect_refusal(file, "1 dimensions instead of 2");
  instead("accuracy", {0, 0, 0, 0, 0, 2.5}, {3, 2});
  expect_refusal(file, "2.5");
  save_spoilt(file, "accuracy", [](const h5::Group& root) {
    root.write_texts("accuracy", std::vector<std::string>{"a"});
  });
  expect_refusal(file, "accuracy");

  const auto other = [&](const std::string& group, const std::string& name, auto values,
                         const std::vector<std::size_t>& shape) {
    save_spoilt(file, name,
                [&](const h5::Group& root) { root.open(group).write(name, values, shape); });
  };
  other("epochs", "loss", Reals(2), {2});
  expect_refusal(file, "'epochs/loss' has shape [2] instead of [1]");
  other("epochs", "train_accuracy", Reals{-0.5}, {1});
  expect_refusal(file, "'epochs/train_accuracy' holds -0.5");
  other("epochs", "experience", std::vector<std::int64_t>{-1}, {1});
  expect_refusal(file, "'epochs/experience'");
  other("tasks", "test_sizes", std::vector<std::int64_t>{1, 1LL << 40}, {2});
  expect_refusal(file, "'tasks/test_sizes'");
  other("tasks", "test_sizes", std::vector<std::int64_t>{1, 1, 1}, {3});
  expect_refusal(file, "differ in number");
  other("tasks", "seconds", Reals(9), {9});
  expect_refusal(file, "'tasks/seconds'");
  save_spoilt(file, "cost", [](const h5::Group& root) {
    const h5::Group cost = root.create("cost");
    for (const char* name :
         {"train_executed_macs", "train_dense_macs", "test_executed_macs", "test_dense_macs"})
      cost.attribute(name, 1.0);
    cost.attribute("optimizer_steps", std::int64_t{-1});
  });
  expect_refusal(file, "-1 optimizer_steps");
  save_spoilt(file, "layers", [](const h5::Group& root) {
    const h5::Group layer = root.create("layers").create("k");
    layer.attribute("name", "k"), layer.attribute("description", "");
    layer.attribute("units", std::int64_t{3});
    layer.write("usage_learned", std::vector<std::uint32_t>(4), {2, 2});
  });
  expect_refusal(file, "'layers/k/usage_learned' has shape [2, 2] instead of [2, 3]");
}

TEST(ResultsFile, NoticesDamageOrIsNotTouchedByIt) {
  const TempFolder folder;
  const RunRecord run = sample_run("x", 60, 0, 0.01);  // large enough for chunks
  save_results(folder / "run.h5", run, kChaudhry);
  const std::string whole = TempFolder::read(folder / "run.h5");
  const fs::path again = folder / "again.h5";
  std::mt19937 random(1);
  int refused = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::string damaged = whole;
    for (int flips = 1 + trial % 4; flips > 0; --flips) {
      char& byte = damaged[random() % damaged.size()];
      byte = static_cast<char>(byte ^ (1 << random() % 8));
    }
    const fs::path file = folder.write("damaged.h5", damaged);
    try {
      peek_results(file);
      save_results(again, load_results(file), kChaudhry);
      EXPECT_EQ(TempFolder::read(again), whole) << "damage went unnoticed";
    } catch (const Error& e) {
      EXPECT_EQ(e.fault(), Fault::Data) << e.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);  // most bytes are under a checksum
}

}  // namespace
}  // namespace engram
