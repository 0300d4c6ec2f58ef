#include "exps/export/export.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "exps/analysis/results_json.h"
#include "exps/export/pictures.h"
#include "exps/export/tables.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/contains.h"
#include "tests/utils/temp_folder.h"
#include "utils/error.h"

namespace engram {
namespace {

ExperimentRuns experiment(const std::string& label, double fading, int seeds = 3) {
  ExperimentRuns e{label, "results/" + label, {}, {}, ForgettingDefinition::Chaudhry};
  for (int seed = 0; seed < seeds; ++seed) {
    e.runs.push_back(sample_run(label, 4, static_cast<std::uint64_t>(seed), fading));
    e.files.push_back(e.folder / ("seed-" + std::to_string(seed) + ".h5"));
  }
  return e;
}

/// Rows and cells, by RFC 4180.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"')
      rows.back().back() += '"', ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && c == ',')
      rows.back().emplace_back();
    else if (!quoted && c == '\n')
      rows.push_back({""});
    else
      rows.back().back() += c;
  }
  rows.pop_back();
  return rows;
}

TEST(Export, CostSumsTheRowsThatWereEvaluated) {
  ResultsSet set{{experiment("naive", 0.1, 1)}, {}};
  RunRecord& run = set.experiments[0].runs[0];
  run.evaluate_seconds = {1, kNotEvaluated, 2.5};
  run.task_seconds = {4, kNotEvaluated};
  const auto rows = parse_csv(csv_text(find_tidy_table("cost"), set));
  ASSERT_EQ(rows.size(), 2u);
  const auto cell = [&](const char* column) {
    const auto at = std::ranges::find(rows[0], column);
    return at == rows[0].end() ? std::string("no column")
                               : rows[1][static_cast<std::size_t>(at - rows[0].begin())];
  };
  EXPECT_EQ(cell("training_seconds"), "4");
  EXPECT_EQ(cell("evaluating_seconds"), "3.5");
}

TEST(Export, CsvNumbersReadBackToTheSameBits) {
  const ResultsSet set{{experiment("naive", 0.1)}, {}};
  const auto rows = parse_csv(csv_text(find_tidy_table("accuracy"), set));
  ASSERT_EQ(rows.size(), 1u + 3 * 5 * 4);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"experiment", "seed", "after_task", "task",
                                               "task_name", "accuracy"}));
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const auto seed = std::stoul(rows[r][1]), i = std::stoul(rows[r][2]),
               j = std::stoul(rows[r][3]);
    const RunRecord& run = set.experiments[0].runs[seed];
    EXPECT_EQ(rows[r][4], run.task_names[j - 1]);
    const double value = run.accuracy(i, j - 1);
    if (std::isnan(value))
      EXPECT_EQ(rows[r][5], "");
    else
      EXPECT_EQ(std::stod(rows[r][5]), value);
  }
}

TEST(Export, EveryTableHasAsManyCellsAsColumnsAndSomeRows) {
  ResultsSet set{{experiment("naive", 0.1), experiment("agents", 0.02)}, {}};
  for (RunRecord& run : set.experiments[1].runs)
    add_sample_returns(run);
  for (const TidyTable& table : tidy_tables()) {
    const auto rows = parse_csv(csv_text(table, set));
    EXPECT_GT(rows.size(), 2u) << table.name;
    for (const auto& row : rows)
      ASSERT_EQ(row.size(), rows[0].size()) << table.name;
  }
}

TEST(Export, CsvQuotesWhateverANameHolds) {
  const std::string hostile = "a,\"b\"\nc";
  const ResultsSet set{{experiment(hostile, 0.1, 1)}, {}};
  const auto rows = parse_csv(csv_text(find_tidy_table("metrics"), set));
  for (std::size_t r = 1; r < rows.size(); ++r)
    EXPECT_EQ(rows[r][0], hostile);
}

TEST(Export, JsonHoldsWhatTheReportEmbeds) {
  const ResultsSet set{{experiment("naive", 0.1)}, {{"x.h5", "why not", false}}};
  const auto json = nlohmann::json::parse(json_text(set));
  EXPECT_EQ(json, results_json(set));
  EXPECT_EQ(json.at("skipped")[0].at("reason"), "why not");
  const ResultsSet broken{{experiment("\xff\xfe", 0.1)}, {}};
  EXPECT_NO_THROW(nlohmann::json::parse(json_text(broken)));
}

