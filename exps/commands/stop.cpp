#include "exps/commands/stop.h"

#include <csignal>
#include <cstdio>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <fmt/format.h>

namespace engram {
namespace {

std::atomic<bool> asked_to_stop{false};
std::atomic<int> signal_number{0};
std::atomic<bool> second_ends{true};
// oneDNN's products let the stack pointer of their thread stand in a buffer on the heap. The frame
// of a handler would be written over what lies there: packed numbers, or the books of malloc.
alignas(64) char handler_stack[1 << 16];
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void on_stop_signal(int number) {
  if (asked_to_stop.exchange(true)) {
    if (second_ends) ::_exit(128 + number);
    return;
  }
  signal_number = number;
}

}  // namespace

void outlive_broken_outputs() {
  struct sigaction action {};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &action, nullptr);
  ::sigaction(SIGPIPE, &action, nullptr);
}

StopSignals::StopSignals() {
  stack_t apart{};
  apart.ss_sp = handler_stack, apart.ss_size = sizeof handler_stack;
  ::sigaltstack(&apart,
                nullptr);  // of this thread; others leave signals to it (utils/parallel.cpp)
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  // With SA_RESTART poll() returns all the same, and a half-written file does not suffer.
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  ::sigaction(SIGINT, &action, &interrupt_);
  ::sigaction(SIGTERM, &action, &terminate_);
}

StopSignals::~StopSignals() {
  ::sigaction(SIGINT, &interrupt_, nullptr);
  ::sigaction(SIGTERM, &terminate_, nullptr);
}

const std::atomic<bool>& stop_flag() {
  return asked_to_stop;
}

int stop_signal() {
  return signal_number;
}

int end_interrupted(bool forced, bool in_the_way) {
  const char* const how =
      !forced ? "goes on"
      : in_the_way
          ? "without --force goes on with what had begun; leave out the names and seeds of "
            "which results of other settings are still there"
          : "without --force goes on with what had begun (the rest is as it was)";
  fmt::print(stderr, "engram: interrupted; everything is saved, the same command {}\n", how);
  return 128 + stop_signal();
}

void become_forked_run(int parent) {
  second_ends = false;
#ifdef __linux__
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  if (::getppid() != parent) ::_exit(0);  // it died before we could ask to be told
}

}  // namespace engram
