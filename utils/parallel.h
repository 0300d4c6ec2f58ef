// A pool of threads for loops over fixed tiles. What a tile computes never depends on how many
// threads there are, so results have the same bits for any number of them. No other file starts a
// thread for computing.
#pragma once

#include <cstddef>
#include <type_traits>

namespace engram {

/// Sets how many threads (>= 1, this one included) parallel_for may use. Default 1.
void set_threads(int count);
int threads();

/// A function of the tile's number that lives with the caller: what parallel_for takes costs no
/// allocation, whatever it captures.
class TileBody {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, TileBody>)
      TileBody(const F& f)  // NOLINT(google-explicit-constructor)
      : object_(&f),
        call_([](const void* object, int i) { (*static_cast<const F*>(object))(i); }) {}
  void operator()(int i) const { call_(object_, i); }

 private:
  const void* object_;
  void (*call_)(const void*, int);
};

/// Calls body(i) for every i in [0, count), in any order, perhaps at the same time. `body` writes
/// only to what tile i owns. An exception from a body is thrown again here after all have ended.
void parallel_for(int count, TileBody body);

/// Calls body(row) for every row below `rows`, some rows a tile: for bodies that write only to
/// their own row.
template <class Body>
void for_rows(int rows, const Body& body) {
  constexpr int kTile = 16;
  parallel_for((rows + kTile - 1) / kTile, [&](int tile) {
    const int end = rows < (tile + 1) * kTile ? rows : (tile + 1) * kTile;
    for (int row = tile * kTile; row < end; ++row)
      body(row);
  });
}

/// Calls body(begin, end) for consecutive parts of [0, size).
template <class Body>
void for_blocks(std::size_t size, const Body& body) {
  constexpr std::size_t kBlock = 1 << 15;
  parallel_for(static_cast<int>((size + kBlock - 1) / kBlock), [&](int block) {
    const std::size_t begin = static_cast<std::size_t>(block) * kBlock;
    body(begin, size < begin + kBlock ? size : begin + kBlock);
  });
}

}  // namespace engram
