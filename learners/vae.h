// A variational autoencoder of fully connected layers (Kingma & Welling 2014, arXiv 1312.6114), for
// strategies that paint the past: x in [0, 1] -> a normal law over codes z -> x.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "learners/optimizer.h"
#include "models/network.h"
#include "models/walk_down.h"

namespace engram {

struct VaeShape {
  int pixels = 0, codes = 100;
  std::vector<int> hidden{400, 400};  ///< of the encoder; the decoder has them in reverse
};

class Vae {
 public:
  Vae(const VaeShape&, Rng init);

  /// The weighted sum over rows x [rows, pixels] of -ELBO, with one code each from `rng`:
  ///   sum_p BCE(x_p, decoder(z)_p) + KL(N(mu, sigma^2) || N(0, 1)),  z = mu + sigma epsilon;
  /// fills the gradients of both networks. `weight` [rows].
  double learn(const Signal& x, std::span<const real> weight, Rng rng);
  /// images [count, pixels] <- sigmoids of what the decoder makes of codes from N(0, 1).
  void paint(int count, Rng rng, Signal& images);

  Network& encoder() { return encoder_; }
  Network& decoder() { return decoder_; }

 private:
  void descend(Network&, const Signal& x, const Tape&, const Signal& error, WalkDown&,
               Signal* at_input);

  int codes_;
  Network encoder_;  ///< pixels -> means and logarithms of variances [2 codes]
  Network decoder_;  ///< codes -> logits of pixels
  Tape up_, down_;
  WalkDown walk_up_, walk_down_;
  Signal z_, noise_, logit_error_, code_error_, moment_error_;
};

}  // namespace engram
