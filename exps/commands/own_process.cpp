#include "exps/commands/own_process.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "exps/commands/failure.h"
#include "exps/commands/stop.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr int kPollMilliseconds = 100;

/// An answer is the exit code, then what work() returned (code 0) or what went wrong.
void send(int pipe, int code, const std::string& text) {
  std::string bytes(reinterpret_cast<const char*>(&code), sizeof code);
  bytes += text;
  const char* at = bytes.data();
  for (std::size_t left = bytes.size(); left > 0;) {
    const ssize_t sent = ::write(pipe, at, left);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;  // the parent is gone, and takes us with it
    at += sent, left -= static_cast<std::size_t>(sent);
  }
}

[[noreturn]] void answer(int pipe, const std::function<std::string()>& work) {
  try {
    send(pipe, 0, work());
  } catch (...) {
    const Failure failure = current_failure();
    send(pipe, failure.code, failure.message);
  }
  ::_exit(0);  // no destructors, no flushing of what belongs to the parent
}

std::string what_ended(int status) {
  if (!WIFSIGNALED(status)) return "the process ended without a word";
  const int signal = WTERMSIG(status);
  const char* hint = signal == SIGILL    ? "; set OPENBLAS_CORETYPE=Haswell: the BLAS chose a core "
                                           "that this machine is not"
                     : signal == SIGKILL ? "; out of memory?"
                                         : "";
  return fmt::format("the process ended without a word ({}){}", ::strsignal(signal), hint);
}

/// Reads until the other end is closed; false when a stop signal came before.
bool receive(int pipe, std::string& bytes, const std::function<void()>& wait) {
  for (;;) {
    if (stop_flag()) return false;
    wait();
    pollfd one{.fd = pipe, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, kPollMilliseconds) <= 0) continue;  // nothing yet, or a signal
    char buffer[4096];
    const ssize_t count = ::read(pipe, buffer, sizeof buffer);
    if (count == 0) return true;
    if (count > 0) bytes.append(buffer, static_cast<std::size_t>(count));
  }
}

}  // namespace

std::optional<std::string> bytes_from_own_process(const std::function<std::string()>& work,
                                                  const std::function<void()>& wait) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw Error(Fault::Internal, std::string("cannot make a pipe: ") + std::strerror(errno));
  std::fflush(nullptr);  // or the child would hold a copy of what waits to be written
  const int parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0)
    throw Error(Fault::Internal, std::string("cannot start a process: ") + std::strerror(errno));
  if (process == 0) {
    become_forked_run(parent);
    ::close(ends[0]);
    answer(ends[1], work);
  }
  ::close(ends[1]);
  std::string bytes;
  const bool ended = receive(ends[0], bytes, wait);
  if (!ended) ::kill(process, SIGKILL);  // it has nothing to save
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return std::nullopt;
  int code = 0;
  if (bytes.size() < sizeof code) throw Error(Fault::Internal, what_ended(status));
  bytes.copy(reinterpret_cast<char*>(&code), sizeof code);
  bytes.erase(0, sizeof code);
  if (code != 0) throw Error(static_cast<Fault>(code), bytes);
  return bytes;
}

}  // namespace engram
