// A user brings pictures and learns from them without writing code.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "exps/results_file.h"
#include "tests/e2e/program.h"
#include "tests/e2e/stripes.h"

namespace engram {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kCfg = R"([stripes]
about = three stripes, one after the other
benchmark = own
data_path = stripes
stream = split
tasks = 3
classes_per_task = 1
repeats = 2
scenario = class
hidden = 20
batch_size = 4
)";

TEST(OwnPictures, AreLearntFromBySayingWhereTheyAre) {
  Program engram(kCfg);
  put_stripes(engram / "sets/stripes");
  const Said lost = engram({"run", "stripes"});
  EXPECT_EQ(lost.code, 66) << lost.err;
  EXPECT_THAT(lost.err, AllOf(HasSubstr("data_path = stripes"), HasSubstr("Looked for")));
  const Said planned = engram({"run", "stripes", "--data", "sets", "--dry-run"});
  EXPECT_EQ(planned.code, 0) << planned.err;
  EXPECT_THAT(planned.out, AllOf(HasSubstr("split own (stripes)"), HasSubstr("8x8x1")));
  const Said done = engram({"run", "stripes", "--data", "sets", "--no-report"});
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("after 6 top"), HasSubstr("after 4 left")));
  const RunRecord run = load_results(engram / "results/stripes/seed-0.h5");
  EXPECT_TRUE(run.complete);
  EXPECT_EQ(run.accuracy.shape(0), 7u);
  bool digest = false;
  for (const auto& [name, value] : run.provenance)
    digest = digest || (name == "data_sha256" && value.size() == 64);
  EXPECT_TRUE(digest);
}

}  // namespace
}  // namespace engram
