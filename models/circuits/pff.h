// Predictive forward-forward (Ororbia & Mali 2023): a recurrent representation circuit of two
// levels with lateral competition and label context, and a generative circuit beside it.
//   pre1 = norm(x) W1 + norm(z2) V2 + b1 - lateral z1 L1
//   pre2 = norm(z1) W2 + strength y V + b2 - lateral z2 L2
//   z    = (1 - memory) relu(pre) + memory z                        both levels at the same time
//   L    = relu(raw) within a group, its diagonal negative, 0 between groups
//   goodness of a level = sum z^2
// Here is what it computes; learners/rules/pff.cpp is how it learns. What follows the authors'
// published code rather than the paper is said where it is decided.
#pragma once

#include <span>
#include <string>

#include "models/circuits/pff_options.h"
#include "models/goodness.h"

namespace engram {

/// u / (|u| + 1e-8) for every row.
void normalise_rows(CMat u, Mat normed);

class Pff final : public GoodnessLayer, public ImageModel {
 public:
  Pff(const PffOptions& options, int hidden, int labels);

  enum Slice { W1, W2, V2, V, W, B1, B2, B, L1, L2, Gy, G2, G1 };
  static constexpr int kSlices = G1 + 1;

  std::string kind() const override { return "pff"; }
  std::string describe() const override;
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override;
  void init(Rng) override;
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override;
  int levels() const override { return 2; }
  /// Of the first level, from the image.
  void incoming(Signal& to) const override;

  int latents() const override { return o_.latents; }
  bool generates() const override { return generates_; }
  /// The authors' extraction: one step from the sweep under the guessed label, then the top code
  /// that its first gradient step gives, up to a factor (see
  /// learners/forward_forward/pff_generator.h).
  void encode(CMat images, std::span<const std::uint8_t> outputs, Mat codes) const override;
  void decode(CMat codes, Mat images) const override;
  void reconstruct(CMat images, Mat rebuilt) const override;

  const PffOptions& options() const { return o_; }
  int pixels() const { return pixels_; }
  int hidden() const { return hidden_; }
  int labels() const { return labels_; }
  /// Whether the generative circuit learns; what it holds is kept either way.
  void set_generates(bool on) { generates_ = on; }

  CMat weight(Slice s) const { return store_->value(ids_[s]); }
  std::span<const real> row(Slice s) const { return weight(s).all(); }
  int id(Slice s) const { return ids_[s]; }

  /// What the label-free sweep computes: the start of every recurrent run.
  struct Sweep {
    Signal normed;     ///< norm(x) [rows, pixels]
    Signal drive;      ///< norm(x) W1 + b1 [rows, hidden]: every step needs it
    Signal z1, z2;     ///< [rows, hidden]
    Signal bottom_up;  ///< norm(z1) W2 [rows, hidden]
  };
  Macs sweep(CMat x, Sweep& s) const;
  /// The drive alone, when the weights have changed and `normed` has not.
  Macs drive(Sweep& s) const;
  /// logits [rows, labels] of the fast classifier: norm(z2) W + b.
  Macs read_out(CMat normed_z2, Mat logits) const;

  /// Members of a group are handled so many at a time, for the sake of vector registers.
  static constexpr int kMembers = 16;
  int padded_group() const { return (o_.group + kMembers - 1) / kMembers * kMembers; }
  /// relu(raw) with the signs of competition, times `lateral`: [hidden, padded_group()], the row of
  /// a source unit holds its effect on the members of its group, then zeros. `level` 1 or 2.
  void lateral_weights(int level, Signal& effective) const;
  /// strength V + b2, a row per label: [labels, hidden].
  void label_drive(Signal& drive) const;

  /// What trying labels needs; kept by those who do it often.
  struct Trial {
    Sweep sweep;
    Signal lateral1, lateral2, by_label, normed, down, up, states[2][2];
    std::vector<int> labels, image, label;
    std::vector<real> goodness, sums;
  };
  /// forward() with outputs of the pass.
  Macs score(const Signal& x, std::span<const std::uint8_t> outputs, Record& y, Trial&) const;

  /// One level, one step, for `next.rows` states.
  struct Step {
    CMat product;            ///< of the other level through its matrix [sources, hidden]
    CMat drive;              ///< [drives, hidden]
    CMat previous;           ///< state of the level [sources, hidden]
    CMat lateral;            ///< of lateral_weights()
    const int* source;       ///< row of product and previous for each state; null: its own
    const int* drive_row;    ///< row of drive for each state; null: its own
    const real* noise;       ///< [rows, hidden] or null
    Mat next;                ///< [rows, hidden]; may not be `previous`
    real* goodness;          ///< [rows]
    std::uint8_t* positive;  ///< [rows, hidden] <- 1 where pre > 0; or null
  };
  void advance(const Step&) const;

 private:
  Macs try_labels(Trial&, int first, int count, Record& y) const;
  void compete(const real* old, CMat lateral, real* z) const;
  void guess(CMat images, std::span<const std::uint8_t> outputs, const Sweep& s, Mat labels) const;

  PffOptions o_;
  int hidden_, labels_, pixels_ = 0;
  bool generates_ = true;
  ParamStore* store_ = nullptr;
  std::array<int, kSlices> ids_{};
};

}  // namespace engram
