// Goodness and pictures on the page of `engram report`, in a real browser.
#include "tests/e2e/report_page.h"

namespace engram {
namespace {

constexpr const char* kSamples = "#panels > [data-panel=Samples]";

TEST_F(ReportPage, ShowsThePixelsOfEveryMomentAndSaysWhatTheyStandFor) {
  const PictureRecord& set = runs().at("leaky").front().pictures[1];  // in colour
  const std::string choice = fmt::format("document.querySelector('{} select')", kSamples);
  browser().script(
      fmt::format("const s = {}; s.value = [...s.options].findIndex((o) => o.text === 'leaky: {}');"
                  "s.dispatchEvent(new Event('change'))",
                  choice, set.name));
  const std::string canvases = fmt::format("[...document.querySelectorAll('{} canvas')]", kSamples);
  ASSERT_EQ(ask(canvases + ".length"), set.moments.size());
  for (std::size_t m = 0; m < set.moments.size(); ++m)
    EXPECT_NE(text(kSamples).find(set.moments[m]), std::string::npos);
  EXPECT_NE(text(kSamples).find(set.description), std::string::npos);

  // Five images of 4 x 3 pixels make three columns, 13 pixels across with two gaps of 2. Of each,
  // the colour in the middle of the pixel [1, 2] must be the one that was recorded.
  browser().script(
      "window.pixelAt = (canvas, across, down) => {"
      "  const pen = new OffscreenCanvas(1, 1).getContext('2d');"  // the page's own stays unread
      "  pen.drawImage(canvas, -Math.floor(across * canvas.width), -Math.floor(down * "
      "canvas.height));"
      "  return [...pen.getImageData(0, 0, 1, 1).data]; }");
  for (std::size_t m = 0; m < set.moments.size(); ++m)
    for (std::size_t i = 0; i < set.count; ++i) {
      const auto x = static_cast<double>(i % 3 * 5 + 2), y = static_cast<double>(i / 3 * 6 + 1);
      const Json colour =
          ask(fmt::format("pixelAt({}[{}], {} / 13, {} / 10)", canvases, m, x + 0.5, y + 0.5));
      const std::uint8_t* pixel = set.pixels.data() + (((m * 5 + i) * 4 + 1) * 3 + 2) * 3;
      EXPECT_EQ(colour, Json({pixel[0], pixel[1], pixel[2], 255})) << m << " " << i;
    }

  // The third image stands for class 1, by formula; the place after the last for nothing.
  browser().script(canvases + "[0].scrollIntoView({block: 'center'})");
  const auto point_at = [&](double across, double down) {
    browser().script(fmt::format(
        "const c = {}[0], b = c.getBoundingClientRect(); c.dispatchEvent(new MouseEvent("
        "'mousemove', {{clientX: b.left + {} * b.width, clientY: b.top + {} * b.height}}))",
        canvases, across, down));
  };
  point_at(0.9, 0.2);
  EXPECT_TRUE(browser().until("document.querySelector('#tip').checkVisibility()"));
  EXPECT_EQ(text("#tip"), "class 1");
  point_at(0.9, 0.8);
  EXPECT_TRUE(browser().until("!document.querySelector('#tip').checkVisibility()"));
  picture("samples");
}

TEST_F(ReportPage, ShowsMapsOfWeightsAndOfAttributions) {
  for (const std::string panel : {"Receptive fields", "Attribution maps"}) {
    const std::string place = fmt::format("#panels > [data-panel='{}']", panel);
    const PictureRecord& set = runs().at("leaky").front().pictures[panel[0] == 'R' ? 2 : 3];
    EXPECT_NE(text(place).find(set.moments[0]), std::string::npos) << panel;
    EXPECT_NE(text(place).find("above 0"), std::string::npos) << panel;
    const std::string canvases =
        fmt::format("[...document.querySelectorAll(\"{} canvas.map\")]", place);
    ASSERT_EQ(ask(canvases + ".length"), set.moments.size()) << panel;
    // Six tiles of 2 x 2 pixels in three columns: 10 x 6 pixels with the gaps.
    EXPECT_EQ(ask(canvases + "[0].width / " + canvases + "[0].height"), 10.0 / 6) << panel;
    const Json colour = ask(
        fmt::format("(() => {{ const c = {}[1], pen = new OffscreenCanvas(1, 1).getContext('2d');"
                    "pen.drawImage(c, -Math.floor(0.9 * c.width), -Math.floor(0.9 * c.height));"
                    "return [...pen.getImageData(0, 0, 1, 1).data]; }})()",
                    canvases));
    const std::uint8_t* pixel = set.pixels.data() + (6 + 5) * 4 * 3;  // the last tile
    EXPECT_EQ(colour, Json({pixel[0], pixel[1], pixel[2], 255})) << panel;
  }
  picture("maps");
}

TEST_F(ReportPage, ShowsWhatBecomesOfRepresentations) {
  const std::string place = "#panels > [data-panel=Representations]";
  browser().script("document.querySelectorAll('#panels details').forEach((d) => d.open = true)");
  // By formula: 0.9 less 0.01 for every task learnt and for the place of the task.
  const std::string probes = fmt::format(
      "[...document.querySelectorAll('{} figure:nth-child(1) table tbody tr')].map((r) => "
      "r.innerText.split('\\t').slice(0, 3).join())",
      place);
  EXPECT_TRUE(browser().until(probes + ".length > 0"));
  const std::string rows = ask(probes).dump();
  EXPECT_NE(rows.find("\"leaky,1,89.0 %\""), std::string::npos) << rows;
  EXPECT_NE(rows.find("\"leaky,2,87.5 %\""), std::string::npos) << rows;  // of 0.88 and 0.87
  const std::string figure = fmt::format(
      "[...document.querySelectorAll('{} figure')].find((f) => f.innerText.includes("
      "'Representation overlap, leaky'))",
      place);
  const std::string overlap = figure + ".querySelector('tbody td').nextSibling.innerText";
  EXPECT_EQ(ask(overlap).get<std::string>().substr(0, 5), "0.500");
  browser().script(figure + ".scrollIntoView()");  // it is drawn anew where it can be seen
  browser().script(
      fmt::format("const s = document.querySelector('{} select'); s.value = 1;"
                  "s.dispatchEvent(new Event('change'))",
                  place));
  EXPECT_TRUE(browser().until(overlap + ".startsWith('0.000')")) << "of active features";
  picture("representations");
}

TEST_F(ReportPage, ShowsPlasticityByTask) {
  const std::string place = "#panels > [data-panel=Plasticity]";
  browser().script("document.querySelectorAll('#panels details').forEach((d) => d.open = true)");
  const auto cells = [&](const char* caption) {
    return fmt::format(
        "[...[...document.querySelectorAll('{} figure')].find((f) => f.innerText.includes('{}'))"
        ".querySelectorAll('tbody tr')].map((r) => r.innerText.split('\\t').slice(0, 3).join())",
        place, caption);
  };
  // By formula, before each task, where the first has no number.
  EXPECT_TRUE(browser().until(cells("Idle units") + ".length > 0"));
  EXPECT_NE(ask(cells("Idle units")).dump().find("\"leaky,2,2.0 %\""), std::string::npos)
      << ask(cells("Idle units")).dump();
  EXPECT_EQ(ask(cells("Idle units")).dump().find("\"leaky,1,"), std::string::npos);
  EXPECT_NE(ask(cells("Rank of")).dump().find("\"leaky,2,0.42\""), std::string::npos);
  EXPECT_NE(ask(cells("Size of")).dump().find("\"leaky,2,0.12\""), std::string::npos);
  browser().script(
      fmt::format("document.querySelector('{0}').scrollIntoView();"
                  "const s = document.querySelector('{0} label select'); s.value = 1;"
                  "s.dispatchEvent(new Event('change'))",
                  place));
  EXPECT_TRUE(browser().until(cells("Idle units") + ".includes('leaky,1,1.0 %')")) << "after it";
  picture("plasticity");
}

TEST_F(ReportPage, ShowsGoodnessByLevelAndClass) {
  for (const char* panel : {"Goodness", "Drift of classes", "Embedding"})
    EXPECT_EQ(ask(fmt::format("document.querySelectorAll('[data-panel=\"{}\"] figure').length > 0",
                              panel)),
              true)
        << panel;
  browser().script("document.querySelectorAll('#panels details').forEach((d) => d.open = true)");
  // 2.5 with the true label and 0.5 with others, by formula.
  const std::string cells =
      "[...document.querySelectorAll('[data-panel=\"Drift of classes\"] table "
      "tbody tr')].map((r) => r.innerText.split('\\t').slice(2).join())";
  EXPECT_TRUE(browser().until(cells + ".length > 0"));
  for (const Json& row : ask(cells)) {
    const std::string got = row;
    EXPECT_TRUE(got.starts_with("2.5") && got.find(",2 ") != std::string::npos) << got;
  }
  browser().script("document.querySelector('[data-panel=Embedding]').scrollIntoView()");
  const std::string points =
      "document.querySelectorAll('[data-panel=Embedding] figure:first-child .mark-symbol > path')";
  EXPECT_TRUE(browser().until(points + ".length === 3"));
  EXPECT_EQ(ask(fmt::format("new Set([...{}].map((p) => p.getAttribute('fill'))).size", points)), 3)
      << "a colour for every class";
}

}  // namespace
}  // namespace engram
