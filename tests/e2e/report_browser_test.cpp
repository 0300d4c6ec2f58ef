// The page of `engram report` in a real browser: what a stranger sees, clicks and types.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <unistd.h>

#include "exps/metrics.h"
#include "tests/e2e/report_page.h"

namespace engram {
namespace {

constexpr const char* kPython = "/usr/bin/python3";

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
  EXPECT_GE(see_all_charts("chart"), 12);
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

TEST_F(ReportPage, SaysWhichForgetsLeastAndSharesItsData) {
  const std::string verdict = text("#answer .verdict");
  EXPECT_LT(verdict.find("steady"), verdict.find("leaky")) << verdict;
  const double less =
      mean_of(runs().at("leaky"), "forgetting") - mean_of(runs().at("steady"), "forgetting");
  EXPECT_NE(verdict.find(percent(less)), std::string::npos) << percent(less) << " in " << verdict;
  EXPECT_EQ(verdict.find("cannot tell"), std::string::npos) << verdict;

  const Json data = ask("JSON.parse(document.querySelector('#engram-data').textContent)");
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
  EXPECT_TRUE(eventually([&] {
    return Json::parse(TempFolder::read(saved), nullptr, /*throws=*/false) == data;
  })) << TempFolder::read(saved).substr(0, 80);

  browser().script("document.querySelectorAll('details').forEach((d) => d.open = true)");
  ASSERT_EQ(data.at("comparisons").size(), 2u) << "accuracy and forgetting";
  for (const Json& comparison : data.at("comparisons")) {
    const Json& pair = comparison.at("pairs").at(0);
    EXPECT_EQ(pair.at("verdict"), "better") << pair;
    EXPECT_TRUE(browser().until("document.body.innerText.includes(arguments[0])",
                                Json::array({pair.at("sentence")})));
  }

  if (::access(kPython, X_OK) == 0) {  // what the page says to type
    const std::string folder = file("").string();
    std::ofstream(folder + "read.py") << text("footer pre");
    const std::string command = fmt::format("cd {} && {} read.py > read.txt 2>&1", folder, kPython);
    EXPECT_EQ(std::system(command.c_str()), 0);
    const std::string printed = TempFolder::read(folder + "read.txt");
    for (const auto& [label, list] : runs())
      EXPECT_NE(printed.find(label), std::string::npos) << printed;
  }
}

TEST_F(ReportPage, CountsActiveUnitsOfAllLayersTogether) {
  EXPECT_EQ(ask("activeOf({layers: [{units: 6, active_fraction_test: [0.5, 0.5]}, "
                "{units: 18, active_fraction_test: [0.25, null]}, "
                "{units: 9, active_fraction_test: []}]})"),
            0.3125);
}

TEST_F(ReportPage, NamesSkippedFilesAndKeepsHostileTextAsText) {
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
  see_all_charts("narrow");
  EXPECT_LE(ask("document.scrollingElement.scrollWidth"), 400);
  EXPECT_EQ(ask("[...document.body.querySelectorAll('*')].filter((e) => e.checkVisibility() && "
                "e.getBoundingClientRect().right > 401 && !scrolls(e.parentElement))"
                ".map((e) => e.outerHTML.slice(0, 80))"),
            Json::array());
}

}  // namespace
}  // namespace engram
