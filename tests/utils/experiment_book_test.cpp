#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/utils/error_of.h"
#include "tests/utils/temp_folder.h"
#include "utils/config.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

struct Tasks {
  int tasks = 10;
  template <class V>
  void describe(V&& v) {
    v("tasks|num_batch", tasks, Range::at_least(1), "how many tasks");
  }
};

/// A folder of experiments; paths inside messages are cut to the file's name.
class Book : public testing::Test {
 protected:
  void file(std::string_view name, std::string_view text) { folder_.write(name, text); }
  ExperimentBook load() const { return ExperimentBook::load(folder_.path()); }
  Config resolve(std::string_view name, std::vector<std::string> overrides = {}) const {
    return load().resolve(name, overrides);
  }
  /// The complaint about a file with this text.
  std::string complaint(std::string_view text) {
    file("a.cfg", text);
    return error_of([&] { load(); });
  }
  TempFolder folder_;
};

std::string source_name(const Config& config, const std::string& key) {
  return fs::path(config.values().at(key).source).filename().string();
}

TEST_F(Book, ListsExperimentsInOrderOfFilesAndLines) {
  file("b.cfg", "[zeta]\nabout = first of b\n[alpha]\ninherits = early\n");
  file("a.cfg", "; nothing yet\n\n[early]\n");
  file("notes.txt", "not ini at all");
  file(".#a.cfg", "an editor's lock");
  const ExperimentBook book = load();
  EXPECT_EQ(book.names(), (std::vector<std::string>{"early", "zeta", "alpha"}));
  EXPECT_EQ(book.experiments()[0].line, 3);
  EXPECT_EQ(book.experiments()[0].file, (folder_ / "a.cfg").string());
  EXPECT_EQ(book.experiments()[1].about, "first of b");
  EXPECT_EQ(book.experiments()[2].base, "early");
}

TEST_F(Book, ReadsCommentsBlanksAndForeignLineEnds) {
  file("a.cfg",
       "\xef\xbb\xbf# top\r\n  [ one ]  ; the only one\r\n\ttasks=3 # three\r\n"
       "  model  =  a;b = c   \r\n;off = 1\r\n  #off = 2\r\nempty =\r\nlast = 1");
  const Config config = resolve("one");
  EXPECT_EQ(config.values().size(), 4u);
  EXPECT_EQ(config.values().at("tasks").text, "3");
  EXPECT_EQ(config.values().at("model").text, "a;b = c");
  EXPECT_EQ(config.values().at("empty").text, "");
  EXPECT_EQ(config.values().at("last").text, "1");
  EXPECT_EQ(source_name(config, "last"), "a.cfg:8");
}

TEST_F(Book, AppliesEachLayerOverTheOneBelow) {
  file("a.cfg",
       "[DEFAULT]\nk1 = default\nk2 = default\nk3 = default\nonly_a = 1\n"
       "[own]\ninherits = base\nk1 = own\nk2 = own\n");
  file("b.cfg",
       "[base]\nk1 = base\nk2 = base\nk3 = base\nk4 = base\n"
       "[DEFAULT]\nk3 = far\nk4 = far\nk5 = far\n[bystander]\nk6 = 1\n");
  const Config config = resolve("own", {"k1=set"});
  const auto text = [&](const char* key) { return config.values().at(key).text; };
  EXPECT_EQ(text("k1"), "set");
  EXPECT_EQ(text("k2"), "own");
  EXPECT_EQ(text("k3"), "default");
  EXPECT_EQ(text("k4"), "base");
  EXPECT_EQ(text("k5"), "far");
  EXPECT_FALSE(config.values().contains("k6"));
  EXPECT_FALSE(config.values().contains("inherits"));
  EXPECT_EQ(config.values().at("k1").source, "--set");
  EXPECT_EQ(source_name(config, "k5"), "b.cfg:9");
  EXPECT_FALSE(config.values().at("k1").inherited);
  EXPECT_FALSE(config.values().at("k2").inherited);
  EXPECT_TRUE(config.values().at("k3").inherited);
  EXPECT_TRUE(config.values().at("k4").inherited);
  EXPECT_FALSE(resolve("base").values().contains("only_a"));
}

