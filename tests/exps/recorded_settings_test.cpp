// When a recorded run is of the wanted settings although options were added since.
#include "exps/recorded_settings.h"

#include <gmock/gmock.h>

#include "exps/experiment.h"

namespace engram {
namespace {

using testing::HasSubstr;

std::string text_of(const std::vector<std::pair<std::string, std::string>>& values) {
  Config c;
  for (const auto& [key, value] : values)
    c.set(key, value, "test");
  return read_settings("x", std::move(c)).config.resolved_text();
}

TEST(RecordedSettings, EqualTextsDoNotDiffer) {
  EXPECT_EQ(settings_difference(text_of({{"lr", "0.1"}}), text_of({{"lr", "1e-1"}})), "");
}

TEST(RecordedSettings, TheFirstSettingThatDiffersIsNamedWithBothValues) {
  EXPECT_EQ(settings_difference(text_of({{"lr", "0.1"}, {"tasks", "7"}}),
                                text_of({{"lr", "0.2"}, {"tasks", "8"}})),
            "lr = 0.1 instead of 0.2");
}

TEST(RecordedSettings, AKeyThatOneSideLacksHasItsDefault) {
  EXPECT_EQ(settings_difference("a_key_of_once = 1\n", ""),
            "a_key_of_once = 1 instead of (unknown)");
  EXPECT_EQ(settings_difference("", text_of({})), "");
  EXPECT_EQ(settings_difference("lr = 0.125\n", ""), "lr = 0.125 instead of 0.01");
  EXPECT_EQ(settings_difference("", "lr = 0.125\n"), "lr = 0.01 instead of 0.125");
}

TEST(RecordedSettings, OnlyWhatIsNotAtItsDefaultNamesAFolder) {
  EXPECT_EQ(chosen_settings(text_of({})), "");
  EXPECT_EQ(chosen_settings(text_of({{"lr", "0.01"}, {"tasks", "7"}})), "tasks = 7\n");
  EXPECT_THAT(chosen_settings("no_such_option = 3\n"), HasSubstr("no_such_option"));
}

}  // namespace
}  // namespace engram
