#include "utils/config.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"

namespace engram {
enum class Paint { Red, Green };
template <>
struct Choices<Paint> {
  static constexpr std::array<std::string_view, 2> names{"red", "green"};
};

namespace {
struct Sample {
  int tasks = 10;
  double lambda = 400;
  std::string name = "mlp";
  Paint paint = Paint::Red;
  template <class V>
  void describe(V&& v) {
    v("tasks|num_batch", tasks, Range::at_least(1), "how many tasks");
    v("ewc.lambda", lambda, Range::at_least(0), "strength");
    v("model", name, "which model");
    v("paint", paint, "a choice");
  }
};

TEST(Config, CanBeOverruledUnderAnySpelling) {
  Config config;
  config.set("num_batch", "3", "a.cfg:2");
  config.set("model", "mlp", "a.cfg:3");
  config.overrule("tasks", "7", "--grid");
  EXPECT_EQ(config.read<Sample>().tasks, 7);
  EXPECT_NE(config.resolved_sources().find("tasks: --grid"), std::string::npos);
}

TEST(Config, GivesKeysAwayWithTheirPlaces) {
  Config config;
  config.set("tasks", "3", "a.cfg:2");
  config.set("model", "mlp", "a.cfg:3");
  const Config taken = config.take_out([](std::string_view key) { return key == "model"; });
  ASSERT_EQ(taken.values().size(), 1u);
  EXPECT_EQ(taken.values().at("model").source, "a.cfg:3");
  EXPECT_EQ(config.values().size(), 1u);
}

TEST(Config, FillsOptionsAndRecordsThem) {
  Config config;
  config.set("tasks", "3", "a.cfg:2");
  config.set("paint", "green", "a.cfg:3", true);
  const auto sample = config.read<Sample>();
  EXPECT_EQ(sample.tasks, 3);
  EXPECT_EQ(sample.lambda, 400);
  EXPECT_EQ(sample.paint, Paint::Green);
  EXPECT_EQ(config.resolved_text(), "ewc.lambda = 400\nmodel = mlp\npaint = green\ntasks = 3\n");
  EXPECT_EQ(config.resolved_sources(),
            "ewc.lambda: default\nmodel: default\npaint: a.cfg:3\ntasks: a.cfg:2\n");
  EXPECT_EQ(config.resolved().front().key, "tasks");
}

TEST(Config, RecordsAKeyOnceHoweverOftenItIsRead) {
  Config config;
  config.set("tasks", "03", "a.cfg:2");
  config.read<Sample>();
  config.read<Sample>();
  EXPECT_EQ(config.resolved().size(), 4u);
  EXPECT_EQ(config.resolved().front().text, "3");
}

TEST(Config, NamesTheLineOfAMisspeltKey) {
  Config config;
  config.set("tasks", "3", "a.cfg:2");
  config.set("ewc.lamda", "3", "a.cfg:7");
  config.read<Sample>();
  EXPECT_EQ(error_of([&] { config.require_all_used(list_options<Sample>()); }),
            "a.cfg:7: unknown key 'ewc.lamda'; did you mean 'ewc.lambda'?");
}

TEST(Config, GuessesThePartThatAKeyBelongsTo) {
  Config config;
  config.set("lambda", "3", "a.cfg:7");
  EXPECT_SAYS(error_of([&] { config.require_all_used(list_options<Sample>()); }),
              "did you mean 'ewc.lambda'?");
}

TEST(Config, NamesTheLineOfAKeyWithoutEffect) {
  Config config;
  config.set("ewc.lambda", "3", "a.cfg:7");
  const auto known = list_options<Sample>();
  EXPECT_SAYS(error_of([&] { config.require_all_used(known); }), "a.cfg:7: 'ewc.lambda' has no");
  config.read<Sample>();
  EXPECT_NO_THROW(config.require_all_used(known));
}

TEST(Config, AllowsUnusedInheritedKeysButNoMisspeltOnes) {
  Config config;
  config.set("ewc.lambda", "3", "a.cfg:7", true);
  EXPECT_NO_THROW(config.require_all_used(list_options<Sample>()));
  config.set("num_bach", "3", "a.cfg:8", true);
  EXPECT_SAYS(error_of([&] { config.require_all_used(list_options<Sample>()); }), "'num_batch'");
}

TEST(Config, NamesTheLineOfAValueThatDoesNotFit) {
  Config config;
  config.set("num_batch", "ten", "a.cfg:2");
  EXPECT_EQ(error_of([&] { config.read<Sample>(); }),
            "a.cfg:2: 'ten' does not fit 'tasks' (integer)");
  config.set("num_batch", "0", "a.cfg:2");
  EXPECT_EQ(error_of([&] { config.read<Sample>(); }),
            "a.cfg:2: 'tasks' = 0 is out of range: it must be >= 1");
  config.set("num_batch", "1", "a.cfg:2");
  config.set("paint", "gren", "--set");
  EXPECT_EQ(error_of([&] { config.read<Sample>(); }),
            "--set: 'gren' does not fit 'paint' (red | green); did you mean 'green'?");
}

/// Two parts with an option of the same last name, and one that begins like another word.
struct OtherPart {
  int lambda = 0, batch_size = 0;
  template <class V>
  void describe(V&& v) {
    v("l2.lambda", lambda, "another lambda");
    v("batch_size", batch_size, "examples of a step");
  }
};

TEST(Config, GuessesWhatThisExperimentReadsFirst) {
  auto known = list_options<OtherPart>();
  const auto more = list_options<Sample>();
  known.insert(known.end(), more.begin(), more.end());
  const auto hint = [&](const std::string& key, auto part) {
    Config config;
    config.set(key, "3", "a.cfg:7");
    if constexpr (!std::is_same_v<decltype(part), int>) config.read<decltype(part)>();
    return error_of([&] { config.require_all_used(known); });
  };
  EXPECT_SAYS(hint("lambda", Sample{}), "did you mean 'ewc.lambda'?");
  EXPECT_SAYS(hint("lambda", OtherPart{}), "did you mean 'l2.lambda'?");
  EXPECT_SAYS(hint("lambda", 0), "did you mean 'l2.lambda' or 'ewc.lambda'?");
  EXPECT_SAYS(hint("batch", OtherPart{}), "did you mean 'batch_size'?");
}

}  // namespace
}  // namespace engram
