// Grids: how they are written, which points they span, and what they refuse.
#include "exps/sweep/grid.h"

#include <gtest/gtest.h>

#include "exps/experiment.h"
#include "tests/utils/error_of.h"

namespace engram {
namespace {

using Texts = std::vector<std::string>;

TEST(Grid, ReadsValuesPartedByCommas) {
  const GridAxis axis = parse_grid_axis("ewc.lambda= 1, 10 ,100");
  EXPECT_EQ(axis.key, "ewc.lambda");
  EXPECT_EQ(axis.values, (Texts{"1", "10", "100"}));
  EXPECT_EQ(parse_grid_axis("lr=0.1").values, Texts{"0.1"});
}

TEST(Grid, ReadsListsPartedByBars) {
  EXPECT_EQ(parse_grid_axis("hidden=400, 400 | 1000").values, (Texts{"400, 400", "1000"}));
}

TEST(Grid, RefusesWhatNobodyMeant) {
  for (const std::string text : {"lr", "=1", "lr=", "lr=0.1,,2", "lr=1,1", "lr=1|"})
    EXPECT_NE(error_of([&] { parse_grid_axis(text); }, Fault::Usage).find("--grid"),
              std::string::npos)
        << text;
  const std::string why = error_of([] { grid_axis("lr", "1,,2", "exps/x.cfg:7"); });
  EXPECT_NE(why.find("exps/x.cfg:7"), std::string::npos) << why;
}

TEST(Grid, SpansEveryCombinationTheLastAxisFastest) {
  const Grid grid{{"a", {"1", "2"}, ""}, {"b", {"x", "y", "z"}, ""}};
  const std::vector<GridPoint> expected{{"1", "x"}, {"1", "y"}, {"1", "z"},
                                        {"2", "x"}, {"2", "y"}, {"2", "z"}};
  EXPECT_EQ(grid_points(grid), expected);
  EXPECT_EQ(point_text(grid, expected[5]), "a = 2, b = z");
  EXPECT_EQ(grid_text(grid), "a: 1 | 2; b: x | y | z");
}

TEST(Grid, OfNothingIsOnePoint) {
  EXPECT_EQ(grid_points({}), std::vector<GridPoint>{{}});
  EXPECT_EQ(point_text({}, {}), "");
}

TEST(Grid, RefusesMorePointsThanAnybodyRuns) {
  Grid grid;
  for (int axis = 0; axis < 5; ++axis)
    grid.push_back({"k" + std::to_string(axis), Texts(10, "v"), ""});
  EXPECT_NE(error_of([&] { grid_points(grid); }, Fault::Usage).find("10000"), std::string::npos);
}

Settings settings_from(std::vector<std::pair<std::string, std::string>> values) {
  Config c;
  int line = 1;
  for (const auto& [key, value] : values)
    c.set(key, value, "x.cfg:" + std::to_string(line++));
  return read_settings("x", std::move(c));
}

TEST(SweepKeys, AreReadAndChangeNothingOfARun) {
  const Settings plain = settings_from({{"lr", "0.1"}});
  const Settings swept = settings_from({{"lr", "0.1"},
                                        {"grid.weight_decay", "0, 1e-4"},
                                        {"grid.hidden", "400, 400 | 1000"},
                                        {"grid.momentum", ""},
                                        {"selection", "first_tasks"},
                                        {"selection_tasks", "4"}});
  EXPECT_EQ(plain.digest(), swept.digest());
  EXPECT_EQ(swept.sweep.options.selection, Selection::FirstTasks);
  EXPECT_EQ(swept.sweep.options.selection_tasks, 4);
  ASSERT_EQ(swept.sweep.grid.size(), 2u) << "an empty grid takes one away";
  EXPECT_EQ(swept.sweep.grid[0].key, "hidden");
  EXPECT_EQ(swept.sweep.grid[1].key, "weight_decay");
  EXPECT_EQ(swept.sweep.grid[1].source, "x.cfg:2");
}

TEST(SweepKeys, NameThePlaceAndTheNearestName) {
  for (const auto& [key, value, near] :
       std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"grid.weight_deccay", "1", "weight_decay"},
           {"grid.lambda", "1", "lambda"},
           {"selection", "first_task", "first_tasks"},
           {"selection_task", "2", "selection_tasks"},
           {"selction", "oracle", "selection"},
           {"grid.selection_tasks", "2, 3", "no option"},
           {"selection_tasks", "0", "out of range"}}) {
    const std::string why = error_of([&, k = key, v = value] { settings_from({{k, v}}); });
    EXPECT_NE(why.find("x.cfg:1"), std::string::npos) << why;
    EXPECT_NE(why.find(near), std::string::npos) << why;
  }
}

}  // namespace
}  // namespace engram
