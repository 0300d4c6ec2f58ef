// The shape of the house, checked: who may include whom, tables against files, sizes of files.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "benchmarks/simulations/simulations.h"
#include "benchmarks/stream_table.h"
#include "exps/experiment.h"
#include "learners/agents/agent.h"
#include "learners/registry.h"
#include "learners/strategy.h"
#include "models/registry.h"

namespace engram {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

const fs::path kRoot = ENGRAM_SOURCE_DIR;
constexpr int kLongestFile = 500;

/// What a folder may include besides itself; tests may include everything.
const std::map<std::string, Names> kMayInclude{
    {"utils", {}},
    {"benchmarks", {"utils"}},
    {"models", {"utils"}},
    {"learners", {"utils", "benchmarks", "models"}},
    {"exps", {"utils", "benchmarks", "models", "learners"}}};

bool is_source(const fs::path& file) {
  return file.extension() == ".cpp" || file.extension() == ".h";
}

std::vector<fs::path> sources_below(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (is_source(entry.path())) out.push_back(entry.path());
  return out;
}

std::vector<fs::path> all_sources() {
  std::vector<fs::path> out = sources_below(kRoot / "tests");
  for (const auto& [folder, ignored] : kMayInclude)
    for (const fs::path& file : sources_below(kRoot / folder))
      out.push_back(file);
  return out;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    out.push_back(line);
  return out;
}

/// The paths in `#include "..."` lines.
std::vector<std::string> own_includes(const fs::path& file) {
  constexpr std::string_view kStart = "#include \"";
  std::vector<std::string> out;
  for (const std::string& line : lines_of(file))
    if (line.starts_with(kStart))
      out.push_back(line.substr(kStart.size(), line.rfind('"') - kStart.size()));
  return out;
}

/// Names of the .cpp files of a folder, without the ending.
Names files_in(const std::string& folder) {
  Names out;
  for (const auto& entry : fs::directory_iterator(kRoot / folder))
    if (entry.path().extension() == ".cpp") out.insert(entry.path().stem().string());
  return out;
}

template <class Table>
Names names_in(const Table& table) {
  Names out;
  for (const auto& entry : table)
    EXPECT_TRUE(out.emplace(entry.name).second) << entry.name << " stands in a table twice";
  return out;
}

TEST(Structure, DependenciesPointOneWay) {
  for (const auto& [folder, allowed] : kMayInclude)
    for (const fs::path& file : sources_below(kRoot / folder))
      for (const std::string& include : own_includes(file)) {
        const std::string from = include.substr(0, include.find('/'));
        EXPECT_TRUE(from == folder || allowed.contains(from))
            << file << " includes " << include << ", which is upstream or not a full path";
      }
}

TEST(Structure, IncludedFilesExist) {
  for (const fs::path& file : all_sources())
    for (const std::string& include : own_includes(file))
      EXPECT_TRUE(fs::exists(kRoot / include)) << file << " includes " << include;
}

TEST(Structure, EveryMethodIsAFileAndALineInATable) {
  EXPECT_EQ(files_in("learners/rules"), names_in(rules()));
  EXPECT_EQ(files_in("learners/strategies"), names_in(strategies()));
  EXPECT_EQ(files_in("models/gatings"), names_in(gatings()));
  EXPECT_EQ(files_in("learners/optimizers"), names_in(optimizers()));
  EXPECT_EQ(files_in("learners/agents"), names_in(agents()));
}

TEST(Structure, EveryModelAndStreamOfATableHasItsFile) {
  for (const std::string& name : names_in(models()))
    EXPECT_TRUE(files_in("models").contains(name) || files_in("models/circuits").contains(name))
        << name;
  for (const StreamEntry& entry : streams()) {
    EXPECT_TRUE(files_in("benchmarks").contains(std::string(entry.name))) << entry.name;
    EXPECT_EQ(entry.name, name_of(entry.kind));
  }
  for (const std::string& name : names_in(simulations()))
    EXPECT_TRUE(files_in("benchmarks/simulations").contains(name)) << name;
}

TEST(Structure, EveryRegimeOfASimulationMakesAWorld) {
  for (const SimulationEntry& entry : simulations())
    for (const std::string& regime : entry.regimes())
      for (const Role role : {Role::Train, Role::Test}) {
        const auto world = make_simulation(entry.name, {}, regime, role);
        EXPECT_GT(world->bodies(), 0) << entry.name << " " << regime;
        EXPECT_EQ(world->choices().cols, world->action_size()) << entry.name << " " << regime;
      }
}

TEST(Structure, EveryTableEntrySaysWhatItIsAndWhoseItIs) {
  const auto check = [](const auto& table) {
    for (const auto& entry : table) {
      EXPECT_FALSE(entry.summary.empty()) << entry.name;
      EXPECT_FALSE(entry.paper.empty()) << entry.name;
    }
  };
  check(rules()), check(strategies()), check(optimizers()), check(models()), check(streams()),
      check(gatings()), check(simulations()), check(agents());
}

TEST(Structure, OptionKeysMeanOneThing) {
  std::map<std::string, std::string> owner;
  for (const OptionGroup& group : option_groups())
    for (const OptionInfo& option : group.options) {
      std::vector<std::string> spellings = option.aliases;
      spellings.push_back(option.key);
      for (const std::string& key : spellings)
        EXPECT_TRUE(owner.emplace(key, group.name).second)
            << key << " is in " << owner[key] << " and in " << group.name;
      EXPECT_FALSE(option.help.empty()) << option.key;
    }
}

TEST(Structure, EveryExperimentResolves) {
  const ExperimentBook book = ExperimentBook::load(kRoot / "exps");
  EXPECT_FALSE(book.experiments().empty());
  for (const auto& experiment : book.experiments()) {
    EXPECT_NO_THROW(read_settings(experiment.name, book.resolve(experiment.name)))
        << experiment.file << ":" << experiment.line;
    EXPECT_FALSE(experiment.about.empty())
        << experiment.file << ":" << experiment.line << " has no 'about'";
  }
}

TEST(Structure, FilesStayShort) {
  for (const fs::path& file : all_sources())
    EXPECT_LE(static_cast<int>(lines_of(file).size()), kLongestFile) << file;
}

// xt::linalg::dot calls BLAS with its own idea of threads and bits; products belong to kernels.h.
TEST(Structure, ProductsGoThroughTheKernels) {
  const std::string forbidden = std::string("linalg::") + "dot";
  for (const auto& [folder, ignored] : kMayInclude)
    for (const fs::path& file : sources_below(kRoot / folder))
      for (const std::string& line : lines_of(file))
        EXPECT_EQ(line.find(forbidden), std::string::npos) << file << ": " << line;
}

TEST(Structure, EveryFolderHasAReadme) {
  std::vector<std::string> folders{".", "results", "tests"};
  for (const auto& [folder, ignored] : kMayInclude)
    folders.push_back(folder);
  for (const std::string& folder : folders)
    EXPECT_TRUE(fs::exists(kRoot / folder / "README.md")) << folder;
}

TEST(Structure, EverySourceBeginsWithWhatItIsFor) {
  for (const fs::path& file : all_sources()) {
    if (file.extension() != ".h") continue;
    const auto lines = lines_of(file);
    ASSERT_FALSE(lines.empty()) << file;
    EXPECT_TRUE(lines[0].starts_with("// ")) << file;
  }
}

}  // namespace
}  // namespace engram
