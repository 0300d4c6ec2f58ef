// What both kinds of context layers share: the contexts that they know, as state of the model, and
// the nearest one to an image.
#pragma once

#include <string>

#include "models/dendrites/dendrites.h"

namespace engram {

class ContextLayer : public Layer {
 public:
  /// `most`: contexts that there is room for. `pixels`: so many inputs, drawn once, make a context;
  /// 0: all.
  ContextLayer(int most, int pixels, SharedContexts shared)
      : most_(most), pixels_(pixels), shared_(std::move(shared)) {}
  std::string kind() const override { return "context"; }
  ImageShape bind(ImageShape in, const Place& place, ParamStore& store) override;
  void init(Rng rng) override;
  /// One number an example.
  Macs forward(const Signal& x, Record& y, const Pass& pass) const override;
  /// No error goes below it.
  Macs backward_input(const Signal&, const Record&, const Signal&, Signal&, const Pass&,
                      const Descent&) const override {
    return {};
  }
  bool errors_reach_input() const override { return false; }
  /// Error(Data) when pixels were read that an image does not have.
  void restored() override;

 protected:
  /// The context that training gives to a row; kNoContext: the nearest is taken.
  virtual int chosen(int row, const Pass& pass) const = 0;
  /// Images behind the k-th context; 0: it is not known.
  double seen(int k) const { return static_cast<double>(store_->state(seen_).data[k]); }
  /// Context k <- the mean of what is behind it and of `images` more with this sum [length()].
  void add_to(int k, const std::vector<double>& sum, int images);
  int most() const { return most_; }
  int length() const { return length_; }
  /// to [length()] <- the part of an image that contexts are made of.
  void part_of(const real* image, real* to) const;
  ParamStore& store() const { return *store_; }

 private:
  int most_, pixels_, inputs_ = 0, length_ = 0;
  SharedContexts shared_;
  ParamStore* store_ = nullptr;
  int vectors_ = -1, seen_ = -1, places_ = -1;
};

}  // namespace engram
