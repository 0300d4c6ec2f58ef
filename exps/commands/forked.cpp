#include "exps/commands/forked.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "exps/commands/stop.h"
#include "utils/error.h"

namespace engram {

Forked fork_off(const std::function<void(int pipe)>& work) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw Error(Fault::Internal, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  std::fflush(nullptr);  // or the child would hold a copy of what waits to be written
  const int parent = ::getpid();
  const pid_t process = ::fork();
  if (process < 0) {
    const int fault = errno;
    ::close(ends[0]), ::close(ends[1]);
    throw Error(Fault::Internal,
                fmt::format("cannot start a process: {}; use fewer --jobs", std::strerror(fault)));
  }
  if (process == 0) {
    become_forked_run(parent);
    ::close(ends[0]);
    work(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  return {process, ends[0]};
}

void send_all(int pipe, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  for (std::size_t left = size; left > 0;) {
    const ssize_t sent = ::write(pipe, at, left);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    at += sent, left -= static_cast<std::size_t>(sent);
  }
}

int wait_for_end(const Forked& child) {
  ::close(child.pipe);
  int status = 0;
  while (::waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string ended_without_a_word(int status) {
  if (!WIFSIGNALED(status)) return "the process ended without a word";
  const int signal = WTERMSIG(status);
  const char* hint = signal == SIGILL    ? "; set OPENBLAS_CORETYPE=Haswell: the BLAS chose a core "
                                           "that this machine is not"
                     : signal == SIGKILL ? "; out of memory? Use fewer --jobs"
                                         : "";
  return fmt::format("the process ended without a word ({}){}", ::strsignal(signal), hint);
}

}  // namespace engram
