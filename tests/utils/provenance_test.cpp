#include "utils/provenance.h"

#include <algorithm>
#include <regex>
#include <set>

#include <gtest/gtest.h>

namespace engram {
namespace {

std::string fact(const Facts& facts, const std::string& name) {
  for (const auto& [key, value] : facts)
    if (key == name) return value;
  return "(absent)";
}

TEST(Provenance, KnowsTheMachineTheCompilerAndTheLibraries) {
  const Facts facts = collect_provenance();
  for (const char* name :
       {"engram_version", "git", "compiler", "flags", "cpu", "blas_core", "threads", "os",
        "openblas", "hdf5", "boost", "xtensor", "xsimd", "fmt", "started"})
    EXPECT_FALSE(fact(facts, name).empty() || fact(facts, name) == "(absent)") << name;
  for (const char* name : {"hdf5", "boost", "xtensor", "xsimd", "fmt"})
    EXPECT_TRUE(std::regex_match(fact(facts, name), std::regex(R"(\d+\.\d+\.\d+)"))) << name;
  EXPECT_NE(fact(facts, "openblas").find("OpenBLAS"), std::string::npos);
  EXPECT_EQ(fact(facts, "engram_version"), engram_version());
}

TEST(Provenance, NamesEveryFactOnce) {
  std::set<std::string> names;
  for (const auto& [name, value] : collect_provenance())
    EXPECT_TRUE(names.insert(name).second);
}

TEST(Provenance, GivesARevisionOrSaysThatItIsUnknown) {
  const std::string git = fact(collect_provenance(), "git");
  EXPECT_TRUE(std::regex_match(git, std::regex(R"(unknown|[0-9a-f]{12,40}(\+changes)?)"))) << git;
}

TEST(Provenance, WritesTheTimeAsIso8601InUtc) {
  EXPECT_TRUE(std::regex_match(utc_now(), std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
}

TEST(Provenance, SeesMemoryGrow) {
  const std::size_t before = peak_rss_bytes();
  EXPECT_GT(before, 1'000'000u);
  std::string block(before + 50'000'000, 'x');
  EXPECT_GT(peak_rss_bytes(), before + 20'000'000) << block.size();
}

}  // namespace
}  // namespace engram
