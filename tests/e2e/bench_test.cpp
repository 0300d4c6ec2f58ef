// `engram bench` from outside: what it refuses, what it prints, and that it can be stopped.
#include <csignal>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/e2e/program.h"

namespace engram {
namespace {

class BenchCommand : public ::testing::Test {
 protected:
  Program engram{""};
};

TEST_F(BenchCommand, RefusesWhatItDoesNotKnow) {
  const Said wrong = engram({"bench", "onlin"});
  EXPECT_EQ(wrong.code, 64);
  EXPECT_EQ(wrong.out, "");
  EXPECT_TRUE(contains(wrong.err, "did you mean 'online'?")) << wrong.err;
  EXPECT_EQ(engram({"bench", "--seconds", "0"}).code, 64);
  EXPECT_EQ(engram({"bench", "--seconds", "nan"}).code, 64);
  EXPECT_EQ(engram({"bench", "--threads", "0"}).code, 64);
}

TEST_F(BenchCommand, NamesItsWorkloads) {
  const Said names = engram({"bench", "--names"});
  EXPECT_EQ(names.code, 0);
  EXPECT_TRUE(names.out.starts_with("mlp1_sparse\n")) << names.out;
  EXPECT_TRUE(contains(engram({"bench", "--help"}).out, "hidden_4096"));
}

TEST_F(BenchCommand, PrintsATableAndWritesJson) {
  const Said said = engram({"bench", "online", "--seconds", "0.01", "--json", "figures.json"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.err, "") << "progress is for terminals";
  EXPECT_TRUE(contains(said.out, "\nonline ")) << said.out;
  EXPECT_TRUE(contains(said.out, "gemm peak")) << said.out;
  EXPECT_FALSE(contains(said.out, "\033"));
  const auto json = nlohmann::json::parse(TempFolder::read(engram / "figures.json"));
  EXPECT_GT(json.at("gemm_peak_gflops").get<double>(), 0);
  EXPECT_GT(json.at("memory_bandwidth_gb_s").get<double>(), 0);
  EXPECT_GT(json.at("workloads").at(0).at("step_ms").get<double>(), 0);
  EXPECT_GT(json.at("workloads").at(0).at("peak_rss_bytes").get<double>(), 0);
}

TEST_F(BenchCommand, PrintsNothingButJsonWhenAskedTo) {
  const Said said =
      engram({"bench", "online", "--seconds", "0.01", "--threads", "1", "--json", "-"});
  ASSERT_EQ(said.code, 0) << said.err;
  const auto json = nlohmann::json::parse(said.out);
  EXPECT_EQ(json.at("threads"), 1);
  EXPECT_EQ(json.at("workloads").at(0).at("name"), "online");
}

TEST_F(BenchCommand, EndsAtCtrlC) {
  Process process = engram.start({"bench", "online", "--seconds", "1000"});
  // Processes are started once signals are caught, not before.
  ASSERT_TRUE(process.wait_until([&] { return !process.children().empty(); }));
  process.signal(SIGINT);
  const Said said = process.wait();
  EXPECT_EQ(said.code, 130);
  EXPECT_EQ(said.out, "");
  EXPECT_EQ(said.err, "engram: interrupted\n");
  EXPECT_LT(said.seconds, 60);
}

}  // namespace
}  // namespace engram
