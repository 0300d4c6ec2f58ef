#include "utils/provenance.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace engram {
namespace {

std::string fact(const Facts& facts, const std::string& name) {
  for (const auto& [key, value] : facts)
    if (key == name) return value;
  return "(absent)";
}

/// The text with every run of digits written as one 9: "1.10.8" has the form "9.9.9".
std::string form(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || out.empty() || out.back() != '9') out += digit ? '9' : c;
  }
  return out;
}

TEST(Provenance, KnowsTheMachineTheCompilerAndTheLibraries) {
  const Facts facts = collect_provenance();
  for (const char* name :
       {"engram_version", "git", "compiler", "flags", "cpu", "blas_core", "denormals", "threads",
        "os", "openblas", "hdf5", "boost", "xtensor", "xsimd", "fmt", "started"})
    EXPECT_FALSE(fact(facts, name).empty() || fact(facts, name) == "(absent)") << name;
  for (const char* name : {"hdf5", "boost", "xtensor", "xsimd", "fmt"})
    EXPECT_EQ(form(fact(facts, name)), "9.9.9") << name;
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
  if (git == "unknown") return;
  const std::size_t length = std::min(git.find_first_not_of("0123456789abcdef"), git.size());
  EXPECT_GE(length, 12u) << git;
  EXPECT_TRUE(length == git.size() || git.substr(length) == "+changes") << git;
}

TEST(Provenance, WritesTheTimeAsIso8601InUtc) {
  EXPECT_EQ(form(utc_now()), "9-9-9T9:9:9Z");
  EXPECT_EQ(utc_now().size(), 20u);
}

TEST(Provenance, SeesMemoryGrow) {
  const std::size_t before = peak_rss_bytes();
  EXPECT_GT(before, 1'000'000u);
  std::string block(before + 50'000'000, 'x');
  EXPECT_GT(peak_rss_bytes(), before + 20'000'000) << block.size();
}

}  // namespace
}  // namespace engram