TEST(Export, GoodnessAndMeasuresAreTidy) {
  const ResultsSet set{{experiment("ff", 0.1, 1)}, {}};
  const auto measures = parse_csv(csv_text(find_tidy_table("measures"), set));
  ASSERT_EQ(measures.size(), 1u + 4 * 2 * 3);
  EXPECT_EQ(measures[5],
            (std::vector<std::string>{"ff", "0", "1", "2", "negative_goodness/1", "0.375"}));
  const auto goodness = parse_csv(csv_text(find_tidy_table("goodness"), set));
  ASSERT_EQ(goodness.size(), 1u + 5 * 4);
  EXPECT_EQ(goodness[4], (std::vector<std::string>{"ff", "0", "1", "0", "3", "2.5", ""}));
  const auto kept = parse_csv(csv_text(find_tidy_table("representations"), set));
  ASSERT_EQ(kept.size(), 1u + 5 * 4);
  EXPECT_EQ(kept[4], (std::vector<std::string>{"ff", "0", "k_winners.1", "0", "4", "0.87", ""}));
  EXPECT_EQ(kept[9],
            (std::vector<std::string>{"ff", "0", "k_winners.1", "2", "1", "0.88", "0.05"}));
  const auto shared = parse_csv(csv_text(find_tidy_table("representation_overlap"), set));
  ASSERT_EQ(shared.size(), 1u + 5 * 4 * 4);
  EXPECT_EQ(shared[2],
            (std::vector<std::string>{"ff", "0", "k_winners.1", "0", "1", "2", "0.5", "0"}));
  const auto able = parse_csv(csv_text(find_tidy_table("plasticity"), set));
  ASSERT_EQ(able.size(), 1u + (8 + 2) * 4);
  EXPECT_EQ(able[1], (std::vector<std::string>{"ff", "0", "k_winners.1", "1", "dead", "", "0.01"}));
  EXPECT_EQ(able[40],
            (std::vector<std::string>{"ff", "0", "linear/1", "4", "mean_weight", "0.16", "0.17"}));
  const auto points = parse_csv(csv_text(find_tidy_table("embedding"), set));
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[3], (std::vector<std::string>{"ff", "0", "codes", "3", "0.25", "0.25", "-1"}));
}

TEST(Export, JsonHoldsPicturesWholeUnlessAskedForFewer) {
  const ResultsSet set{{experiment("ff", 0.1, 1)}, {}};
  const nlohmann::json whole = results_json(set)["experiments"][0]["runs"][0];
  EXPECT_EQ(whole["optimizer_steps"], 4800);
  EXPECT_EQ(whole["measures"]["values"][1][0], 2.5);
  EXPECT_EQ(whole["goodness"][0]["with_others"][0][3], nullptr);
  EXPECT_EQ(whole["representations"][0]["linear_probe_accuracy"][1][1], nullptr);
  EXPECT_EQ(whole["representations"][0]["overlap_final"][0][3], 0.5) << "of the last row";
  EXPECT_EQ(whole["plasticity"]["units"][0]["dead"][0], nlohmann::json({nullptr, 0.01}));
  EXPECT_EQ(whole["plasticity"]["weights"][0]["layer"], "linear/1");
  const nlohmann::json& samples = whole["pictures"][0];
  EXPECT_EQ(samples["count"], 5);
  ASSERT_EQ(samples["moments"].size(), 2u);
  EXPECT_EQ(samples["moments"][1]["name"], "after task 1");
  EXPECT_EQ(samples["moments"][1]["labels"], nlohmann::json({-1, 0, 1, 2, 3}));
  EXPECT_EQ(samples["moments"][0]["pixels"].get<std::string>().substr(0, 8), "ACVKb5S5");
  EXPECT_EQ(samples["moments"][0]["pixels"].get<std::string>().size(), 80u) << "60 bytes";

  const nlohmann::json few =
      results_json(set, {.most_images = 2, .most_points = 2})["experiments"][0]["runs"][0];
  EXPECT_EQ(few["pictures"][0]["count"], 2);
  EXPECT_EQ(few["pictures"][0]["all_images"], 5);
  EXPECT_EQ(few["pictures"][0]["moments"][0]["pixels"].get<std::string>().size(), 32u);
  EXPECT_EQ(few["embeddings"][0]["labels"], nlohmann::json({0, -1})) << "the first and the last";
  EXPECT_EQ(few["embeddings"][0]["all_points"], 3);
}

TEST(Export, PicturesAreASheetForEveryMoment) {
  const TempFolder folder;
  ResultsSet set{{experiment("ff/2", 0.1, 2)}, {}};
  set.experiments[0].runs[1].pictures[0].moments[1] = "Before training";
  const auto files = write_pictures(set, folder / "sheets");
  ASSERT_EQ(files.size(), 8u);
  EXPECT_EQ(files[1].filename(), "ff_2-seed-0-samples-after-task-1.png");
  EXPECT_EQ(files[5].filename(), "ff_2-seed-1-samples-Before-training-2.png");
  for (const auto& file : files)
    EXPECT_EQ(TempFolder::read(file).substr(0, 4), "\x89PNG") << file;
}

/// The content of the first stored or deflated member is not read here: python_test.cpp does that
/// with NumPy itself.
TEST(Export, NpzIsAZipThatIsTheSameEveryTime) {
  const ResultsSet set{{experiment("naive", 0.1), experiment("er", 0.02)}, {}};
  const std::string bytes = npz_bytes(set);
  EXPECT_EQ(bytes.substr(0, 4), "PK\x03\x04");
  EXPECT_TRUE(contains(bytes, "naive/accuracy.npy"));
  EXPECT_TRUE(contains(bytes, "er/metric_definitions.npy"));
  for (const char* name :
       {"measures", "measure_names", "goodness/0/with_label", "goodness/0/with_others",
        "embedding/2/0/points", "representations/0/drift", "representations/0/active_overlap",
        "plasticity/units/0/dormant_0.1", "plasticity/weights/0/weight_norm"})
    EXPECT_TRUE(contains(bytes, fmt::format("er/{}.npy", name))) << name;
  EXPECT_EQ(bytes, npz_bytes(set));
}