TEST_F(Book, LetsABaseOfTheSameFileOverrideTheirCommonDefault) {
  file("a.cfg",
       "[DEFAULT]\nepochs = 1\n[base]\nepochs = 5\n[child]\ninherits = base\n"
       "[grandchild]\ninherits = child\n");
  EXPECT_EQ(resolve("child").values().at("epochs").text, "5");
  EXPECT_EQ(resolve("grandchild").values().at("epochs").text, "5");
}

TEST_F(Book, FollowsAChainOfBasesAcrossFiles) {
  file("a.cfg", "[c]\ninherits = b\nz = c\n[a]\nx = a\ny = a\nz = a\n");
  file("b.cfg", "[b]\ninherits = a\ny = b\nz = b\n");
  const Config config = resolve("c");
  EXPECT_EQ(config.values().at("x").text, "a");
  EXPECT_EQ(config.values().at("y").text, "b");
  EXPECT_EQ(config.values().at("z").text, "c");
}

TEST_F(Book, LetsTheMoreSpecificLevelWinUnderAnySpelling) {
  file("a.cfg",
       "[DEFAULT]\ntasks = 1\n[base]\nnum_batch = 2\n[own]\ninherits = base\n"
       "[other]\ninherits = base\ntasks = 4\n");
  const auto tasks = [&](const char* name, std::vector<std::string> overrides) {
    Config config = resolve(name, std::move(overrides));
    const int value = config.read<Tasks>().tasks;
    config.require_all_used(list_options<Tasks>());
    return value;
  };
  EXPECT_EQ(tasks("own", {}), 2);
  EXPECT_EQ(tasks("other", {}), 4);
  EXPECT_EQ(tasks("other", {"num_batch=7"}), 7);
  EXPECT_EQ(tasks("other", {"tasks = 8"}), 8);
}

TEST_F(Book, RefusesAKeyAndItsAliasAtTheSameLevel) {
  file("a.cfg", "[own]\nnum_batch = 2\n\ntasks = 3\n");
  const std::string said = error_of([&] { resolve("own").read<Tasks>(); });
  EXPECT_SAYS(said, "a.cfg:2: 'num_batch' is another name for 'tasks'");
  EXPECT_SAYS(said, "a.cfg:4");
  error_of([&] { resolve("own", {"tasks=1", "num_batch=1"}).read<Tasks>(); });
  EXPECT_EQ(resolve("own", {"tasks=1"}).read<Tasks>().tasks, 1);
}

TEST_F(Book, SuggestsTheExperimentThatWasMeant) {
  file("a.cfg", "[permuted]\n[split]\n\ninherits = permutd\n");
  EXPECT_EQ(error_of([&] { resolve("spilt"); }),
            "there is no experiment called 'spilt'; did you mean 'split'?");
  EXPECT_SAYS(error_of([&] { resolve("split"); }),
              "a.cfg:4: there is no experiment called 'permutd'; did you mean 'permuted'?");
  EXPECT_SAYS(error_of([&] { resolve("DEFAULT"); }), "known: permuted, split");
}

TEST_F(Book, SuggestsNoBaseThatIsNotForRunning) {
  file("a.cfg", "[_quickstart]\n[quickstart_dense]\n");
  EXPECT_SAYS(error_of([&] { resolve("quickstart"); }), "did you mean 'quickstart_dense'?");
  EXPECT_SAYS(error_of([&] { resolve("_quikstart"); }), "did you mean '_quickstart'?");
}

TEST_F(Book, NoticesACircleOfBases) {
  file("a.cfg",
       "[a]\ninherits = b\n[b]\ninherits = c\n[c]\ninherits = b\n[self]\ninherits = self\n");
  EXPECT_SAYS(error_of([&] { resolve("a"); }),
              "a.cfg:4: 'inherits' goes round in a circle: a -> b -> c -> b");
  EXPECT_SAYS(error_of([&] { resolve("self"); }), "self -> self");
}

TEST_F(Book, RefusesMalformedOverrides) {
  file("a.cfg", "[a]\n");
  for (const char* text : {"", "tasks", "=3", " = 3", "a b=3", "inherits=a", "about=x", "x=a\nb"})
    EXPECT_SAYS(error_of([&] { resolve("a", {text}); }, Fault::Usage), "--set");
  EXPECT_SAYS(error_of([&] { resolve("a", {"x=1", "x=2"}); }, Fault::Usage), "'x' twice");
  EXPECT_EQ(resolve("a", {" x = a=b#c "}).values().at("x").text, "a=b#c");
  EXPECT_EQ(resolve("a", {"x="}).values().at("x").text, "");
}

