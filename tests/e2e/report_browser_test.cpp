// The page of `engram report` in a real browser: what a stranger sees, clicks and types. With
// ENGRAM_SCREENSHOTS=DIR the tests leave pictures there to look at.
#include <cstdio>
#include <map>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "exps/metrics.h"
#include "exps/results_file.h"
#include "tests/e2e/browser.h"
#include "tests/e2e/program.h"
#include "tests/exps/sample_run.h"

namespace engram {
namespace {

using Json = Browser::Json;
namespace fs = std::filesystem;

constexpr int kTasks = 5, kSeeds = 3;
constexpr const char* kHostile = "<img src=x onerror=alert(1)>";
constexpr const char* kTitle = "Ours & \"theirs\" </title><script>alert(2)</script>";

// What the page is made of.
constexpr const char* kDrawing = "#panels figure .drawing";
constexpr const char* kLines =
    "document.querySelector('#panels figure .drawing').querySelectorAll('.mark-line > path')";
constexpr const char* kPoint = "#panels figure:first-child .drawing .mark-symbol > path";
constexpr const char* kCheckbox = "#legend input[type=checkbox]";

// Helpers that tests call from within the page.
constexpr const char* kTools = R"(
  window.marks = (drawing) => [...drawing.querySelectorAll(
      'svg .role-mark > path, svg .role-mark > line, svg .role-mark > rect')].filter((mark) => {
    const box = mark.getBoundingClientRect();
    return box.width > 0 || box.height > 0;
  }).length;
  const luminance = (colour) => {
    const pen = document.createElement('canvas').getContext('2d');
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((v) =>
        v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  window.contrast = (a, b) => {
    const [x, y] = [luminance(a), luminance(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  window.background = (css) => getComputedStyle(document.querySelector(css)).backgroundColor;
  window.scrolls = (e) => e && e !== document.body &&
      (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
)";

struct Shelf {
  std::unique_ptr<Program> program;
  std::map<std::string, std::vector<RunRecord>> runs;  ///< by label
  std::unique_ptr<Browser> browser;
  std::string said;
};

class ReportPage : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!Browser::missing().empty()) return;
    shelf_.program = std::make_unique<Program>("[tiny]\n");
    save("leaky", 0.08);
    save("steady", 0.01);
    save(kHostile, 0.04);
    const fs::path results = *shelf_.program / "results";
    const std::string whole = TempFolder::read(results / "leaky/seed-0.h5");
    shelf_.program->folder().write("results/leaky/seed-9.h5", whole.substr(0, whole.size() / 2));
    const Said said = (*shelf_.program)({"report", "results", "--title", kTitle});
    ASSERT_EQ(said.code, 0) << said.err;
    shelf_.said = said.err;
    fs::create_directories(*shelf_.program / "browser");
    shelf_.browser = std::make_unique<Browser>(*shelf_.program / "browser");
  }
  static void TearDownTestSuite() { shelf_ = {}; }

  void SetUp() override {
    if (const std::string missing = Browser::missing(); !missing.empty())
      GTEST_SKIP() << missing << " is not installed (utils/cmake/test_packages.txt)";
    ASSERT_TRUE(shelf_.browser);
    browser().resize(1200, 900);
    open();
  }
  void TearDown() override {
    if (!shelf_.browser) return;
    EXPECT_EQ(browser().dialog(), "");
    for (const Json& entry : browser().log("browser"))
      EXPECT_TRUE(entry.at("level") == "INFO" || entry.at("level") == "DEBUG") << entry;
  }

  static Browser& browser() { return *shelf_.browser; }
  static const auto& runs() { return shelf_.runs; }
  static const std::string& said() { return shelf_.said; }
  static fs::path file(const std::string& name) { return *shelf_.program / name; }
  static std::string address() { return "file://" + file("report.html").string(); }
  static void open() {
    browser().open(address());
    browser().script(kTools);
  }
  static Json ask(const std::string& expression, const Json& arguments = Json::array()) {
    return browser().script("return " + expression, arguments);
  }
  static std::string text(const std::string& css) {
    return ask("document.querySelector(arguments[0]).innerText", Json::array({css}));
  }
  static void picture(const std::string& name) {
    const char* folder = std::getenv("ENGRAM_SCREENSHOTS");
    if (folder) browser().screenshot(fs::path(folder) / (name + ".png"));
  }
  /// Brings the first chart into view, as charts are drawn when they are needed.
  static void see_first_chart() {
    browser().script("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})",
                     Json::array({kDrawing}));
    ASSERT_TRUE(browser().until(fmt::format("marks(document.querySelector('{}'))", kDrawing)));
  }
  static bool has_lines(std::size_t count) {
    return browser().until(fmt::format("{}.length === {}", kLines, count));
  }

 private:
  static void save(const std::string& name, double fading) {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      RunRecord run =  // the worse, the more it depends on the seed
          sample_run(name, kTasks, seed, fading * (1 + 0.02 * static_cast<double>(seed)));
      if (name == kHostile) {
        run.task_names.assign(kTasks, kHostile);
        run.model_text = run.layers[0].name = std::string("</script>") + kHostile;
        run.provenance.emplace_back("host", std::string("]]>--></script>") + kHostile);
      }
      save_results(*shelf_.program / fmt::format("results/{}/seed-{}.h5", name, seed), run,
                   ForgettingDefinition::Chaudhry);
      shelf_.runs[name].push_back(std::move(run));
    }
  }

  inline static Shelf shelf_;
};

double mean_of(const std::vector<RunRecord>& runs, const std::string& name) {
  double sum = 0;
  for (const RunRecord& run : runs)
    for (const Metric& metric : compute_metrics(run, ForgettingDefinition::Chaudhry))
      if (metric.name == name) sum += metric.value;
  return sum / static_cast<double>(runs.size());
}

std::string percent(double fraction) {
  return fmt::format("{:.1f}", 100 * fraction);
}

TEST_F(ReportPage, OpensWithoutErrorsDrawsEveryPanelAndAsksTheNetworkForNothing) {
  picture("top");
  EXPECT_GE(ask("document.querySelectorAll('#panels > section').length").get<int>(), 7);
  const auto drawings =
      ask(fmt::format("document.querySelectorAll('{}').length", kDrawing)).get<int>();
  EXPECT_GE(drawings, 12);
  for (int i = 0; i < drawings; ++i) {
    const std::string one = fmt::format("document.querySelectorAll('{}')[{}]", kDrawing, i);
    browser().script(one + ".scrollIntoView({block: 'center'})");
    EXPECT_TRUE(browser().until(fmt::format("marks({})", one)))
        << "nothing is drawn in " << ask(one + ".closest('figure').innerText");
    EXPECT_EQ(ask(fmt::format("/NaN|undefined|Infinity/.test({}.innerHTML)", one)), false)
        << ask(one + ".closest('figure').innerText");
    if (i % 4 == 0) picture(fmt::format("chart_{:02}", i));
  }
  EXPECT_TRUE(has_lines(runs().size()));
  const Json cells =
      ask("[...document.querySelectorAll('#panels figure')].map("
          "(f) => f.querySelectorAll('.mark-rect > path').length).filter((n) => n === 15).length");
  EXPECT_EQ(cells, runs().size()) << "a matrix each: the lower half of 5 x 5";

  std::set<std::string> asked;
  const auto requests = [&] {
    asked.clear();
    for (const Json& event : browser().log("performance"))
      if (event.at("method") == "Network.requestWillBeSent")
        asked.insert(event.at("params").at("request").at("url").get<std::string>());
  };
  requests();
  EXPECT_EQ(asked.count(address()), 1u);
  for (const std::string& url : asked)
    EXPECT_TRUE(url == address() || url.starts_with("data:")) << url;
  EXPECT_TRUE(browser().log("browser").empty());

  // The same logs do tell of a page that asks, and in vain.
  const std::string elsewhere = "http://127.0.0.1:9/x.png";
  browser().open("data:text/html,<img src='" + elsewhere + "'>");
  requests();
  EXPECT_EQ(asked.count(elsewhere), 1u);
  EXPECT_FALSE(browser().log("browser").empty());
}

TEST_F(ReportPage, SaysWhichForgetsLeastSharesItsDataNamesSkippedFilesAndKeepsTextAsText) {
  const std::string verdict = text("#answer .verdict");
  EXPECT_LT(verdict.find("steady"), verdict.find("leaky")) << verdict;
  const double less =
      mean_of(runs().at("leaky"), "forgetting") - mean_of(runs().at("steady"), "forgetting");
  EXPECT_NE(verdict.find(percent(less)), std::string::npos) << percent(less) << " in " << verdict;

  const Json data = ask("JSON.parse(document.querySelector('#engram-data').textContent)");
  bool compared = false;
  for (const Json& comparison : data.at("comparisons"))
    if (comparison.at("metric") == "forgetting") {
      compared = true;
      const Json& pair = comparison.at("pairs").at(0);
      EXPECT_EQ(pair.at("verdict"), "better") << pair;
      EXPECT_NE(verdict.find(pair.at("sentence").get<std::string>()), std::string::npos) << verdict;
    }
  EXPECT_TRUE(compared);
  ASSERT_EQ(data.at("experiments").size(), runs().size());
  for (const Json& experiment : data.at("experiments")) {
    const auto& truth = runs().at(experiment.at("label").get<std::string>());
    ASSERT_EQ(experiment.at("runs").size(), truth.size());
    for (std::size_t s = 0; s < truth.size(); ++s) {
      const Json& run = experiment.at("runs").at(s);
      EXPECT_EQ(run.at("seed"), truth[s].seed);
      for (std::size_t i = 0; i <= kTasks; ++i)
        for (std::size_t j = 0; j < kTasks; ++j) {
          const double value = truth[s].accuracy(i, j);
          EXPECT_EQ(run.at("accuracy").at(i).at(j), std::isnan(value) ? Json() : Json(value));
        }
      for (const Metric& metric : compute_metrics(truth[s], ForgettingDefinition::Chaudhry))
        EXPECT_EQ(run.at("metrics").at(metric.name),
                  std::isnan(metric.value) ? Json() : Json(metric.value));
    }
  }
  browser().click("footer summary");
  browser().click("#download");
  const fs::path saved = file("browser/engram.json");
  EXPECT_TRUE(Browser::eventually([&] { return fs::exists(saved); }));
  EXPECT_TRUE(Json::parse(TempFolder::read(saved), nullptr, false) == data) << "another text";

  const std::string all = text("body");
  EXPECT_NE(all.find("leaky/seed-9.h5"), std::string::npos) << "the truncated file";
  EXPECT_NE(said().find("leaky/seed-9.h5"), std::string::npos);

  EXPECT_EQ(text("h1"), kTitle);
  EXPECT_EQ(ask("document.title"), kTitle);
  EXPECT_NE(text("#legend").find(kHostile), std::string::npos);
  EXPECT_NE(text("#answer table").find(kHostile), std::string::npos);
  browser().script("document.querySelectorAll('details').forEach((d) => d.open = true)");
  EXPECT_TRUE(browser().until("document.querySelector('#panels figure details table')"));
  for (const std::string& part : {std::string("]]>--></script>") + kHostile, std::string(kHostile)})
    EXPECT_NE(text("body").find(part), std::string::npos) << part;
  EXPECT_EQ(ask("document.querySelectorAll('img, iframe, object, embed, [onerror]').length"), 0);
  EXPECT_EQ(ask("document.body.querySelectorAll('title').length"), 0);
}

TEST_F(ReportPage, TogglesExperimentsShowsValuesOnHoverAndSwitchesBetweenLightAndDark) {
  see_first_chart();
  ASSERT_TRUE(has_lines(3));
  const std::string colours = fmt::format("[...{}].map((p) => p.getAttribute('stroke'))", kLines);
  const Json before = ask(colours);
  EXPECT_EQ(std::set<Json>(before.begin(), before.end()).size(), 3u) << before;
  browser().click(kCheckbox);
  EXPECT_TRUE(has_lines(2));
  EXPECT_EQ(ask(colours), (Json{before[1], before[2]}));
  picture("without_first");
  browser().click(kCheckbox);
  EXPECT_TRUE(has_lines(3));
  EXPECT_EQ(ask(colours), before);

  std::set<std::string> seen;
  for (int e = 0; e < 3; ++e) {  // the last point of each line
    browser().hover(kPoint, kTasks * (e + 1) - 1);
    ASSERT_TRUE(browser().until("document.querySelector('#tip').checkVisibility()"));
    const std::string tip = text("#tip");
    for (const auto& [label, list] : runs())
      if (tip.find(label) != std::string::npos) {
        seen.insert(label);
        const std::string wanted = percent(mean_of(list, "average_accuracy"));
        EXPECT_NE(tip.find(wanted), std::string::npos) << wanted << " in " << tip;
      }
    picture(fmt::format("tip_{}", e));
    browser().hover(3, 3);
    EXPECT_TRUE(browser().until("!document.querySelector('#tip').checkVisibility()"));
  }
  EXPECT_EQ(seen.size(), 3u);

  std::set<Json> backgrounds, texts;
  for (const char* theme : {"one", "other"}) {
    const std::string back = ask("background('body')");
    backgrounds.insert(back);
    EXPECT_GE(ask("contrast(getComputedStyle(document.body).color, background('body'))"), 4.5);
    EXPECT_GE(ask("contrast(document.querySelector('#panels svg .role-axis-label text')"
                  ".getAttribute('fill'), background('#panels figure'))"),
              4.5);
    texts.insert(ask("document.querySelector('#panels svg .role-axis-label text').outerHTML"));
    EXPECT_GE(
        ask(fmt::format("Math.min(...{}.map((c) => contrast(c, background('#panels figure'))))",
                        colours)),
        3)
        << "lines on their background";
    picture(std::string("theme_") + theme);
    browser().click("#theme");
    EXPECT_TRUE(browser().until("background('body') !== arguments[0]", Json::array({back})));
    EXPECT_TRUE(has_lines(3));
  }
  EXPECT_EQ(backgrounds.size(), 2u);
  EXPECT_EQ(texts.size(), 2u) << "the charts change too";
  EXPECT_EQ(backgrounds.count(ask("background('body')")), 1u) << "and back";
}

TEST_F(ReportPage, CanBeUsedWithTheKeyboardOnANarrowScreenAndOnPaper) {
  browser().press(Browser::kTab);
  EXPECT_EQ(ask("document.activeElement.className"), "skip");
  EXPECT_GE(ask("document.activeElement.getBoundingClientRect().x"), 0) << "seen when reached";
  browser().press(Browser::kEnter);
  EXPECT_TRUE(browser().until("document.activeElement.id === 'panels'"));

  open();
  const std::string back = ask("background('body')");
  browser().script("window.reached = new Set(); window.unmarked = []");
  bool switched = false, toggled = false;
  for (int i = 0; i < 300; ++i) {
    browser().press(Browser::kTab);
    const Json here = browser().script(R"(
      const e = document.activeElement;
      if (e === document.body || reached.has(e)) return null;
      reached.add(e);
      if (getComputedStyle(e).outlineStyle === 'none') unmarked.push(e.outerHTML.slice(0, 80));
      return {theme: e.id === 'theme', box: e.type === 'checkbox'};)");
    if (here.is_null()) break;
    if (here.at("theme") == true) {
      browser().press(" ");
      switched = browser().until("background('body') !== arguments[0]", Json::array({back}));
    } else if (here.at("box") == true && !toggled) {
      browser().press(" ");
      toggled = browser().until("!document.activeElement.checked");
    }
  }
  EXPECT_TRUE(switched);
  EXPECT_TRUE(toggled);
  see_first_chart();
  EXPECT_TRUE(has_lines(2));
  EXPECT_EQ(ask("unmarked"), Json::array()) << "where the keyboard is must be seen";
  EXPECT_EQ(ask("[...document.querySelectorAll('a, button, input, select, summary')].filter((e) => "
                "e.checkVisibility() && !reached.has(e)).map((e) => e.outerHTML.slice(0, 80))"),
            Json::array())
      << "the keyboard does not get there";

  open();
  const std::string empty =
      fmt::format("[...document.querySelectorAll('{}')].filter((d) => !marks(d)).length", kDrawing);
  EXPECT_GT(ask(empty), 0) << "not in view, not drawn";
  browser().print(file("report.pdf"));
  EXPECT_EQ(ask(empty), 0) << "but printed";
  EXPECT_TRUE(TempFolder::read(file("report.pdf")).starts_with("%PDF"));

  browser().resize(400, 800);
  open();
  see_first_chart();
  EXPECT_LE(ask("document.scrollingElement.scrollWidth"), 400);
  EXPECT_EQ(ask("[...document.body.querySelectorAll('*')].filter((e) => e.checkVisibility() && "
                "e.getBoundingClientRect().right > 401 && !scrolls(e.parentElement))"
                ".map((e) => e.outerHTML.slice(0, 80))"),
            Json::array());
  picture("narrow");
}

}  // namespace
}  // namespace engram
