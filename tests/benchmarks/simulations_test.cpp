// What every simulation of the table keeps to.
#include "benchmarks/simulations/simulations.h"

#include "tests/benchmarks/helpers.h"

namespace engram {
namespace {

using testing::HasSubstr;

TEST(Simulations, AreKnownByName) {
  EXPECT_TRUE(is_simulation("flock"));
  EXPECT_TRUE(is_simulation("drive"));
  EXPECT_FALSE(is_simulation("mnist"));
}

std::string complaint(std::string_view name, std::string_view regime) {
  try {
    make_simulation(name, {}, regime, Role::Train);
  } catch (const Error& e) {
    EXPECT_EQ(e.fault(), Fault::Config);
    return e.what();
  }
  return "";
}

TEST(Simulations, SuggestTheNearestNames) {
  EXPECT_THAT(complaint("flocks", "mixed"), HasSubstr("did you mean 'flock'"));
  EXPECT_THAT(complaint("drive", "trafic"), HasSubstr("did you mean 'traffic'"));
  EXPECT_THAT(complaint("flock", "circus"), HasSubstr("known: mixed, align"));
}

}  // namespace
}  // namespace engram
