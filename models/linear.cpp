// Fully connected layer: dense or sparse storage.
#include "models/chosen_layer.h"
#include "models/sparse_synapses.h"

namespace engram {
namespace {

class Linear final : public ChosenLayer {
 public:
  Linear(int outputs, const Synapses& synapses) : outputs_(outputs), synapses_(synapses) {}
  std::string kind() const override { return "linear"; }
  bool meets_once() const override { return true; }

 protected:
  LayerPtr choose(ImageShape, const Place& place) const override {
    const bool pays =
        synapses_.rewirable || sparse_storage_pays(synapses_.density, place.active_share);
    const bool sparse = stores_sparse(synapses_, pays, place);
    return sparse ? sparse_linear(outputs_, synapses_) : dense_linear(outputs_, synapses_);
  }

 private:
  int outputs_;
  Synapses synapses_;
};

}  // namespace

LayerPtr linear(int outputs, const Synapses& synapses) {
  return std::make_unique<Linear>(outputs, synapses);
}

}  // namespace engram
