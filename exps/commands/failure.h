// An exception becomes an exit code and one line for people.
#pragma once

#include <string>

namespace engram {

struct Failure {
  int code = 0;
  std::string message;
};

/// Of the exception that is being handled; call it inside catch (...) only.
Failure current_failure();

/// "engram: MESSAGE" on stderr, in one line; nothing when there is no message.
void print_failure(const Failure&);

}  // namespace engram
