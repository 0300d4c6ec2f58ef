// One process at a time has a lock, whoever dies and whenever its file is removed.
#include "utils/file_lock.h"

#include <csignal>
#include <functional>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/utils/temp_folder.h"

namespace engram {
namespace {
namespace fs = std::filesystem;

pid_t in_a_process(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  return child;
}
int status_of(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

/// A process that has taken the lock of `file`, and what it does then.
pid_t holder_of(const fs::path& file, const std::function<void()>& then) {
  int ready[2];
  if (::pipe(ready) != 0) return -1;
  const pid_t child = in_a_process([&] {
    const FileLock lock(file);
    const char taken = static_cast<char>(lock.taken());
    if (::write(ready[1], &taken, 1) == 1) then();
  });
  char taken = 0;
  EXPECT_TRUE(::read(ready[0], &taken, 1) == 1 && taken == 1);
  ::close(ready[0]), ::close(ready[1]);
  return child;
}

TEST(FileLock, IsHadByOneAtATimeAndLeavesNothing) {
  const TempFolder folder;
  const fs::path file = folder.path() / "lock";
  {
    const FileLock first(file);
    EXPECT_TRUE(first.taken());
    EXPECT_EQ(first.holder(), "");
    const FileLock second(file), other(folder.path() / "other");
    EXPECT_FALSE(second.taken());
    EXPECT_TRUE(second.holder().starts_with(fmt::format("process {} on ", ::getpid())))
        << second.holder();
    EXPECT_TRUE(other.taken());
  }
  EXPECT_FALSE(fs::exists(file));
  EXPECT_TRUE(FileLock(file).taken());
}

TEST(FileLock, OfAProcessThatWasKilledIsTakenOver) {
  const TempFolder folder;
  const fs::path file = folder.path() / "lock";
  const pid_t child = holder_of(file, [] { ::pause(); });
  ASSERT_GT(child, 0);
  {
    const FileLock lock(file);
    EXPECT_FALSE(lock.taken());
    EXPECT_TRUE(lock.holder().starts_with(fmt::format("process {} on ", child))) << lock.holder();
  }
  ::kill(child, SIGKILL);
  status_of(child);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_TRUE(FileLock(file).taken());
}

TEST(FileLock, IsWaitedForAsLongAsItIsSaid) {
  const TempFolder folder;
  const fs::path file = folder.path() / "lock";
  const pid_t child =
      holder_of(file, [] { std::this_thread::sleep_for(std::chrono::milliseconds(200)); });
  ASSERT_GT(child, 0);
  EXPECT_FALSE(FileLock(file, std::chrono::milliseconds(1)).taken());
  EXPECT_TRUE(FileLock(file, std::chrono::minutes(1)).taken());
  EXPECT_EQ(status_of(child), 0);
}

TEST(FileLock, WhoseHolderHasNotYetSaidWhoItIs) {
  const TempFolder folder;
  const fs::path file = folder.path() / "lock";
  const FileLock first(file);
  fs::resize_file(file, 0);
  EXPECT_EQ(FileLock(file).holder(), "another process");
}

TEST(FileLock, WhereThereCanBeNoneIsEverybodys) {
  const TempFolder folder;
  const fs::path file = folder.path() / "no such folder" / "lock";
  const FileLock first(file), second(file);
  EXPECT_TRUE(first.taken() && second.taken());
}

TEST(FileLock, KeepsProcessesApartAlthoughItsFileComesAndGoes) {
  constexpr int kProcesses = 4, kTurns = 300;
  const TempFolder folder;
  const fs::path file = folder.path() / "lock";
  auto* const inside = static_cast<volatile int*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(inside, MAP_FAILED);
  std::vector<pid_t> children;
  for (int p = 1; p <= kProcesses; ++p)
    children.push_back(in_a_process([&] {
      for (int turns = 0; turns < kTurns;) {
        const FileLock lock(file);
        if (!lock.taken()) continue;
        ++turns;
        if (*inside != 0) ::_exit(1);
        *inside = p;
        ::usleep(100);
        if (*inside != p) ::_exit(1);
        *inside = 0;
      }
    }));
  for (const pid_t child : children)
    EXPECT_EQ(status_of(child), 0) << "two had the lock at once";
  ::munmap(const_cast<int*>(inside), 4096);
}

}  // namespace
}  // namespace engram
