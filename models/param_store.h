// All weights of a model in one array, all gradients in another: layers see named slices, learners
// see vectors. A gradient remembers which rows were touched, so that zeroing and stepping can skip
// the rest. State that no optimiser touches (duty cycles, running statistics) lives apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "utils/matrix.h"

namespace engram {

/// Rows of a slice that an operation has written to.
class TouchedRows {
 public:
  explicit TouchedRows(int rows) : marked_(static_cast<std::size_t>(rows), 0) {}
  void touch(int row) {
    auto& mark = marked_[static_cast<std::size_t>(row)];
    if (mark == 0) mark = 1, rows_.push_back(row);
  }
  void touch_all() { all_ = true; }
  bool all() const { return all_; }
  bool contains(int row) const { return all_ || marked_[static_cast<std::size_t>(row)] != 0; }
  std::span<const int> rows() const { return rows_; }  ///< each once; meaningless when all()
  void clear();

 private:
  std::vector<std::uint8_t> marked_;
  std::vector<int> rows_;
  bool all_ = false;
};

/// One named slice of the parameters: a row-major matrix [rows, cols].
struct Param {
  std::string name;
  int rows = 0, cols = 0;
  std::size_t offset = 0;
  bool trainable = true;  ///< optimisers skip frozen slices altogether: no decay either
  bool decays = true;     ///< weight decay applies
  std::vector<std::uint8_t>
      mask{};  ///< [rows * cols], 0 where the synapse does not exist; or empty
  TouchedRows touched{0};
  std::size_t size() const {
    return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  }
};

class ParamStore {
 public:
  ParamStore() = default;
  ParamStore(const ParamStore&) = delete;  // layers keep its address
  ParamStore& operator=(const ParamStore&) = delete;

  // While layers bind:
  int add(std::string name, int rows, int cols);        ///< a trainable slice; returns its id
  int add_state(std::string name, int rows, int cols);  ///< saved with the model, never trained
  void allocate();  ///< once, after all layers have bound: addresses are fixed from here on

  int count() const { return static_cast<int>(params_.size()); }
  Param& param(int id) { return params_[static_cast<std::size_t>(id)]; }
  const Param& param(int id) const { return params_[static_cast<std::size_t>(id)]; }
  int find(std::string_view name) const;  ///< id of a slice, or -1

  Mat value(int id);
  CMat value(int id) const;
  Mat state(int id);
  CMat state(int id) const;

  /// The gradient of a slice, to be added to; the caller says which rows it writes.
  Mat grad(int id);
  void touch_row(int id, int row) { param(id).touched.touch(row); }
  void touch_all(int id) { param(id).touched.touch_all(); }
  /// Zeroes what was touched and forgets it.
  void zero_grad();

  std::span<real> values() { return values_; }
  std::span<const real> values() const { return values_; }
  /// The whole gradient, for strategies. Who writes outside touched rows must touch_all() first.
  std::span<real> grads() { return grads_; }
  std::span<real> states() { return states_; }

  /// Gives a slice a mask with exactly `kept` ones in every row (see Param::mask).
  void set_mask(int id, std::vector<std::uint8_t> mask);
  void mask_values();     ///< absent synapses <- 0
  void mask_gradients();  ///< their gradients <- 0, in touched rows

 private:
  std::vector<Param> params_, states_table_;
  std::vector<real> values_, grads_, states_;
  std::size_t value_size_ = 0, state_size_ = 0;
};

}  // namespace engram
