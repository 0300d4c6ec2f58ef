// Large zeroed arrays that cost memory only where they are written. Pages come from the system on
// first touch, so a gradient that stays sparse never becomes resident; huge pages spare the address
// look-ups that walking over a wide weight matrix would cost (measured: 8 % of a sparse product).
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

namespace engram {

/// Owns untouched zero memory, aligned to a cache line. Move-only.
class ZeroPages {
 public:
  ZeroPages() = default;
  explicit ZeroPages(std::size_t bytes);  ///< throws std::bad_alloc
  ~ZeroPages();
  ZeroPages(ZeroPages&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  ZeroPages& operator=(ZeroPages&& other) noexcept {
    std::swap(data_, other.data_), std::swap(bytes_, other.bytes_);
    return *this;
  }
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;  ///< of the mapping; 0: from the heap
};

/// A fixed-size array of numbers, zero until written.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : pages_(size * sizeof(T)), size_(size) {}
  Buffer(const Buffer& other) : Buffer(other.size_) { std::copy_n(other.data(), size_, data()); }
  Buffer& operator=(const Buffer& other) { return *this = Buffer(other); }
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(Buffer&&) noexcept = default;
  T* data() { return static_cast<T*>(pages_.data()); }
  const T* data() const { return static_cast<const T*>(pages_.data()); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }

 private:
  ZeroPages pages_;
  std::size_t size_ = 0;
};

}  // namespace engram
