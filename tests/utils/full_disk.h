// A limit on the size of files stands in for a full disk, which no test can make without being
// root.
#pragma once

#include <csignal>
#include <stdexcept>
#include <sys/resource.h>

namespace engram {

/// While it lives, this process writes no file beyond so many bytes.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes = 4096) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit tight = before_;
    tight.rlim_cur = bytes;
    if (::setrlimit(RLIMIT_FSIZE, &tight) != 0) throw std::runtime_error("cannot limit file sizes");
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

}  // namespace engram
