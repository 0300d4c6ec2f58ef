// All weights of a model in one array, all gradients in another: layers see named slices, learners
// see vectors. A gradient remembers which rows and columns were touched and stores only those until
// somebody asks for the whole of it. State that no optimiser touches (duty cycles, running
// statistics) lives apart.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/gradient_block.h"
#include "utils/buffer.h"
#include "utils/matrix.h"

namespace engram {

/// Somebody who owes something to the weights of a slice, and pays before they are read.
class Creditor {
 public:
  virtual ~Creditor() = default;
  virtual void settle(int id, std::span<const std::int32_t> rows) = 0;
  virtual void settle_all(int id) = 0;
  /// Factors of the columns [cols] that readers multiply by; null: all are 1.
  virtual const real* column_scale(int /*id*/) { return nullptr; }
};

/// How the gradient of a slice is kept at the moment.
enum class GradientForm {
  Zero,   ///< nothing was added since zero_grad()
  Block,  ///< zero outside a block of rows and columns
  Full,   ///< every entry, in the array of all gradients
};

/// Which rows of a slice may have changed since its layer asked last (see ParamStore::watch).
struct RowChanges {
  bool watched = false, all = true;
  std::vector<std::int32_t> rows;  ///< when not all; some perhaps more than once
};

/// One named slice of the parameters: a row-major matrix [rows, cols].
struct Param {
  std::string name;
  int rows = 0, cols = 0;
  std::size_t offset = 0;
  bool trainable = true;  ///< optimisers skip frozen slices altogether: no decay either
  /// Few rows are read in a step, so an optimiser may owe the others their idle steps until they
  /// are (see ParamStore::rows).
  bool lazy = false;
  /// In training it is read through ParamStore::scaled alone, so an optimiser may keep a factor for
  /// each column.
  bool scalable = false;
  /// Multiply the optimiser's learning rate and weight decay for this slice.
  double rate = 1, decay = 1;
  Creditor* creditor = nullptr;  ///< who owes it something
  RowChanges changes{};
  std::vector<std::uint8_t>
      mask{};  ///< [rows * cols], 0 where the synapse does not exist; or empty
  GradientForm form = GradientForm::Zero;
  GradientBlock block{};  ///< when form is Block
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

  /// A slice, up to date.
  CMat value(int id) const;
  Mat value(int id);  ///< to be written too
  /// A slice of which only `rows` are up to date: for those who read no others.
  CMat rows(int id, std::span<const std::int32_t> rows) const;
  struct Scaled {
    CMat weight;
    const real* scale;  ///< [cols], or null: the slice is weight times the factors of its columns
  };
  Scaled scaled(int id) const;
  /// A slice as it lies in memory, whatever is owed to it; to be written too.
  Mat raw_value(int id);

  // For a layer that remembers what the rows of a slice gave. Whoever is handed weights to write
  // may have changed them all; an optimiser that keeps their address says what it changed.
  void watch(int id) { param(id).changes.watched = true; }
  /// Takes over which rows may have changed since the last call: true and `rows`, or false: all.
  bool take_changes(int id, std::vector<std::int32_t>& rows);
  void note_changes(int id, std::span<const std::int32_t> rows);
  void note_changes(int id) { param(id).changes.all = true; }

  int state_count() const { return static_cast<int>(states_table_.size()); }
  const Param& state_param(int id) const { return states_table_[static_cast<std::size_t>(id)]; }
  Mat state(int id);
  CMat state(int id) const;

  // Filling the gradient of a slice. Whoever comes second adds to what is there.
  struct Opened {
    Mat value;   ///< of the whole slice
    bool fresh;  ///< the content is undefined and to be overwritten; else to be added to
  };
  /// The whole gradient, to be written (if fresh) or added to.
  Opened open_gradient(int id);
  /// Adds a block; its buffers are exchanged for other ones of the same kind.
  void add_gradient(int id, GradientBlock& block);
  /// The gradient of `to`, a slice of the same shape that has none yet, becomes that of `from`.
  void copy_gradient(int from, int to);
  /// The whole gradient, zero where nothing was added.
  Mat grad(int id);
  void zero_grad(int id) { param(id).form = GradientForm::Zero; }
  void zero_grad();  ///< of all; costs nothing: zeros are written when somebody asks for them

  /// All weights, up to date.
  std::span<real> values();
  std::span<const real> values() const;
  /// As they lie in memory, for optimisers and checkpoints; to be written too.
  std::span<real> raw_values();
  /// The whole gradient of all slices as one vector, for strategies; dense from here on.
  std::span<real> grads();
  std::span<real> states() { return states_; }

  /// Gives a slice a mask with exactly `kept` ones in every column (see Param::mask).
  void set_mask(int id, std::vector<std::uint8_t> mask);
  void mask_values();                  ///< absent synapses <- 0
  void mask_gradients();               ///< their gradients <- 0
  void clip_gradients(double bound);   ///< every entry of every gradient <- within +-bound
  double gradient_norm(int id) const;  ///< Euclidean, of a slice (Frobenius)
  double gradient_norm() const;        ///< over all trainable slices
  void scale_gradients(double by);

 private:
  Mat raw_grad(int id);
  /// What is kept of a gradient: all of it, or its block.
  std::span<const real> kept_gradient(int id) const;
  std::vector<Param> params_, states_table_;
  Buffer<real> values_, grads_, states_;
  std::size_t value_size_ = 0, state_size_ = 0;
};

}  // namespace engram
