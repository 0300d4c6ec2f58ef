// One fixed workload, one hash. A change that means only to tidy up must not move it; a change that
// means to alter numbers restates tests/golden/signature.txt and says why in its commit. The bits
// depend on the BLAS kernel, so ctest pins OPENBLAS_CORETYPE=Haswell for this test.
#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

#include "benchmarks/catalog.h"
#include "exps/results_file.h"
#include "exps/run.h"
#include "tests/utils/temp_folder.h"
#include "utils/denormals.h"
#include "utils/digest.h"
#include "utils/kernels.h"

namespace engram {
namespace {

/// Accuracies, losses and unit usage of a run, as bytes.
void add_run(Sha256& hash, std::vector<std::pair<std::string, std::string>> values) {
  Config config;
  for (const auto& [key, value] : values)
    config.set(key, value, "signature");
  for (const auto& [key, value] :
       std::initializer_list<std::pair<std::string, std::string>>{{"tasks", "2"},
                                                                  {"train_limit", "600"},
                                                                  {"test_limit", "300"},
                                                                  {"hidden_units", "50"},
                                                                  {"batch_size", "32"},
                                                                  {"lr", "0.05"}})
    if (!config.values().contains(key)) config.set(key, value, "signature");
  const Settings settings = read_settings("signature", std::move(config));
  const TempFolder folder;
  const RunFiles files{folder.path(), 3};
  execute_run(settings, load_dataset(settings.stream.benchmark, {}), {.seed = 3, .files = files});
  const RunRecord r = load_results(files.results());
  const auto bytes = [&](const auto* data, std::size_t n) {
    hash.add({reinterpret_cast<const std::uint8_t*>(data), n * sizeof(*data)});
  };
  for (const double a : r.accuracy)
    hash.add(std::isnan(a) ? "nan" : fmt::format("{:.17g}", a));
  for (const EpochRow& e : r.epochs)
    bytes(&e.loss, 1);
  for (const LayerRecord& l : r.layers)
    bytes(l.usage_final.data(), l.usage_final.size());
}

TEST(Signature, IsTheOneOnFile) {
  flush_denormals();  // as the program does
  kernels::use_one_blas_thread();
  Sha256 hash;
  add_run(hash, {{"benchmark", "synthetic"},
                 {"stream", "permuted"},
                 {"momentum", "0.9"},
                 {"nesterov", "yes"},
                 {"weight_decay", "1e-4"}});
  add_run(hash, {{"benchmark", "synthetic"},
                 {"stream", "permuted"},
                 {"sparsify", "yes"},
                 {"percent_on_fc", "0.1"},
                 {"weight_sparsity_fc", "0.5"},
                 {"boost_strength", "1"},
                 {"momentum", "0.9"}});
  add_run(
      hash,
      {{"benchmark", "synthetic"}, {"stream", "rotated"}, {"optimizer", "adam"}, {"lr", "0.001"}});
  add_run(hash, {{"benchmark", "synthetic_rgb"},
                 {"stream", "split"},
                 {"model", "cnn"},
                 {"conv_channels", "4, 6"},
                 {"conv_kernel", "3"},
                 {"sparsify", "yes"},
                 {"percent_on_conv", "0.5"},
                 {"percent_on_fc", "0.2"},
                 {"pool", "max"},
                 {"batch_norm", "yes"}});
  const std::string signature = hash.hex();
  std::ifstream file(ENGRAM_SOURCE_DIR "/tests/golden/signature.txt");
  std::string expected;
  file >> expected;
  EXPECT_EQ(signature, expected)
      << "numbers changed (BLAS core " << kernels::blas_core()
      << "); if that was meant, put the new signature into tests/golden/signature.txt";
}

}  // namespace
}  // namespace engram
