#include "utils/error.h"

#include <vector>

#include <gtest/gtest.h>

namespace engram {
namespace {

const std::vector<std::string> kKnown{"lambda", "epochs", "dropout", "k"};

TEST(Errors, CarryTheExitCodeOfTheirFault) {
  EXPECT_EQ(Error(Fault::Config, "x").exit_code(), 78);
  EXPECT_EQ(Error(Fault::MissingInput, "x").exit_code(), 66);
}

TEST(Errors, SayWhatWasBeingDone) {
  try {
    during("reading a", [] { during("line 3", [] { throw Error(Fault::Data, "no"); }); });
    FAIL() << "the error was swallowed";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "reading a: line 3: no");
    EXPECT_EQ(e.fault(), Fault::Data);
  }
}

TEST(Errors, LetValuesThroughUntouched) {
  int value = 1;
  int& same = during("x", [&]() -> int& { return value; });
  EXPECT_EQ(&same, &value);
}

TEST(Nearest, FindsNamesAFewSlipsAway) {
  EXPECT_EQ(nearest("lamda", kKnown), "lambda");      // a letter missing
  EXPECT_EQ(nearest("epohcs", kKnown), "epochs");     // two swapped
  EXPECT_EQ(nearest("dropoutt", kKnown), "dropout");  // one too many
  EXPECT_EQ(nearest("dropout", kKnown), "dropout");
}

TEST(Nearest, KeepsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest("momentum", kKnown), "");
  EXPECT_EQ(nearest("lxmxdx", kKnown), "");  // three of six letters are wrong
  EXPECT_EQ(nearest("anything", {}), "");
}

TEST(Nearest, PrefersTheNearer) {
  const std::vector<std::string> known{"epsilon_min", "epsilon_max"};
  EXPECT_EQ(nearest("epsilon_mx", known), "epsilon_max");
  EXPECT_EQ(nearest("epsilon_mn", known), "epsilon_min");
}

TEST(Suggestion, NamesTheNearestOrListsAll) {
  EXPECT_EQ(suggestion("lamda", kKnown), "; did you mean 'lambda'?");
  EXPECT_EQ(suggestion("momentum", kKnown), "; known: lambda, epochs, dropout, k");
  EXPECT_EQ(suggestion("momentum", {}), "");
}

TEST(InvariantDeathTest, StopsTheProgramAndNamesThePlace) {
  const int two = 2;
  EXPECT_DEATH(ENGRAM_INVARIANT(two == 3), "two == 3.*error_test.cpp");
  ENGRAM_INVARIANT(two == 2);
}

TEST(Nearest, ABeginningIsNearerThanAnySlip) {
  const std::vector<std::string> known{"lenet", "resnet56", "resnet_imagenet", "resnet18"};
  EXPECT_EQ(nearest("resnet", known), "resnet56");  // the first of the shortest
  EXPECT_EQ(nearest("lenett", known), "lenet");
}

TEST(Nearest, TakesFirstLettersForAName) {
  const std::vector<std::string> known{"ff", "feedback_alignment", "direct_feedback_alignment"};
  EXPECT_EQ(nearest("fa", known), "feedback_alignment");
  EXPECT_EQ(nearest("dfa", known), "direct_feedback_alignment");
  EXPECT_EQ(nearest("fx", known), "");  // half of two letters could be anything
}

}  // namespace
}  // namespace engram
