#include "exps/commands/run_jobs.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <poll.h>
#include <type_traits>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "exps/commands/forked.h"
#include "exps/commands/run_view.h"
#include "exps/commands/stop.h"
#include "utils/error.h"
#include "utils/parallel.h"

namespace engram {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kReportEvery = std::chrono::milliseconds(100);
constexpr int kPollMilliseconds = 100;

/// What a forked run tells its parent through a pipe. Both are the same program, so plain bytes do.
struct Message {
  enum class Kind : int { Progress, Finished, Interrupted, Failed };
  Kind kind = Kind::Progress;
  int code = 0;  ///< Failed: the exit code
  Progress progress;
  char text[1024] = {};  ///< Failed: what went wrong
};
static_assert(std::is_trivially_copyable_v<Message>);
static_assert(sizeof(Message) <= 4096, "a pipe takes as much in one piece");

void send(int pipe, const Message& message) {
  send_all(pipe, &message, sizeof message);
}

RunOutcome execute(const RunJob& job, const JobOptions& options,
                   const std::function<void(const Progress&)>& report) {
  RunRequest request;
  request.seed = job.files.seed;
  request.files = job.files;
  request.resume = job.resume;
  request.checkpoint_seconds = options.checkpoint_seconds;
  request.stop = &stop_flag();
  request.facts = job.facts;
  auto last = Clock::time_point{};
  request.progress = [&](const Progress& progress) {
    if (Clock::now() - last < kReportEvery) return;
    last = Clock::now();
    report(progress);
  };
  set_threads(options.threads);
  return execute_run(*job.settings, *job.data, request);
}

void forked_run(const RunJob& job, const JobOptions& options, int pipe) {
  Message last;
  try {
    const RunOutcome outcome = execute(job, options, [&](const Progress& progress) {
      Message message;
      message.progress = progress;
      send(pipe, message);
    });
    last.kind =
        outcome == RunOutcome::Finished ? Message::Kind::Finished : Message::Kind::Interrupted;
  } catch (...) {
    const Failure failure = current_failure();
    last.kind = Message::Kind::Failed;
    last.code = failure.code;
    failure.message.copy(last.text, sizeof last.text - 1);
  }
  send(pipe, last);
}

/// The forked runs that are going on.
class Processes {
 public:
  Processes(const std::vector<RunJob>& runs, const JobOptions& options, RunView& view)
      : runs_(runs), options_(options), view_(view) {}

  JobsResult execute_all() {
    while (true) {
      const bool stopping = stop_flag();
      while (!stopping && next_ < runs_.size() &&
             active_.size() < static_cast<std::size_t>(options_.jobs))
        start(next_++);
      if (active_.empty()) break;
      if (stopping) forward_signal();
      wait_for_news();
      view_.draw();
    }
    if (next_ < runs_.size()) result_.interrupted = true;
    return std::move(result_);
  }

 private:
  struct Child {
    std::size_t run = 0;
    Forked forked;
    std::string bytes;            ///< received, not a whole message yet
    std::optional<Message> last;  ///< Finished, Interrupted or Failed
  };

  void start(std::size_t run) {
    const Forked forked = fork_off([&](int pipe) { forked_run(runs_[run], options_, pipe); });
    active_.push_back({.run = run, .forked = forked, .bytes = {}, .last = {}});
    view_.started(run);
  }

  void forward_signal() {
    if (forwarded_) return;
    forwarded_ = true;
    for (const Child& child : active_)
      ::kill(child.forked.process, stop_signal());
    view_.say("stopping: every run saves its state first");
  }

  void wait_for_news() {
    std::vector<pollfd> pipes;
    for (const Child& child : active_)
      pipes.push_back({.fd = child.forked.pipe, .events = POLLIN, .revents = 0});
    if (::poll(pipes.data(), pipes.size(), kPollMilliseconds) < 0) return;  // a signal
    for (std::size_t i = pipes.size(); i-- > 0;)
      if (pipes[i].revents != 0 && !receive(active_[i])) {
        end(active_[i]);
        active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(i));
      }
  }

  /// False when the child has closed its end.
  bool receive(Child& child) {
    char buffer[16 * sizeof(Message)];
    const ssize_t count = ::read(child.forked.pipe, buffer, sizeof buffer);
    if (count < 0) return errno == EINTR || errno == EAGAIN;
    if (count == 0) return false;
    child.bytes.append(buffer, static_cast<std::size_t>(count));
    std::size_t at = 0;
    for (; child.bytes.size() - at >= sizeof(Message); at += sizeof(Message)) {
      Message message;
      std::memcpy(&message, child.bytes.data() + at, sizeof message);
      if (message.kind == Message::Kind::Progress)
        view_.progressed(child.run, message.progress);
      else
        child.last = message;
    }
    child.bytes.erase(0, at);
    return true;
  }

  void end(Child& child) {
    const int status = wait_for_end(child.forked);
    if (child.last && child.last->kind == Message::Kind::Finished) return view_.finished(child.run);
    if (child.last && child.last->kind == Message::Kind::Interrupted) {
      result_.interrupted = true;
      return view_.interrupted(child.run);
    }
    view_.failed(child.run);
    if (child.last) return fail(child, {child.last->code, child.last->text});
    const RunJob& run = runs_[child.run];
    // A run that begins anew removes the checkpoint of before.
    const bool saved = std::filesystem::exists(run.files.checkpoint());
    fail(child, {static_cast<int>(Fault::Internal),
                 fmt::format("{} (seed {}): {}; the same command {}", run.name(), run.files.seed,
                             ended_without_a_word(status),
                             !saved       ? "begins it again"
                             : run.resume ? "goes on from the last checkpoint"
                                          : "without --force goes on from the last checkpoint")});
  }

  void fail(const Child& child, Failure failure) {
    result_.failures.push_back({child.run, std::move(failure)});
  }

  const std::vector<RunJob>& runs_;
  const JobOptions& options_;
  RunView& view_;
  std::vector<Child> active_;
  std::size_t next_ = 0;
  bool forwarded_ = false;
  JobsResult result_;
};

JobsResult execute_here(const std::vector<RunJob>& runs, const JobOptions& options, RunView& view) {
  JobsResult result;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (stop_flag()) {
      result.interrupted = true;
      break;
    }
    view.started(i);
    try {
      const RunOutcome outcome = execute(runs[i], options, [&](const Progress& progress) {
        view.progressed(i, progress);
        view.draw();
      });
      if (outcome == RunOutcome::Finished) {
        view.finished(i);
      } else {
        view.interrupted(i);
        result.interrupted = true;
      }
    } catch (...) {
      view.failed(i);
      result.failures.push_back({i, current_failure()});
    }
  }
  return result;
}

}  // namespace

JobsResult run_jobs(const std::vector<RunJob>& runs, const JobOptions& options) {
  std::vector<RunView::Row> rows;
  for (const RunJob& run : runs)
    rows.push_back({run.name(), run.files.seed});
  const StopSignals caught;
  RunView view(std::move(rows), options.jobs, options.quiet);
  const bool forks = options.jobs > 1 || options.own_processes;
  JobsResult result =
      forks ? Processes(runs, options, view).execute_all() : execute_here(runs, options, view);
  view.clear();
  return result;
}

}  // namespace engram
