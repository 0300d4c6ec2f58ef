#include "exps/commands/own_process.h"

#include <csignal>
#include <poll.h>
#include <unistd.h>

#include "exps/commands/failure.h"
#include "exps/commands/forked.h"
#include "exps/commands/stop.h"
#include "utils/error.h"

namespace engram {
namespace {

constexpr int kPollMilliseconds = 100;

/// An answer is the exit code, then what work() returned (code 0) or what went wrong.
void send(int pipe, int code, const std::string& text) {
  std::string bytes(reinterpret_cast<const char*>(&code), sizeof code);
  bytes += text;
  send_all(pipe, bytes.data(), bytes.size());
}

void answer(int pipe, const std::function<std::string()>& work) {
  try {
    send(pipe, 0, work());
  } catch (...) {
    const Failure failure = current_failure();
    send(pipe, failure.code, failure.message);
  }
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
  const Forked child = fork_off([&](int pipe) { answer(pipe, work); });
  std::string bytes;
  const bool ended = receive(child.pipe, bytes, wait);
  if (!ended) ::kill(child.process, SIGKILL);  // it has nothing to save
  const int status = wait_for_end(child);
  if (!ended) return std::nullopt;
  int code = 0;
  if (bytes.size() < sizeof code) throw Error(Fault::Internal, ended_without_a_word(status));
  bytes.copy(reinterpret_cast<char*>(&code), sizeof code);
  bytes.erase(0, sizeof code);
  if (code != 0) throw Error(static_cast<Fault>(code), bytes);
  return bytes;
}

}  // namespace engram
