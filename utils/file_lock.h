// Who may write: one process at a time.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "utils/descriptor.h"

namespace engram {

/// A lock that a file stands for. It is let go of when the process ends, however it ends; the file,
/// which is removed with the lock, may then stay and is taken over. Where a file system knows no
/// locks, or the folder cannot be written, everybody gets one.
class FileLock {
 public:
  /// `patience`: so long a lock of somebody else is waited for.
  explicit FileLock(std::filesystem::path file, std::chrono::milliseconds patience = {});
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  /// False: another process has it, or another FileLock of this one.
  bool taken() const { return holder_.empty(); }
  /// "process 123 on somewhere", or "another process" while it has not yet said so; "" when taken.
  const std::string& holder() const { return holder_; }

 private:
  std::filesystem::path file_;
  Descriptor opened_;
  std::string holder_;
};

}  // namespace engram
