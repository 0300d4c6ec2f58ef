#include "utils/file_lock.h"

#include <array>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

#include <fmt/format.h>

namespace engram {
namespace {

constexpr std::chrono::milliseconds kPause{20};

std::string this_process() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.front() = '?';
  return fmt::format("process {} on {}", ::getpid(), host.data());
}

std::string content(int fd) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return {text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
}

int lock(int fd) {
  int result;
  do {
    result = ::flock(fd, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result;
}

/// Whoever held the file before may have removed it while we opened it.
bool is_called(int fd, const std::filesystem::path& file) {
  struct stat ours, named;
  return ::fstat(fd, &ours) == 0 && ::stat(file.c_str(), &named) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

}  // namespace

FileLock::FileLock(std::filesystem::path file, std::chrono::milliseconds patience)
    : file_(std::move(file)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    opened_ = open_descriptor(file_, O_RDWR | O_CREAT);
    if (opened_.get() < 0) return;
    if (lock(opened_.get()) != 0) {
      if (errno != EWOULDBLOCK) return;
      if (std::chrono::steady_clock::now() < until) {
        std::this_thread::sleep_for(kPause);
        continue;
      }
      holder_ = content(opened_.get());
      if (holder_.empty()) holder_ = "another process";
      return;
    }
    if (is_called(opened_.get(), file_)) break;
  }
  const std::string name = this_process();
  // Those who find it taken can do without.
  if (::ftruncate(opened_.get(), 0) != 0 ||
      ::pwrite(opened_.get(), name.data(), name.size(), 0) < 0)
    return;
}

FileLock::~FileLock() {
  // Before the lock is let go of: later the file could be that of another process.
  if (taken() && opened_.get() >= 0) ::unlink(file_.c_str());
}

}  // namespace engram
