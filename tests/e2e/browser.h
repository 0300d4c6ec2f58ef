// A real headless Chromium for tests, driven over the W3C WebDriver protocol by a ChromeDriver that
// is started here and ends with the object.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include "tests/utils/temp_folder.h"

namespace engram {

/// Every call waits until the browser has done it; what the browser refuses is a runtime_error that
/// tells its reason.
class Browser {
 public:
  using Json = nlohmann::json;

  /// What of the two programs is not installed, or "".
  static std::string missing() {
    if (program({"chromedriver"}).empty()) return "chromedriver";
    return program({"chromium", "chromium-browser"}).empty() ? "chromium" : "";
  }

  /// Profile, temporary files and downloads are written into `folder`.
  explicit Browser(std::filesystem::path folder)
      : folder_(std::move(folder)), curl_(curl_easy_init(), curl_easy_cleanup) {
    start_driver();
    const Json options{
        {"binary", program({"chromium", "chromium-browser"})},
        {"args",
         {"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
          "--no-proxy-server", "--window-size=1200,900", "--force-device-scale-factor=1"}}};
    const Json wanted{{"browserName", "chrome"},
                      {"unhandledPromptBehavior", "ignore"},
                      {"goog:chromeOptions", options},
                      {"goog:loggingPrefs", {{"browser", "ALL"}, {"performance", "ALL"}}}};
    try {
      const Json made = call("POST", "/session", {{"capabilities", {{"alwaysMatch", wanted}}}});
      session_ = "/session/" + made.at("sessionId").get<std::string>();
      devtools("Browser.setDownloadBehavior",
               {{"behavior", "allow"}, {"downloadPath", folder_.string()}});
    } catch (...) {
      stop_driver();
      throw;
    }
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;
  ~Browser() {
    try {
      call("DELETE", session_);
    } catch (const std::exception&) {  // a browser that has crashed has nothing to close
    }
    stop_driver();
  }

  /// Whether a condition comes to hold within 20 s.
  template <typename Condition>
  static bool eventually(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
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
      return call("GET", session_ + "/alert/text").get<std::string>();
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
    save_base64(file, call("GET", session_ + "/screenshot").get<std::string>());
  }
  /// The page as PDF, as it would come out of a printer.
  void print(const std::filesystem::path& file) {
    save_base64(file, post("/print").get<std::string>());
  }
  Json devtools(const std::string& command, const Json& parameters) {
    return post("/goog/cdp/execute", {{"cmd", command}, {"params", parameters}});
  }

 private:
  /// The first of the names that is a program in PATH, or "".
  static std::string program(const std::vector<std::string>& names) {
    const char* path = std::getenv("PATH");
    for (const std::string& name : names) {
      std::istringstream folders(path ? path : "/usr/bin");
      for (std::string folder; std::getline(folders, folder, ':');)
        if (::access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
    }
    return "";
  }

  /// ChromeDriver picks a free port and says which.
  void start_driver() {
    const std::string driver = program({"chromedriver"}), out = folder_ / "chromedriver.txt";
    const pid_t parent = ::getpid();
    driver_ = ::fork();
    if (driver_ < 0) throw std::runtime_error("cannot fork");
    if (driver_ == 0) {
      // A test that is killed must not leave a browser behind.
      if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || ::getppid() != parent) ::_exit(126);
      const int file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
      if (file < 0 || ::dup2(file, 1) < 0 || ::dup2(file, 2) < 0) ::_exit(125);
      for (const char* name : {"TMPDIR", "HOME"})
        ::setenv(name, folder_.c_str(), 1);
      ::execl(driver.c_str(), driver.c_str(), "--port=0", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    const bool ready = eventually([&] {
      const std::string said = TempFolder::read(out);
      constexpr std::string_view kBefore = "successfully on port ";
      const std::size_t at = said.find(kBefore), end = said.find('.', at);
      if (at == std::string::npos || end == std::string::npos) return false;
      address_ = "http://127.0.0.1:" + said.substr(at + kBefore.size(), end - at - kBefore.size());
      return true;
    });
    if (ready) return;
    stop_driver();
    throw std::runtime_error("chromedriver does not start: " + TempFolder::read(out));
  }
  void stop_driver() {
    ::kill(driver_, SIGTERM);  // not SIGKILL: it ends its browser first
    if (!eventually([&] { return ::waitpid(driver_, nullptr, WNOHANG) == driver_; })) {
      ::kill(driver_, SIGKILL);
      ::waitpid(driver_, nullptr, 0);
    }
  }

  Json post(const std::string& what, const Json& body = Json::object()) {
    return call("POST", session_ + what, body);
  }
  Json call(const char* method, const std::string& path, const Json& body = Json::object()) {
    const std::string sent = body.dump();
    std::string answer;
    CURL* curl = curl_.get();
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, (address_ + path).c_str());
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (std::string_view(method) == "POST")
      curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sent.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (const CURLcode code = curl_easy_perform(curl); code != CURLE_OK)
      throw std::runtime_error(path + ": " + curl_easy_strerror(code));
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    const Json value = Json::parse(answer).at("value");
    if (status != 200)
      throw std::runtime_error(path + ": " + value.at("error").get<std::string>() + ", " +
                               value.at("message").get<std::string>());
    return value;
  }
  static std::size_t append(char* data, std::size_t, std::size_t size, void* text) {
    static_cast<std::string*>(text)->append(data, size);
    return size;
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

  std::filesystem::path folder_;
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  pid_t driver_ = 0;
  std::string address_, session_;
};

}  // namespace engram
