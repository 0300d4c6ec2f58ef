#include "utils/buffer.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/mman.h>

namespace engram {
namespace {

constexpr std::size_t kLine = 64, kHuge = std::size_t{2} << 20;

}  // namespace

ZeroPages::ZeroPages(std::size_t bytes) {
  if (bytes == 0) return;
  if (bytes < kHuge) {
    const std::size_t rounded = (bytes + kLine - 1) / kLine * kLine;
    data_ = std::aligned_alloc(kLine, rounded);
    if (!data_) throw std::bad_alloc();
    std::memset(data_, 0, rounded);
    return;
  }
  bytes_ = bytes;
  data_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data_ == MAP_FAILED) {
    data_ = nullptr;
    throw std::bad_alloc();
  }
  madvise(data_, bytes, MADV_HUGEPAGE);  // a wish: without huge pages everything works as well
}

ZeroPages::~ZeroPages() {
  if (bytes_ > 0)
    munmap(data_, bytes_);
  else
    std::free(data_);
}

}  // namespace engram
