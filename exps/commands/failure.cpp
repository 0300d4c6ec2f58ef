#include "exps/commands/failure.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "utils/error.h"

namespace engram {

Failure current_failure() {
  const int internal = static_cast<int>(Fault::Internal);
  try {
    throw;
  } catch (const Error& e) {
    return {e.exit_code(), e.what()};
  } catch (const std::system_error& e) {  // of fmt::print and std::filesystem
    if (e.code() == std::errc::broken_pipe) return {128 + SIGPIPE, ""};  // `engram list | head`
    return {static_cast<int>(Fault::Io), e.what()};
  } catch (const std::bad_alloc&) {
    return {internal, "out of memory: use fewer --jobs, a smaller model or a smaller batch"};
  } catch (const std::exception& e) {
    return {internal, std::string("bug: ") + e.what() + "; please report this"};
  } catch (...) {
    return {internal, "bug: an unknown exception; please report this"};
  }
}

void print_failure(const Failure& failure) {
  if (failure.message.empty()) return;
  std::string line = failure.message;
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::fprintf(stderr, "engram: %s\n", line.c_str());
}

}  // namespace engram
