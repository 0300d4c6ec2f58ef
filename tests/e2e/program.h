// Runs the real program in a folder of its own and keeps what it says.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/utils/contains.h"
#include "tests/utils/temp_folder.h"

namespace engram {

struct Said {
  int code = -1;  ///< exit code, or 128 + signal
  std::string out, err;
  double seconds = 0;
};

/// A process that is going on. Killed if nobody waits for it.
class Process {
 public:
  Process(const std::filesystem::path& folder, const std::vector<std::string>& arguments,
          const std::function<void()>& in_child, const std::string& out_file)
      : out_(out_file.empty() ? folder / "stdout.txt" : std::filesystem::path(out_file)),
        err_(folder / "stderr.txt"),
        begin_(std::chrono::steady_clock::now()) {
    std::vector<std::string> words{ENGRAM_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& word : words)
      pointers.push_back(word.data());
    pointers.push_back(nullptr);
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("cannot fork");
    if (id_ > 0) return;
    ::setpgid(0, 0);  // so that a test can signal the whole group, as a terminal does
    if (::chdir(folder.c_str()) != 0) ::_exit(126);
    redirect("/dev/null", O_RDONLY, 0);
    redirect(out_, O_WRONLY | O_CREAT | O_TRUNC, 1);
    redirect(err_, O_WRONLY | O_CREAT | O_TRUNC, 2);
    for (const char* name : {"ENGRAM_HOME", "ENGRAM_EXPS", "ENGRAM_DATA", "ENGRAM_MIRROR"})
      ::unsetenv(name);
    if (in_child) in_child();
    ::execv(ENGRAM_BINARY, pointers.data());
    ::_exit(127);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(id_, nullptr, 0);
  }

  void signal(int number) const { ::kill(id_, number); }
  void signal_group(int number) const { ::kill(-id_, number); }
  /// The processes that it has started and that go on.
  std::vector<pid_t> children() const {
    const std::string id = std::to_string(id_);
    std::ifstream list("/proc/" + id + "/task/" + id + "/children");
    return {std::istream_iterator<pid_t>(list), {}};
  }
  bool ended() {
    if (id_ > 0 && ::waitpid(id_, &status_, WNOHANG) == id_) id_ = 0;
    return id_ == 0;
  }
  /// Waits until `condition` holds; false when the process ends or a minute passes before.
  bool wait_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 12'000; ++i) {
      if (condition()) return true;
      if (ended()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  Said wait() {
    if (id_ > 0) ::waitpid(id_, &status_, 0);
    id_ = 0;
    Said said;
    said.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    if (std::filesystem::is_regular_file(out_)) said.out = TempFolder::read(out_);
    said.err = TempFolder::read(err_);
    said.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    return said;
  }

 private:
  static void redirect(const std::filesystem::path& file, int flags, int to) {
    const int from = ::open(file.c_str(), flags, 0644);
    if (from < 0 || ::dup2(from, to) < 0) ::_exit(125);
  }

  std::filesystem::path out_, err_;
  std::chrono::steady_clock::time_point begin_;
  pid_t id_ = 0;
  int status_ = 0;
};

/// A folder with exps/tiny.cfg in it, and the program running there.
class Program {
 public:
  explicit Program(const std::string& cfg) { folder_.write("exps/tiny.cfg", cfg); }

  Said operator()(const std::vector<std::string>& arguments,
                  const std::function<void()>& in_child = {}, const std::string& out_file = "") {
    return Process(folder_.path(), arguments, in_child, out_file).wait();
  }
  Process start(const std::vector<std::string>& arguments) {
    return {folder_.path(), arguments, {}, ""};
  }
  const TempFolder& folder() const { return folder_; }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

 private:
  TempFolder folder_;
};

}  // namespace engram
