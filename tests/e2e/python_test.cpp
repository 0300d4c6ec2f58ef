// What README.md and results/README.md show in Python is run as it stands, on real results, and
// exports are read by the programs that they are for.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/e2e/program.h"
#include "tests/exps/sample_run.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

constexpr const char* kPython = "/usr/bin/python3";

class Python : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kPython)) GTEST_SKIP() << "there is no " << kPython;
    if (run("import h5py, numpy, pandas").code != 0)
      GTEST_SKIP() << "python3-h5py, python3-numpy or python3-pandas is not installed";
    for (const auto& [name, fading] :
         {std::pair{"quickstart_dense", 0.2}, {"quickstart_kwinners", 0.05}})
      for (const std::uint64_t seed : {0, 1, 2}) {
        const fs::path file =
            engram / ("results/" + std::string(name) + "/seed-" + std::to_string(seed) + ".h5");
        fs::create_directories(file.parent_path());
        save_results(file, sample_run(name, 4, seed, fading), ForgettingDefinition::Chaudhry);
      }
    ASSERT_EQ(engram({"export", "results", "--format", "csv", "-o", "export"}).code, 0);
    ASSERT_EQ(engram({"export", "results", "--format", "npz"}).code, 0);
    ASSERT_EQ(engram({"export", "results", "--format", "json"}).code, 0);
  }

  /// Runs a script in the folder of the results.
  Said run(const std::string& script) {
    const fs::path file = engram.folder().write("script.py", script);
    const std::string command = "cd '" + engram.folder().path().string() + "' && " + kPython +
                                " script.py >said.txt 2>failed.txt";
    Said said;
    said.code = std::system(command.c_str());
    said.out = TempFolder::read(engram / "said.txt");
    said.err = TempFolder::read(engram / "failed.txt");
    return said;
  }

  static std::vector<std::string> blocks_of(const fs::path& document) {
    const std::string text = TempFolder::read(document), open = "```python\n";
    std::vector<std::string> blocks;
    for (auto at = text.find(open); at != std::string::npos; at = text.find(open, at)) {
      at += open.size();
      blocks.push_back(text.substr(at, text.find("```", at) - at));
    }
    return blocks;
  }

  Program engram{"[tiny]\nbenchmark = synthetic\n"};
};

TEST_F(Python, WhatTheResultsDocumentShowsRunsAsItStands) {
  const auto blocks = blocks_of(fs::path(ENGRAM_SOURCE_DIR) / "results/README.md");
  ASSERT_EQ(blocks.size(), 3u);
  std::vector<std::string> outputs;
  for (const std::string& block : blocks) {
    const Said said = run(block);
    ASSERT_EQ(said.code, 0) << block << said.err;
    outputs.push_back(said.out);
  }
  EXPECT_TRUE(contains(outputs[0], "quickstart_dense seed 0 complete True")) << outputs[0];
  EXPECT_TRUE(contains(outputs[0], "'average_accuracy': 0.6")) << outputs[0];
  EXPECT_TRUE(contains(outputs[1], "quickstart_kwinners 1")) << outputs[1];
  EXPECT_TRUE(contains(outputs[2], "quickstart_dense (3, 5, 4) [0 1 2]")) << outputs[2];
}

TEST_F(Python, WhatTheFirstPageShowsRunsAsItStands) {
  for (const std::string& block : blocks_of(fs::path(ENGRAM_SOURCE_DIR) / "README.md")) {
    const Said said = run(block);
    EXPECT_EQ(said.code, 0) << block << said.err;
    EXPECT_TRUE(contains(said.out, "0.1")) << said.out;
  }
}

TEST_F(Python, ExportsHoldTheNumbersOfTheFiles) {
  const Said said = run(R"(
import csv, glob, h5py, json, numpy as np, pandas as pd

table = pd.read_csv("export/accuracy.csv", float_precision="round_trip")
arrays = np.load("export.npz", allow_pickle=False)
whole = {e["label"]: e for e in json.load(open("export.json"))["experiments"]}
names = list(arrays["experiments"].astype(str))
assert names == ["quickstart_dense", "quickstart_kwinners"], names
for name in names:
    for k, seed in enumerate(arrays[name + "/seeds"]):
        with h5py.File(f"results/{name}/seed-{seed}.h5") as f:
            matrix, metrics = f["accuracy"][:], dict(f["metrics"].attrs)
            usage = f["layers"][list(f["layers"])[0]]["usage_final"][:]
        np.testing.assert_array_equal(arrays[name + "/accuracy"][k], matrix)
        part = table[(table.experiment == name) & (table.seed == seed)]
        np.testing.assert_array_equal(part.accuracy.to_numpy().reshape(matrix.shape), matrix)
        run = whole[name]["runs"][k]
        assert run["seed"] == seed
        np.testing.assert_array_equal(np.array(run["accuracy"], dtype=float), matrix)
        np.testing.assert_array_equal(arrays[name + "/usage_final/0"][k], usage)
        for m, metric in enumerate(arrays[name + "/metric_names"].astype(str)):
            np.testing.assert_equal(arrays[name + "/metrics"][k, m], metrics[metric])
            np.testing.assert_equal(np.array(run["metrics"][metric], dtype=float), metrics[metric])
            text = arrays[name + "/metric_definitions"][m].decode()
            assert text == metrics[metric + ".definition"].decode(), text
for table in glob.glob("export/*.csv"):
    with open(table, newline="") as f:
        widths = {len(row) for row in csv.reader(f)}
    assert len(widths) == 1, (table, widths)
print("equal")
)");
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.out, "equal\n");
}

}  // namespace
}  // namespace engram
