// Two runs are the same when everything but times and provenance has the same bits.
#pragma once

#include <bit>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "exps/results_file.h"

namespace engram {

inline std::uint64_t bits(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

template <class Values>
std::vector<std::uint64_t> all_bits(const Values& values) {
  std::vector<std::uint64_t> out;
  for (const double value : values)
    out.push_back(bits(value));
  return out;
}

inline void expect_same_results(const std::filesystem::path& left,
                                const std::filesystem::path& right) {
  SCOPED_TRACE(left.string() + " and " + right.string());
  const RunRecord a = load_results(left), b = load_results(right);
  EXPECT_TRUE(a.complete && b.complete);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.config_text, b.config_text);
  EXPECT_EQ(a.task_names, b.task_names);
  EXPECT_EQ(a.test_sizes, b.test_sizes);
  EXPECT_EQ(all_bits(a.accuracy), all_bits(b.accuracy));
  EXPECT_EQ(bits(a.train_macs.executed), bits(b.train_macs.executed));
  EXPECT_EQ(bits(a.test_macs.executed), bits(b.test_macs.executed));
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t i = 0; i < a.epochs.size(); ++i) {
    EXPECT_EQ(bits(a.epochs[i].loss), bits(b.epochs[i].loss)) << "epoch " << i;
    EXPECT_EQ(bits(a.epochs[i].train_accuracy), bits(b.epochs[i].train_accuracy));
    EXPECT_EQ(all_bits(a.epochs[i].active_fraction), all_bits(b.epochs[i].active_fraction));
  }
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i)
    EXPECT_EQ(all_bits(a.steps[i].probe_accuracy), all_bits(b.steps[i].probe_accuracy));
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    EXPECT_EQ(a.layers[i].usage_learned, b.layers[i].usage_learned);
    EXPECT_EQ(a.layers[i].usage_final, b.layers[i].usage_final);
  }
  ASSERT_EQ(a.pictures.size(), b.pictures.size());
  for (std::size_t i = 0; i < a.pictures.size(); ++i) {
    EXPECT_EQ(a.pictures[i].moments, b.pictures[i].moments);
    EXPECT_EQ(a.pictures[i].pixels, b.pictures[i].pixels) << a.pictures[i].name;
  }
  ASSERT_EQ(a.representations.size(), b.representations.size());
  for (std::size_t i = 0; i < a.representations.size(); ++i) {
    const RepresentationRecord &x = a.representations[i], &y = b.representations[i];
    EXPECT_EQ(all_bits(x.probe_accuracy), all_bits(y.probe_accuracy));
    EXPECT_EQ(all_bits(x.drift), all_bits(y.drift));
    EXPECT_EQ(all_bits(x.overlap), all_bits(y.overlap));
    EXPECT_EQ(all_bits(x.active_overlap), all_bits(y.active_overlap));
  }
  for (const auto field : {&RunRecord::unit_plasticity, &RunRecord::weight_plasticity}) {
    ASSERT_EQ((a.*field).size(), (b.*field).size());
    for (std::size_t i = 0; i < (a.*field).size(); ++i)
      for (std::size_t m = 0; m < (a.*field)[i].measures.size(); ++m)
        EXPECT_EQ(all_bits((a.*field)[i].measures[m]), all_bits((b.*field)[i].measures[m]));
  }
}

}  // namespace engram
