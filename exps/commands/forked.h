// A forked process and the pipe through which its parent hears of it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <sys/types.h>

namespace engram {

struct Forked {
  pid_t process = 0;
  int pipe = -1;  ///< to read from; closed at the other end when the process has ended
};

/// Forks and calls work(the pipe to write to) there; the process ends when that returns, without
/// destructors and without flushing what belongs to the parent. Throws Error(Internal) when the
/// system has no more processes or pipes. Call it before this process starts threads.
Forked fork_off(const std::function<void(int pipe)>& work);

/// Writes all bytes. Nothing happens when nobody is left to read them: the parent is gone then, and
/// takes this process with it.
void send_all(int pipe, const void* bytes, std::size_t size);

/// Closes the pipe, waits for the end and returns the status of waitpid().
int wait_for_end(const Forked&);

/// For people: that a process with this status ended without a word, by which signal, and what to
/// do about it.
std::string ended_without_a_word(int status);

}  // namespace engram