TEST(Export, LatexEscapesEverySpecialCharacter) {
  EXPECT_EQ(latex_escaped("a_b%c&d#e$f{g}"), "a\\_b\\%c\\&d\\#e\\$f\\{g\\}");
  EXPECT_EQ(latex_escaped("\\~^"), "\\textbackslash{}\\textasciitilde{}\\textasciicircum{}");
  EXPECT_EQ(latex_escaped("a\nb"), "a b");
  const std::string table = latex_text(ResultsSet{{experiment("\\input{/etc/passwd}", 0.1)}, {}});
  EXPECT_TRUE(contains(table, "\\textbackslash{}input\\{/etc/passwd\\}")) << table;
  EXPECT_FALSE(contains(table, "\\input")) << table;
  EXPECT_TRUE(contains(table, ". ACC = mean over")) << table;
}

TEST(Export, LatexSetsInBoldTheBestAndWhatCannotBeToldFromIt) {
  // The same runs under two names differ in nothing; the third one is far worse.
  ExperimentRuns twin = experiment("replay", 0.02, 5);
  twin.label = "twin";
  ExperimentRuns naive = experiment("naive", 0.2, 5);
  for (RunRecord& run : naive.runs)  // a difference without any spread could not be tested
    run = sample_run("naive", 4, run.seed, 0.2 + 0.01 * static_cast<double>(run.seed));
  const ResultsSet set{{naive, experiment("replay", 0.02, 5), twin}, {}};
  std::istringstream lines(latex_text(set));
  std::string line, seen;
  while (std::getline(lines, line)) {
    const bool is_row = line.ends_with("\\\\");
    if (!is_row || line.starts_with("experiment")) continue;
    const std::string acc = line.substr(0, line.find("\\pm"));
    EXPECT_EQ(contains(acc, "\\mathbf"), !line.starts_with("naive")) << line;
    seen += line.substr(0, line.find(' ')) + " ";
  }
  EXPECT_EQ(seen, "naive replay twin ");
}

TEST(Export, LatexSaysWhyNothingIsBold) {
  ExperimentRuns other = experiment("longer", 0.1);
  for (RunRecord& run : other.runs)
    run = sample_run("longer", 5, run.seed, 0.1);
  const std::string table = latex_text(ResultsSet{{experiment("naive", 0.1), other}, {}});
  EXPECT_FALSE(contains(table, "\\mathbf"));
  EXPECT_TRUE(contains(table, "cannot be compared")) << table;
}

TEST(Export, NamesTheNearestFormatAndTable) {
  EXPECT_EQ(find_export_format("npz").name, "npz");
  for (const auto& attempt :
       {+[] { find_export_format("latx"); }, +[] { find_tidy_table("metric"); }}) {
    try {
      attempt();
      FAIL() << "was found";
    } catch (const Error& e) {
      EXPECT_EQ(e.fault(), Fault::Usage);
      EXPECT_TRUE(contains(e.what(), "did you mean")) << e.what();
    }
  }
}

TEST(Export, LatexNamesTheMetricThatHasNoBold) {
  ExperimentRuns a = experiment("a", 0.02, 5), b = experiment("b", 0.2, 5);
  for (ExperimentRuns* e : {&a, &b})
    for (RunRecord& run : e->runs)  // as evaluate_tasks = current leaves it
      for (std::size_t i = 0; i + 1 < run.accuracy.shape(0); ++i)
        for (std::size_t j = 0; j < run.accuracy.shape(1); ++j)
          if (i != j + 1) run.accuracy(i, j) = kNotEvaluated;
  const std::string table = latex_text(ResultsSet{{a, b}, {}});
  EXPECT_TRUE(contains(table, "\\mathbf")) << table;
  EXPECT_TRUE(contains(table, " Bold: the best, and those")) << table;
  EXPECT_TRUE(contains(table, " No forgetting is set in bold: forgetting is not known")) << table;
  EXPECT_FALSE(contains(table, "Nothing is set in bold")) << table;
}

TEST(Export, LatexTakesTheBestOverTheSeedsThatBothHave) {
  // Better wherever both ran, but with five seeds of its own that are far worse.
  ExperimentRuns a = experiment("a", 0.1, 5), b = experiment("b", 0.02, 10);
  for (RunRecord& run : b.runs)
    run = sample_run("b", 4, run.seed,
                     (run.seed < 5 ? 0.02 : 0.9) + 0.001 * static_cast<double>(run.seed));
  const std::string table = latex_text(ResultsSet{{a, b}, {}});
  const std::string row = table.substr(table.find("\nb & 10"), 60);
  EXPECT_TRUE(contains(row, "b & 10 & $\\mathbf{")) << table;
  EXPECT_FALSE(contains(table.substr(table.find("\na & 5"), 20), "mathbf")) << table;
}

}  // namespace
}  // namespace engram
