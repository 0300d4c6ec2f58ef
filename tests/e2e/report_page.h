// The page of `engram report` about three experiments, one of them with hostile names, and a file
// cut short, open in a browser. With ENGRAM_SCREENSHOTS=DIR pictures are left there to look at.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "exps/results_file.h"
#include "tests/e2e/browser.h"
#include "tests/e2e/program.h"
#include "tests/exps/sample_run.h"

namespace engram {

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
  static void TearDownTestSuite() {
    shelf_.browser.reset();  // before the folder that it writes into
    shelf_ = {};
  }

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
  /// Scrolls down past all charts, and names those that stay empty or show what is no number.
  static int see_all_charts(const std::string& pictures = "") {
    const int charts = ask(fmt::format("document.querySelectorAll('{}').length", kDrawing));
    for (int i = 0; i < charts; ++i) {
      const std::string one = fmt::format("document.querySelectorAll('{}')[{}]", kDrawing, i);
      browser().script(one + ".scrollIntoView({block: 'center'})");
      if (!browser().until(fmt::format("marks({})", one))) {
        ADD_FAILURE() << "empty: " << ask(one + ".closest('figure').innerText");
        break;  // it has taken its time
      }
      EXPECT_EQ(ask(fmt::format("/NaN|undefined|Infinity/.test({}.innerHTML)", one)), false)
          << ask(one + ".closest('figure').innerText");
      if (!pictures.empty() && i % 4 == 0) picture(fmt::format("{}_{:02}", pictures, i));
    }
    return charts;
  }
  static bool has_lines(std::size_t count) {
    return browser().until(fmt::format("{}.length === {}", kLines, count));
  }

 private:
  static void save(const std::string& name, double fading) {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      RunRecord run =  // the worse, the more it depends on the seed
          sample_run(name, kTasks, seed, fading * (1 + 0.02 * static_cast<double>(seed)));
      add_sample_maps(run);
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

}  // namespace engram
