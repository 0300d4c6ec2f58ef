// Published figures: their files, how ours are judged, and the page that says so.
#include "exps/published/published.h"

#include <gtest/gtest.h>

#include "exps/experiment.h"
#include "exps/published/reproduced_page.h"
#include "tests/exps/sample_run.h"
#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"

namespace engram {
namespace {

constexpr const char* kGood = R"([_base]
run = tiny
seeds = 0..1
source = Somebody 2020

[one]
inherits = _base
published = 0.6
sd = 0.01
band = 0.05

[two]
inherits = _base
published = 0.8
low = 0.7
task = 2
evidence = V2
effort = long
)";

std::vector<PublishedFigure> load(const std::string& cfg) {
  TempFolder folder;
  folder.write("family.cfg", cfg);
  return load_published(folder.path());
}

/// Two tasks; 0.9 just learnt, and at the end `old` and `last`.
RunRecord run_of(std::uint64_t seed, double old, double last) {
  RunRecord run = sample_run("tiny", 2, seed);
  run.accuracy.fill(kNotEvaluated);
  run.accuracy(1, 0) = 0.9, run.accuracy(2, 0) = old, run.accuracy(2, 1) = last;
  return run;
}

TEST(Published, IsReadWithItsBand) {
  const auto all = load(kGood);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "one");
  EXPECT_EQ(all[0].family, "family");
  EXPECT_DOUBLE_EQ(all[0].low, 0.55);
  EXPECT_DOUBLE_EQ(all[0].high, 0.65);
  EXPECT_EQ(all[0].seeds, (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(all[1].low, 0.7);
  EXPECT_TRUE(std::isinf(all[1].high));
  EXPECT_EQ(all[1].measure(), "accuracy on task 2 at the end");
}

TEST(Published, RefusesWhatIsMissingContradictoryOrMisspelt) {
  const std::string head = "[x]\nrun = tiny\nsource = S\n";
  for (const auto& [cfg, part] : std::initializer_list<std::pair<std::string, std::string>>{
           {head + "band = 0.1\n", "'published' is missing"},
           {head + "published = 0.5\n", "either 'band'"},
           {head + "published = 0.5\nband = 0.1\nlow = 0.4\n", "either 'band'"},
           {head + "published = 0.5\nlow = 0.6\n", "outside its own band"},
           {head + "published = 0.5\nbnad = 0.1\n", "did you mean 'band'?"},
           {head + "published = 0.5\nband = 0.1\nmetric = avrage_accuracy\n", "average_accuracy"},
           {head + "published = 0.5\nband = 0.1\nseeds = 3..1\n", "3..1"},
           {"[x]\nrun = tiny\npublished = 0.5\nband = 0.1\n", "'source' is missing"}}) {
    const std::string why = error_of([&, c = cfg] { load(c); });
    EXPECT_NE(why.find(part), std::string::npos) << why;
    EXPECT_NE(why.find("family.cfg:"), std::string::npos) << why;
  }
}

TEST(Published, IsJudgedBothWays) {
  const PublishedFigure one = load(kGood)[0];  // 0.55 to 0.65
  const auto judge = [&](double old) {
    return reproduce(one, {run_of(0, old, 0.6), run_of(1, old, 0.6)}, {});
  };
  EXPECT_EQ(judge(0.6).agreement, Agreement::InBand);
  EXPECT_EQ(judge(0.6).verdict(), "in band");
  EXPECT_EQ(judge(0.4).agreement, Agreement::TooLow);   // 0.50
  EXPECT_EQ(judge(0.8).agreement, Agreement::TooHigh);  // 0.70
  EXPECT_NEAR(judge(0.8).beyond, 0.05, 1e-12);
  EXPECT_EQ(judge(0.8).verdict(), "too high by 0.05");
  EXPECT_NEAR(judge(0.4).ours.mean, 0.5, 1e-12);
}

TEST(Published, IsTheMeanOfAllSeedsOrNothing) {
  const PublishedFigure one = load(kGood)[0];
  const Reproduction r = reproduce(one, {run_of(0, 0.5, 0.6), run_of(1, 0.6, 0.7)}, {});
  EXPECT_NEAR(r.ours.mean, 0.6, 1e-12);
  EXPECT_NEAR(r.ours.sd, 0.1 / std::sqrt(2.0), 1e-12);
  EXPECT_EQ(reproduce(one, {run_of(0, 0.6, 0.6)}, {}).agreement, Agreement::Unknown);
}

TEST(Published, MayBeOneTaskOrADifference) {
  const PublishedFigure two = load(kGood)[1];  // task 2, at least 0.7
  EXPECT_EQ(reproduce(two, {run_of(0, 0.1, 0.75), run_of(1, 0.1, 0.75)}, {}).agreement,
            Agreement::InBand);
  EXPECT_EQ(reproduce(two, {run_of(0, 0.9, 0.65), run_of(1, 0.9, 0.65)}, {}).agreement,
            Agreement::TooLow);
  PublishedFigure beyond = two;
  beyond.options.task = 3;  // of two
  EXPECT_EQ(reproduce(beyond, {run_of(0, 1, 1), run_of(1, 1, 1)}, {}).agreement,
            Agreement::Unknown);
  PublishedFigure gap = load(kGood)[0];
  gap.options.minus = "other", gap.low = 0.1, gap.high = 0.2;
  const std::vector<RunRecord> a{run_of(0, 0.8, 0.8), run_of(1, 0.7, 0.7)};
  const std::vector<RunRecord> b{run_of(1, 0.5, 0.5), run_of(0, 0.7, 0.7)};
  const Reproduction r = reproduce(gap, a, b);  // 0.1 and 0.2, by seed
  EXPECT_NEAR(r.ours.mean, 0.15, 1e-12);
  EXPECT_NEAR(r.ours.sd, 0.1 / std::sqrt(2.0), 1e-12);
}

TEST(Published, IsFoundByNameFamilyOrAll) {
  const auto all = load(kGood);
  const auto count = [&](std::vector<std::string> names) {
    return chosen_figures(all, names).size();
  };
  EXPECT_EQ(count({"two"}), 1u);
  EXPECT_EQ(count({"family", "two"}), 2u);
  EXPECT_EQ(count({"all"}), 2u);
  EXPECT_NE(error_of([&] { count({"twoo"}); }, Fault::Usage).find("did you mean 'two'?"),
            std::string::npos);
}

TEST(ReproducedPage, KeepsWhatOthersWroteAndRowsOfOtherFigures) {
  const auto all = load(kGood);
  const auto judged = [&](std::size_t i, double value) {
    return std::map<std::string, Reproduction>{
        {all[i].name, reproduce(all[i], {run_of(0, value, value), run_of(1, value, value)}, {})}};
  };
  const std::string first = with_reproduced("# By hand\n", all, judged(1, 0.75));
  EXPECT_TRUE(first.starts_with("# By hand\n\n<!-- engram reproduce: begin -->"));
  EXPECT_NE(first.find("| `two` | `tiny` |"), std::string::npos);
  EXPECT_EQ(first.find("| `one` |"), std::string::npos);
  const std::string second = with_reproduced(first + "more\n", all, judged(0, 0.7));
  const auto one = second.find("| `one` |"), two = second.find("| `two` |");
  EXPECT_LT(one, two);
  EXPECT_NE(two, std::string::npos) << "the row of a figure that was not run again";
  EXPECT_NE(second.find("too high by 0.05"), std::string::npos);
  EXPECT_TRUE(second.ends_with("<!-- engram reproduce: end -->\nmore\n"));
  EXPECT_EQ(with_reproduced(second, all, judged(0, 0.7)), second);
  const auto fewer = std::span(all).first(1);
  EXPECT_EQ(with_reproduced(second, fewer, {}).find("| `two` |"), std::string::npos);
  const std::string begin = "<!-- engram reproduce: begin -->",
                    end = "<!-- engram reproduce: end -->";
  for (const std::string& page : {begin, end, end + begin})
    EXPECT_SAYS(error_of([&] { with_reproduced(page, all, {}); }, Fault::Data), "this order");
}

TEST(ReproducedPage, OneRunHasNoDeviation) {
  auto all = load(kGood);
  all[0].seeds = {0}, all[0].options.sd.reset();
  const std::string page =
      with_reproduced("", all, {{"one", reproduce(all[0], {run_of(0, 0.6, 0.6)}, {})}});
  EXPECT_NE(page.find("| 0.6000 | 0.5500 to 0.6500 | 0.6000 | 1 | in band |"), std::string::npos)
      << page;
}

TEST(ReproducedPage, CellsKeepTheirBars) {
  auto all = load(kGood);
  all[0].options.source = "P(a|b)", all[0].options.set = {"task_order=1|2"};
  const std::string page = with_reproduced(
      "", all, {{"one", reproduce(all[0], {run_of(0, 0.6, 0.6), run_of(1, 0.6, 0.6)}, {})}});
  EXPECT_NE(page.find("P(a\\|b)"), std::string::npos) << page;
  EXPECT_NE(page.find("task_order=1\\|2"), std::string::npos) << page;
}

TEST(Published, FiguresOfTheHouseAreOfExperimentsThatThereAre) {
  const std::filesystem::path exps = std::filesystem::path(ENGRAM_SOURCE_DIR) / "exps";
  const ExperimentBook book = ExperimentBook::load(exps);
  const auto all = load_published(exps / "published");
  EXPECT_GT(all.size(), 20u);
  for (const PublishedFigure& f : all)
    for (const std::string& name : {f.options.run, f.options.minus}) {
      if (name.empty()) continue;
      EXPECT_NO_THROW(read_settings(name, book.resolve(name, f.options.set))) << f.place;
    }
}

}  // namespace
}  // namespace engram
