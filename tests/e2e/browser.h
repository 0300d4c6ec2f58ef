// A real headless Chromium for tests: pages, scripts, mouse, keyboard, logs, pictures.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/e2e/chrome_driver.h"

namespace engram {

/// Every call waits until the browser has done it; what the browser refuses is a runtime_error that
/// tells its reason.
class Browser {
 public:
  using Json = nlohmann::json;

  /// What of the two programs is not installed, or "".
  static std::string missing() {
    if (program_in_path({"chromedriver"}).empty()) return "chromedriver";
    return chromium().empty() ? "chromium" : "";
  }

  /// Profile, temporary files and downloads are written into `folder`.
  explicit Browser(const std::filesystem::path& folder) : driver_(folder) {
    // By a pipe, so that the browser ends when the driver is gone, however that came.
    const Json options{{"binary", chromium()},
                       {"args",
                        {"--headless=new", "--remote-debugging-pipe", "--no-sandbox",
                         "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
                         "--window-size=1200,900", "--force-device-scale-factor=1"}}};
    const Json wanted{{"browserName", "chrome"},
                      {"unhandledPromptBehavior", "ignore"},
                      {"goog:chromeOptions", options},
                      {"goog:loggingPrefs", {{"browser", "ALL"}, {"performance", "ALL"}}}};
    const Json made =
        driver_.call("POST", "/session", {{"capabilities", {{"alwaysMatch", wanted}}}});
    session_ = "/session/" + made.at("sessionId").get<std::string>();
    devtools("Browser.setDownloadBehavior",
             {{"behavior", "allow"}, {"downloadPath", folder.string()}});
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;
  ~Browser() {
    try {
      driver_.call("DELETE", session_);
    } catch (const std::exception&) {  // a browser that has crashed has nothing to close
    }
  }

  void open(const std::string& url) { post("/url", {{"url", url}}); }

  /// Runs the body of a JavaScript function on `arguments` and gives what it returns.
  Json script(const std::string& body, Json arguments = Json::array()) {
    return post("/execute/sync", {{"script", body}, {"args", std::move(arguments)}});
  }
  /// Asks an expression again until it is true; false after 20 s.
  bool until(const std::string& expression, const Json& arguments = Json::array()) {
    return eventually(
        [&] { return script("return !!(" + expression + ")", arguments) == Json(true); });
  }

  /// As a person would: the element comes into view, and what covers it gets in the way.
  void click(const std::string& css) { post("/element/" + find(css) + "/click"); }
  /// Moves the mouse to a place of the window, in CSS pixels.
  void hover(double x, double y) {
    const auto move = [](double to_x, double to_y) {
      return Json{{"type", "pointerMove"}, {"duration", 0}, {"x", to_x}, {"y", to_y}};
    };
    act({{"type", "pointer"}, {"id", "mouse"}, {"actions", {move(x - 2, y), move(x, y)}}});
  }
  /// Moves the mouse to the middle of an element, which comes to the middle of the window first.
  void hover(const std::string& css, int which = 0) {
    const Json at = script(R"(const e = document.querySelectorAll(arguments[0])[arguments[1]];
        if (!e) throw Error('there is no ' + arguments[0] + ' number ' + arguments[1]);
        e.scrollIntoView({block: 'center', behavior: 'instant'});
        const box = e.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2];)",
                           {css, which});
    hover(at.at(0).get<double>(), at.at(1).get<double>());
  }
  /// A key as WebDriver spells it: "a", " ", or kTab and the like.
  void press(const std::string& key) {
    act({{"type", "key"},
         {"id", "keys"},
         {"actions",
          {{{"type", "keyDown"}, {"value", key}}, {{"type", "keyUp"}, {"value", key}}}}});
  }
  static constexpr const char* kTab = "\uE004";
  static constexpr const char* kEnter = "\uE007";

  /// Text of the dialog that is open, or "".
  std::string dialog() {
    try {
      return get("/alert/text").get<std::string>();
    } catch (const std::runtime_error& error) {
      if (std::string_view(error.what()).find("no such alert") == std::string_view::npos) throw;
      return "";
    }
  }
  /// What has been written since the last call: to the console ("browser": level, message), or by
  /// DevTools ("performance": method, params).
  std::vector<Json> log(const std::string& type) {
    std::vector<Json> entries = post("/se/log", {{"type", type}});
    if (type == "performance")
      for (Json& entry : entries)
        entry = Json::parse(entry.at("message").get<std::string>()).at("message");
    return entries;
  }
  /// Inner width and height of the window in CSS pixels, as small as one likes.
  void resize(int width, int height) {
    devtools("Emulation.setDeviceMetricsOverride",
             {{"width", width}, {"height", height}, {"deviceScaleFactor", 1}, {"mobile", false}});
  }
  /// What the window shows, as PNG.
  void screenshot(const std::filesystem::path& file) {
    save_base64(file, get("/screenshot").get<std::string>());
  }
  /// The page as PDF, as it would come out of a printer.
  void print(const std::filesystem::path& file) {
    save_base64(file, post("/print").get<std::string>());
  }
  Json devtools(const std::string& command, const Json& parameters) {
    return post("/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
  }

 private:
  static std::string chromium() { return program_in_path({"chromium", "chromium-browser"}); }

  Json get(const std::string& what) { return driver_.call("GET", session_ + what); }
  Json post(const std::string& what, const Json& body = Json::object()) {
    return driver_.call("POST", session_ + what, body);
  }
  std::string find(const std::string& css) {
    const Json found = post("/element", {{"using", "css selector"}, {"value", css}});
    return found.begin().value().get<std::string>();
  }
  void act(const Json& source) { post("/actions", {{"actions", Json::array({source})}}); }

  static void save_base64(const std::filesystem::path& file, const std::string& text) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::ofstream out(file, std::ios::binary);
    unsigned bits = 0, filled = 0;
    for (const char c : text) {
      const std::size_t digit = kDigits.find(c);
      if (digit == std::string_view::npos) continue;
      bits = (bits << 6 | static_cast<unsigned>(digit)) & 0xffffU;
      filled += 6;
      if (filled >= 8) out.put(static_cast<char>(bits >> (filled -= 8) & 0xffU));
    }
  }

  ChromeDriver driver_;
  std::string session_;
};

}  // namespace engram
