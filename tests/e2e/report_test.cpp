// `engram report` from outside, without a browser.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "exps/results_file.h"
#include "tests/e2e/program.h"
#include "tests/exps/sample_run.h"

namespace engram {
namespace {

namespace fs = std::filesystem;

class Report : public ::testing::Test {
 protected:
  Program engram{"[tiny]\nbenchmark = synthetic\n"};

  void save(const std::string& name, double fading) {
    for (const std::uint64_t seed : {0u, 1u, 2u})
      save_results(engram / ("results/" + name + "/seed-" + std::to_string(seed) + ".h5"),
                   sample_run(name, 3, seed, fading), ForgettingDefinition::Chaudhry);
  }
  nlohmann::json data_of(const std::string& file) {
    const std::string page = TempFolder::read(engram / file), open = "id=\"engram-data\">";
    const auto begin = page.find(open) + open.size();
    return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin), nullptr,
                                 false);
  }
  /// A refusal leaves no page and says all parts on stderr.
  void expect_refusal(const Said& said, int code, const std::vector<std::string>& parts) {
    EXPECT_EQ(said.code, code) << said.err;
    EXPECT_EQ(said.out, "");
    for (const std::string& part : parts)
      EXPECT_NE(said.err.find(part), std::string::npos) << part << " is missing in " << said.err;
    EXPECT_FALSE(fs::exists(engram / "report.html"));
  }
};

TEST_F(Report, WritesThePageOfFoldersAndNamesAndSaysWhere) {
  save("leaky", 0.2), save("steady", 0.01);
  const Said said = engram({"report", "leaky", "results/steady", "--title", "Ours"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(said.out.find("report.html ("), 0u) << said.out;
  const nlohmann::json data = data_of("report.html");
  ASSERT_FALSE(data.is_discarded());
  EXPECT_EQ(data["title"], "Ours");
  ASSERT_EQ(data["experiments"].size(), 2u);
  EXPECT_EQ(data["experiments"][0]["label"], "leaky");
  EXPECT_EQ(data["experiments"][1]["runs"].size(), 3u);
}

TEST_F(Report, NamesWhatItLeavesOutOnStderrAndInThePage) {
  save("steady", 0.01);
  engram.folder().write("results/steady/seed-7.h5", "not an HDF5 file");
  const Said said = engram({"report", "results", "-o", "all.html"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_NE(said.err.find("seed-7.h5"), std::string::npos) << said.err;
  const nlohmann::json skipped = data_of("all.html")["skipped"];
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_NE(skipped[0]["file"].get<std::string>().find("seed-7.h5"), std::string::npos);
}

TEST_F(Report, RefusesNothingAtAllUnknownNamesAndPlacesWhereNoPageCanBe) {
  save("steady", 0.01);
  expect_refusal(engram({"report"}), 64, {"of which results"});
  expect_refusal(engram({"report", "stedy"}), 66, {"report:", "stedy", "steady"});
  expect_refusal(engram({"report", "steady", "-o", "results"}), 64,
                 {"is a folder", "results/report.html"});
  engram.folder().write("taken", "a file");
  expect_refusal(engram({"report", "steady", "-o", "taken/page.html"}), 73, {"taken"});
  engram.folder().write("broken/seed-0.h5", "not an HDF5 file");
  expect_refusal(engram({"report", "broken"}), 66, {"broken/seed-0.h5"});
}

}  // namespace
}  // namespace engram
