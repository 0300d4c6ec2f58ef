#include "exps/report/report.h"

#include <regex>

#include <gtest/gtest.h>

#include "tests/exps/sample_run.h"

namespace engram {
namespace {

const std::string kHostile = "</script><!--<img src=x onerror=alert(1)>";

ResultsSet set_of(const std::string& label) {
  ResultsSet set;
  set.experiments.push_back({label, "a", {sample_run("a", 3, 0), sample_run("a", 3, 1)}, {}});
  set.experiments.push_back(
      {"b", "b", {sample_run("b", 3, 0, 0.2), sample_run("b", 3, 1, 0.2)}, {}});
  return set;
}

std::string embedded(const std::string& page) {
  const std::string open = "id=\"engram-data\">";
  const auto begin = page.find(open) + open.size();
  return page.substr(begin, page.find("</script>", begin) - begin);
}

TEST(Report, EmbedsItsDataSoThatTheyParseBackEqual) {
  const ResultsSet set = set_of("a");
  EXPECT_EQ(nlohmann::json::parse(embedded(report_html(set))), report_json(set));
}

TEST(Report, HostileNamesNeverBecomeMarkup) {
  const std::string page = report_html(set_of(kHostile), {.title = kHostile});
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(embedded(page))["experiments"][0]["label"], kHostile);
}

TEST(Report, DataThatStandInAScriptElementCannotEndItOrALine) {
  const nlohmann::json data{{"name", kHostile + "\u2028\u2029&"}, {"broken", "\xff"}};
  const std::string text = script_safe(data);
  EXPECT_EQ(text.find_first_of("<>&"), std::string::npos);
  EXPECT_EQ(text.find("\u2028"), std::string::npos);
  EXPECT_EQ(text.find("\u2029"), std::string::npos);
  const nlohmann::json back = nlohmann::json::parse(text);
  EXPECT_EQ(back["name"], data["name"]);
  EXPECT_EQ(back["broken"], "\uFFFD");
}

TEST(Report, EscapesWhatMeansSomethingInHtml) {
  EXPECT_EQ(html_escaped("<a b=\"c\" d='e'>&f"), "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;f");
}

TEST(Report, LoadsNothingFromElsewhere) {
  const std::string page = report_html(set_of("a"));
  const std::regex tag("<(link|img|iframe|object|embed|base)[ >]", std::regex::icase);
  const std::string markup = page.substr(0, page.find("id=\"engram-data\""));
  EXPECT_FALSE(std::regex_search(markup, tag));
  for (const char* outside : {"src=\"http", "src='http", "src=\"//", "href=\"http", "href='http",
                              "href=\"//", "@import", "sourceMappingURL"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_NE(markup.find("default-src 'none'"), std::string::npos);
}

TEST(Report, ComparesEveryPairOfExperimentsForAccuracyAndForgetting) {
  const nlohmann::json list = report_json(set_of("a"))["comparisons"];
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["metric"], "average_accuracy");
  EXPECT_EQ(list[1]["metric"], "forgetting");
  for (const nlohmann::json& one : list) {
    EXPECT_EQ(one["experiments"], nlohmann::json({"a", "b"}));
    ASSERT_EQ(one["pairs"].size(), 1u);
    EXPECT_EQ(one["pairs"][0]["seeds"].size(), 2u);
  }
}

TEST(Report, KeepsForeignExperimentsApartAndSaysWhyAPairIsNotCompared) {
  ResultsSet set = set_of("a");
  set.experiments.push_back({"long", "c", {sample_run("c", 4, 0), sample_run("c", 4, 1)}, {}});
  set.experiments.push_back({"late", "d", {sample_run("d", 4, 7), sample_run("d", 4, 8)}, {}});
  const nlohmann::json list = report_json(set)["comparisons"];
  ASSERT_EQ(list.size(), 4u);
  for (std::size_t i : {0u, 1u}) {
    EXPECT_EQ(list[i]["experiments"], nlohmann::json({"a", "b"}));
    EXPECT_FALSE(list[i].contains("refused"));
  }
  for (std::size_t i : {2u, 3u}) {
    EXPECT_EQ(list[i]["experiments"], nlohmann::json({"long", "late"}));
    EXPECT_FALSE(list[i].contains("pairs"));
    EXPECT_NE(list[i]["refused"].get<std::string>().find("seed"), std::string::npos);
  }
}

TEST(Report, AnExperimentWithoutForgettingDoesNotKeepTheOthersFromBeingCompared) {
  ResultsSet set = set_of("a");
  std::vector<RunRecord> joint{sample_run("joint", 3, 0), sample_run("joint", 3, 1)};
  for (RunRecord& run : joint)
    for (std::size_t i = 1; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j)
        run.accuracy(i, j) = kNotEvaluated;
  set.experiments.insert(set.experiments.begin(), {"joint", "j", joint, {}});
  const nlohmann::json list = report_json(set)["comparisons"];
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["pairs"].size(), 3u);
  EXPECT_FALSE(list[0].contains("left_out"));
  ASSERT_EQ(list[1]["pairs"].size(), 1u);
  EXPECT_EQ(list[1]["pairs"][0]["a"], "a");
  EXPECT_EQ(list[1]["left_out"], nlohmann::json({"joint"}));
  EXPECT_EQ(list[1]["experiments"], nlohmann::json({"joint", "a", "b"}));
}

TEST(Report, ThinsOutWhatIsTooLongAndKeepsBothEnds) {
  ResultsSet set = set_of("a");
  for (ExperimentRuns& e : set.experiments)
    for (RunRecord& run : e.runs) {
      const StepRow row = run.steps.back();
      for (int i = 1; i <= 500; ++i) {
        run.steps.push_back(row);
        run.steps.back().step += i;
      }
    }
  const nlohmann::json data = report_json(set, {.most_steps = 50, .most_numbers = 70});
  const nlohmann::json& runs = data["experiments"][1]["runs"];
  const nlohmann::json& steps = runs[0]["steps"];
  EXPECT_EQ(steps.size(), 20u);
  EXPECT_EQ(steps.front()["step"], 100);
  EXPECT_EQ(steps.back()["step"], 800);
  EXPECT_FALSE(runs[0]["layers"][0].contains("usage_learned"));
  EXPECT_TRUE(runs[0]["layers"][0].contains("usage_final"));
  EXPECT_FALSE(runs[1]["layers"][0].contains("usage_final"));
}

TEST(Report, ShowsPicturesOfTheFirstSeedAtFewMoments) {
  ResultsSet set = set_of("a");
  PictureRecord& long_one = set.experiments[0].runs[0].pictures[0];
  long_one.moments.assign(40, "sometime");
  long_one.moments.front() = "before training", long_one.moments.back() = "after task 39";
  long_one.pixels.resize(40 * 5 * 4 * 3);
  long_one.labels.resize(40 * 5), long_one.components.resize(40 * 5);
  const nlohmann::json data = report_json(set);
  const nlohmann::json& runs = data["experiments"][0]["runs"];
  EXPECT_TRUE(runs[1]["pictures"].empty());
  EXPECT_TRUE(runs[1]["embeddings"].empty());
  EXPECT_FALSE(runs[1]["goodness"].empty());
  const nlohmann::json& moments = runs[0]["pictures"][0]["moments"];
  ASSERT_EQ(moments.size(), 12u);
  EXPECT_EQ(moments.front()["name"], "before training");
  EXPECT_EQ(moments.back()["name"], "after task 39");
  EXPECT_EQ(runs[0]["pictures"][0]["all_moments"], 40);

  set.experiments[1].runs[0].pictures.clear(), set.experiments[1].runs[0].embeddings.clear();
  const nlohmann::json others = report_json(set)["experiments"][1]["runs"];
  EXPECT_TRUE(others[0]["pictures"].empty());
  EXPECT_EQ(others[1]["pictures"].size(), 2u) << "the first seed that has any";

  // Where there is room for two images only, of all sets.
  const std::size_t one = (12 + 3 * 2) * 12 + (1 + 3) * 2 * 12;
  EXPECT_EQ(report_json(
                set, {.most_pixels = 2 * one})["experiments"][1]["runs"][1]["pictures"][1]["count"],
            2);
}

TEST(Report, HasAPanelForEveryKindOfRecord) {
  const std::string page = report_html(set_of("a"));
  for (const char* panel : {"Goodness", "Drift of classes", "Representations", "Plasticity",
                            "Samples", "Receptive fields", "Attribution maps", "Embedding"})
    EXPECT_NE(page.find(std::string("anel(\"") + panel), std::string::npos) << panel;
  for (const char* made : {"goodnessPanel", "classGoodnessPanel", "samplePanel", "embeddingPanel"})
    EXPECT_NE(page.find(std::string(made) + ","), std::string::npos) << made;
}

TEST(Report, HoldsRunsOfOneSeedTogether) {
  // Names that follow from the seed; the first seed of one experiment is missing.
  const auto run = [](const char* name, std::uint64_t seed) {
    RunRecord r = sample_run(name, 4, seed);
    r.task_names[1] = "rotation " + std::to_string(seed);
    return r;
  };
  const ResultsSet set{{{"a", "a", {run("a", 0), run("a", 1), run("a", 2)}, {}},
                        {"b", "b", {run("b", 1), run("b", 2)}, {}}},
                       {}};
  const nlohmann::json list = report_json(set)["comparisons"];
  ASSERT_FALSE(list.empty());
  EXPECT_EQ(list[0]["experiments"], nlohmann::json({"a", "b"}));
}

}  // namespace
}  // namespace engram