TEST_F(Book, NamesBothPlacesOfAnythingDefinedTwice) {
  std::string said = complaint("[a]\nx = 1\ny = 1\nx = 2\n");
  EXPECT_SAYS(said, "a.cfg:4: 'x' is already set at ");
  EXPECT_SAYS(said, "a.cfg:2");
  said = complaint("[a]\n[b]\n[a]\n");
  EXPECT_SAYS(said, "a.cfg:3: the section [a] is already defined at ");
  EXPECT_SAYS(said, "a.cfg:1");
  said = complaint("[DEFAULT]\n[b]\n[DEFAULT]\n");
  EXPECT_SAYS(said, "a.cfg:3: [DEFAULT] is already defined at ");
  file("b.cfg", "\n[twin]\n");
  said = complaint("[twin]\n");
  EXPECT_SAYS(said, "b.cfg:2: the section [twin] is already defined at ");
  EXPECT_SAYS(said, "a.cfg:1");
}

TEST_F(Book, NamesTheLineOfEverySyntaxError) {
  const std::initializer_list<std::pair<std::string, std::string>> cases = {
      {"x = 1\n[a]\n", "a.cfg:1: 'x' stands before the first [section]"},
      {"[a]\n\nhello world\n", "a.cfg:3: 'hello world' is neither"},
      {"[a]\n= 3\n", "a.cfg:2: '' cannot be a key"},
      {"[a]\na b = 3\n", "a.cfg:2: 'a b' cannot be a key"},
      {"[a\nx = 1\n", "a.cfg:1: the section '[a' does not end"},
      {"[\n", "does not end in ']'"},
      {"[a] x = 1\n", "does not end in ']'"},
      {"[]\n", "'' cannot name a section"},
      {"[a/b]\n", "'a/b' cannot name a section"},
      {"[a b]\n", "'a b' cannot name a section"},
      {"[..]\n", "must not begin with '.'"},
      {"[-x]\n", "must not begin with '-'"},
      {"[" + std::string(101, 'n') + "]\n", "more than 100 characters"},
      {"[default]\n", "write [DEFAULT]"},
      {"[a]\nx = a#b\n", "a.cfg:2: '#' inside a word"},
      {"[DEFAULT]\ninherits = a\n", "a.cfg:2: 'inherits' belongs to one experiment"},
      {"[DEFAULT]\nabout = x\n", "a.cfg:2: 'about' belongs to one experiment"},
      {"[a]\ninherits =\n", "a.cfg:2: 'inherits' is empty"},
      {std::string("[a]\nx = 1\0\n", 11), "a.cfg:2: not a text file: there is a byte 0x00"},
      {"\x89PNG\r\n\x1a\n", "a.cfg:1: "},
      {"[a]\nx = " + std::string(5000, '1') + "\n", "a.cfg:2: the line has more than 4096"},
      {"[a]\n" + std::string(2'000'000, '\n'), "not a file of experiments"},
  };
  for (const auto& [text, said] : cases)
    EXPECT_SAYS(complaint(text), said);
}

TEST_F(Book, SurvivesRandomBytes) {
  std::uint32_t state = 1;
  int refused = 0;
  constexpr std::string_view kAlphabet = "[]=#;.\n\n\t ab\xc3\\\"'*\r";
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (int i = 0; i < 40; ++i)
      text += kAlphabet[((state = state * 1664525u + 1013904223u) >> 16) % kAlphabet.size()];
    file("a.cfg", text);
    try {
      load();
    } catch (const Error& e) {
      ASSERT_EQ(e.fault(), Fault::Config) << e.what();
      EXPECT_SAYS(std::string(e.what()), "a.cfg:");
      ++refused;
    }
  }
  EXPECT_GT(refused, 400);
}

TEST_F(Book, SaysWhichFileOrFolderIsMissing) {
  EXPECT_SAYS(error_of([&] { ExperimentBook::load(folder_ / "none"); }, Fault::MissingInput),
              "none");
  const std::vector<fs::path> files{folder_ / "x.cfg"};
  EXPECT_SAYS(error_of([&] { ExperimentBook::load(files); }, Fault::MissingInput), "x.cfg");
  fs::create_directory(folder_ / "d.cfg");
  EXPECT_SAYS(error_of([&] { load(); }, Fault::MissingInput), "d.cfg");
}

}  // namespace
}  // namespace engram
