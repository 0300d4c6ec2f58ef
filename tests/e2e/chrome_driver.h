// A ChromeDriver of one's own and the W3C WebDriver protocol over HTTP.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
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

/// Whether a condition comes to hold within a minute, which only a busy machine needs.
template <typename Condition>
bool eventually(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

/// The first of the names that is a program in PATH, or "".
inline std::string program_in_path(const std::vector<std::string>& names) {
  const char* path = std::getenv("PATH");
  for (const std::string& name : names) {
    std::istringstream folders(path ? path : "/usr/bin");
    for (std::string folder; std::getline(folders, folder, ':');)
      if (::access((folder + "/" + name).c_str(), X_OK) == 0) return folder + "/" + name;
  }
  return "";
}

/// Ends with the object, and with the test if that is killed.
class ChromeDriver {
 public:
  using Json = nlohmann::json;

  /// It and its browsers take `folder` for their home and their temporary files.
  explicit ChromeDriver(const std::filesystem::path& folder)
      : curl_(curl_easy_init(), curl_easy_cleanup) {
    const std::string out = folder / "chromedriver.txt";
    start(program_in_path({"chromedriver"}), folder, out);
    // It picks a free port and says which.
    const bool ready = eventually([&] {
      const std::string said = TempFolder::read(out);
      constexpr std::string_view kBefore = "successfully on port ";
      const std::size_t at = said.find(kBefore), end = said.find('.', at);
      if (at == std::string::npos || end == std::string::npos) return false;
      address_ = "http://127.0.0.1:" + said.substr(at + kBefore.size(), end - at - kBefore.size());
      return true;
    });
    if (ready) return;
    stop();
    throw std::runtime_error("chromedriver does not start: " + TempFolder::read(out));
  }
  ChromeDriver(const ChromeDriver&) = delete;
  ChromeDriver& operator=(const ChromeDriver&) = delete;
  ~ChromeDriver() { stop(); }

  /// The value of the answer; runtime_error with the reason when it is an error.
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
    if (status == 200) return value;
    throw std::runtime_error(path + ": " + value.at("error").get<std::string>() + ", " +
                             value.at("message").get<std::string>());
  }

 private:
  void start(const std::string& program, const std::filesystem::path& folder,
             const std::string& out) {
    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("cannot fork");
    if (id_ > 0) return;
    if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || ::getppid() != parent) ::_exit(126);
    const int file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ::dup2(file, 1) < 0 || ::dup2(file, 2) < 0) ::_exit(125);
    for (const char* name : {"TMPDIR", "HOME"})
      ::setenv(name, folder.c_str(), 1);
    ::execl(program.c_str(), program.c_str(), "--port=0", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  void stop() {
    ::kill(id_, SIGTERM);  // not SIGKILL: it ends its browsers first
    if (eventually([&] { return ::waitpid(id_, nullptr, WNOHANG) == id_; })) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }
  static std::size_t append(char* data, std::size_t, std::size_t size, void* text) {
    static_cast<std::string*>(text)->append(data, size);
    return size;
  }

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl_;
  pid_t id_ = 0;
  std::string address_;
};

}  // namespace engram
