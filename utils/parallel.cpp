// Between loops the workers look out for the next one for a little while, since a training step is
// a quick succession of loops and waking a thread costs as much as a small one; then they sleep. In
// a loop everybody takes the next tile from one counter, the caller too. The caller waits only for
// workers that have joined the loop, so a worker that wakes late costs a short loop nothing.
#include "utils/parallel.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "utils/error.h"

namespace engram {
namespace {

/// Tells the processor that this thread only waits.
void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

/// Looks for something to come true for about 50 microseconds before giving up.
template <class Happened>
bool spin_until(Happened happened) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::microseconds(50);
  do {
    for (int i = 0; i < 64; ++i) {
      if (happened()) return true;
      pause();
    }
  } while (Clock::now() < end);
  return false;
}

/// True on a thread that is running a tile: loops inside a tile run serially.
thread_local bool inside_tile = false;

void run_serially(int count, const TileBody& body) {
  for (int i = 0; i < count; ++i)
    body(i);
}

/// While it lives, threads are started that leave it to others to be asked to stop: a handler needs
/// a stack of its own beside oneDNN's products (exps/commands/stop.cpp), which workers have not.
class StopSignalsBlocked {
 public:
  StopSignalsBlocked() {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &stop, &before_);
  }
  ~StopSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  StopSignalsBlocked(const StopSignalsBlocked&) = delete;
  StopSignalsBlocked& operator=(const StopSignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

class Pool {
 public:
  explicit Pool(int workers) {
    const StopSignalsBlocked blocked;
    workers_.reserve(static_cast<std::size_t>(workers));
    for (int i = 0; i < workers; ++i)
      workers_.emplace_back([this] { serve(); });
  }

  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    workers_.clear();  // joins before the condition variables go
  }

  void run(int count, const TileBody& body) {
    {
      const std::lock_guard lock(mutex_);
      body_ = &body;
      count_ = first_failure_ = count;
      next_.store(0, std::memory_order_relaxed);
      ++loop_;
    }
    wake_.notify_all();
    inside_tile = true;
    take_tiles(body, count);
    inside_tile = false;
    std::unique_lock lock(mutex_);
    body_ = nullptr;  // from here on nobody joins
    if (joined_ > 0) {
      lock.unlock();
      spin_until([&] { return joined_ == 0; });
      lock.lock();
    }
    left_.wait(lock, [&] { return joined_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  void serve() {
    inside_tile = true;
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex_);
    for (;;) {
      lock.unlock();
      spin_until([&] { return loop_ != seen || stopping_; });
      lock.lock();
      wake_.wait(lock, [&] { return stopping_ || (body_ && loop_ != seen); });
      if (stopping_) return;
      seen = loop_;
      const auto* const body = body_;
      const int count = count_;
      ++joined_;
      lock.unlock();
      take_tiles(*body, count);
      lock.lock();
      if (--joined_ == 0) left_.notify_one();
    }
  }

  void take_tiles(const TileBody& body, int count) {
    for (;;) {
      // 64 bits: every thread overshoots once, and `count` may be the largest int.
      const std::int64_t i = next_.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) return;
      try {
        body(static_cast<int>(i));
      } catch (...) {
        // Tiles are handed out in order, so every tile before a failing one does run, and the
        // failure of the lowest tile is the one that a serial loop would have thrown.
        const std::lock_guard lock(mutex_);
        if (i < first_failure_)
          first_failure_ = static_cast<int>(i), failure_ = std::current_exception();
        next_.store(count, std::memory_order_relaxed);
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_, left_;
  const TileBody* body_ = nullptr;  ///< of the open loop
  int count_ = 0;
  std::atomic<int> joined_ = 0;          ///< workers inside the loop; changes under the mutex
  std::atomic<std::uint64_t> loop_ = 0;  ///< likewise
  int first_failure_ = 0;
  std::exception_ptr failure_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> next_{0};
  std::vector<std::jthread> workers_;
};

struct Shared {
  std::mutex in_use;  ///< held during a loop and while the number of threads changes
  std::unique_ptr<Pool> pool;
  std::atomic<int> threads{1};
};

Shared& shared() {
  static Shared instance;
  return instance;
}

}  // namespace

void set_threads(int count) {
  ENGRAM_INVARIANT(count >= 1);
  ENGRAM_INVARIANT(!inside_tile);  // a worker cannot wait for its own end
  Shared& state = shared();
  const std::lock_guard lock(state.in_use);
  if (count == state.threads) return;
  state.pool.reset();
  state.threads = 1;  // what holds if a thread cannot be started below
  if (count > 1) state.pool = std::make_unique<Pool>(count - 1);
  state.threads = count;
}

int threads() {
  return shared().threads;
}

void parallel_for(int count, TileBody body) {
  Shared& state = shared();
  if (count <= 1 || inside_tile || state.threads == 1) return run_serially(count, body);
  // A second thread of the program that comes while the pool is busy does its own work.
  const std::unique_lock lock(state.in_use, std::try_to_lock);
  if (!lock || !state.pool) return run_serially(count, body);
  state.pool->run(count, body);
}

}  // namespace engram
