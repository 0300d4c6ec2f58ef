// A pool of threads for loops over fixed tiles. What a tile computes never depends on how many
// threads there are, so results have the same bits for any number of them. No other file starts a
// thread for computing.
#pragma once

#include <concepts>

namespace engram {

/// A reference to something callable with a tile's number: unlike std::function it never allocates,
/// and it must not outlive what it refers to.
class TileBody {
 public:
  template <class F>
  requires std::invocable<const F&, int> &&
      (!std::same_as<F, TileBody>)TileBody(const F& f)  // NOLINT(google-explicit-constructor)
      : object_(&f),
        call_([](const void* object, int i) { (*static_cast<const F*>(object))(i); }) {}
  void operator()(int i) const { call_(object_, i); }

 private:
  const void* object_;
  void (*call_)(const void*, int);
};

/// Sets how many threads (>= 1, this one included) parallel_for may use. Default 1.
void set_threads(int count);
int threads();

/// Calls body(i) for every i in [0, count), in any order, perhaps at the same time. `body` writes
/// only to what tile i owns. An exception from a body is thrown again here after all have ended.
void parallel_for(int count, const TileBody& body);

}  // namespace engram
