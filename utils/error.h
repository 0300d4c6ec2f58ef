// What can go wrong, said once: wrong input is an Error with a place and a hint and becomes a
// documented exit code; a broken invariant is a bug in Engram and stops the program at once.
#pragma once

#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace engram {

/// Kinds of failure; the value is the exit code of the program (after sysexits.h).
enum class Fault {
  Usage = 64,         ///< the command line
  Data = 65,          ///< a file is not what it claims to be
  MissingInput = 66,  ///< a data set or file is not there
  Internal = 70,      ///< a bug in Engram
  CannotWrite = 73,   ///< a result cannot be created
  Io = 74,            ///< reading or writing failed half way (full disk)
  Numerical = 76,     ///< a loss or a weight stopped being finite
  Config = 78,        ///< an experiment's settings
};

class Error : public std::runtime_error {
 public:
  Error(Fault fault, const std::string& message) : std::runtime_error(message), fault_(fault) {}
  Fault fault() const { return fault_; }
  int exit_code() const { return static_cast<int>(fault_); }

 private:
  Fault fault_;
};

/// Runs `body`; an Error leaving it gains "DOING: " in front. Costs nothing when nothing is thrown.
template <class Body>
decltype(auto) during(std::string_view doing, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& e) {
    throw Error(e.fault(), std::string(doing) + ": " + e.what());
  }
}

/// Prints the place and aborts. For states that only a bug in Engram can produce.
[[noreturn]] void broken_invariant(const char* condition,
                                   std::source_location where = std::source_location::current());

/// The known name nearest to a misspelt one (edit distance at most a third of its length), or "".
std::string nearest(std::string_view wrong, std::span<const std::string> known);

/// "; did you mean 'x'?" or, when nothing is near, "; known: a, b, c".
std::string suggestion(std::string_view wrong, std::span<const std::string> known);

}  // namespace engram

#define ENGRAM_INVARIANT(condition) \
  ((condition) ? static_cast<void>(0) : ::engram::broken_invariant(#condition))
