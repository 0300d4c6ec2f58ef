#include "models/torch_weights.h"

#include <algorithm>
#include <cctype>

#include "utils/error.h"

namespace engram {
namespace {

/// The tensors of one module by their last names: weight, bias, running_mean, ...
struct Module {
  std::string name;
  std::map<std::string, const NamedTensor*, std::less<>> parts;
  const NamedTensor* part(std::string_view which) const {
    const auto found = parts.find(which);
    return found == parts.end() ? nullptr : found->second;
  }
};

std::vector<Module> modules_of(std::span<const NamedTensor> tensors) {
  const auto less = [](const std::string& a, const std::string& b) { return natural_less(a, b); };
  std::map<std::string, Module, decltype(less)> sorted(less);
  for (const NamedTensor& t : tensors) {
    if (!t.numbers) continue;
    const auto dot = t.name.rfind('.');
    const std::string owner = dot == std::string::npos ? "" : t.name.substr(0, dot);
    Module& module = sorted[owner];
    module.name = owner;
    module.parts[dot == std::string::npos ? t.name : t.name.substr(dot + 1)] = &t;
  }
  std::vector<Module> out;
  for (auto& [name, module] : sorted)
    out.push_back(std::move(module));
  return out;
}

/// The kind of our layer that a module is, or "".
std::string kind_of(const Module& module) {
  const NamedTensor* const weight = module.part("weight");
  if (!weight) return module.part("running_mean") ? "batch_norm" : "";
  switch (weight->shape.size()) {
    case 4:
      return "conv";
    case 2:
      return "linear";
    case 1:
      return module.part("running_mean") ? "batch_norm" : "layer_norm";
    default:
      return "";
  }
}

/// [O, I, kh, kw] -> [(kh, kw, I), O].
SavedSlice convolution(const NamedTensor& t) {
  const std::size_t outputs = t.shape[0], inputs = t.shape[1], taps = t.shape[2] * t.shape[3];
  SavedSlice s{taps * inputs, outputs, std::vector<float>(t.values.size()), t.name};
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i)
      for (std::size_t k = 0; k < taps; ++k)
        s.values[(k * inputs + i) * outputs + o] = t.values[(o * inputs + i) * taps + k];
  return s;
}

/// [O, (C, H, W)] -> [(H, W, C), O].
SavedSlice fully_connected(const NamedTensor& t, const ImageShape& in) {
  const std::size_t outputs = t.shape[0], inputs = t.shape[1];
  const bool image = static_cast<std::size_t>(in.size()) == inputs;
  const auto channels = image ? static_cast<std::size_t>(in.channels) : inputs;
  const std::size_t places = channels > 0 ? inputs / channels : 0;
  SavedSlice s{inputs, outputs, std::vector<float>(t.values.size()), t.name};
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t c = 0; c < channels; ++c)
      for (std::size_t p = 0; p < places; ++p)
        s.values[(p * channels + c) * outputs + o] = t.values[o * inputs + c * places + p];
  return s;
}

SavedSlice row(const NamedTensor& t) {
  return {1, t.values.size(), t.values, t.name};
}

/// What the layer reads as an image, though it may have been laid out flat below.
ImageShape image_below(const Network& net, int l) {
  int below = net.source(l);
  while (below >= 0 && net.output_shape(below).flat() &&
         net.input_shape(below).size() == net.output_shape(below).size() &&
         net.layer(below).synapses().empty() && !net.layer(below).existing_synapses())
    below = net.source(below);
  return net.output_shape(below);
}

}  // namespace

bool natural_less(const std::string& a, const std::string& b) {
  const auto digit = [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!digit(a[i]) || !digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    const auto number = [&digit](const std::string& s, std::size_t& at) {
      while (at + 1 < s.size() && s[at] == '0' && digit(s[at + 1]))
        ++at;
      const std::size_t begin = at;
      while (at < s.size() && digit(s[at]))
        ++at;
      return std::string_view(s).substr(begin, at - begin);
    };
    const auto x = number(a, i), y = number(b, j);
    if (x != y) return x.size() != y.size() ? x.size() < y.size() : x < y;
  }
  if (i == a.size() && j == b.size()) return a < b;
  return i == a.size();
}

SavedSlices from_torch(std::span<const NamedTensor> tensors, const Network& net) {
  const std::vector<Module> modules = modules_of(tensors);
  std::map<std::string, std::vector<const Module*>> by_kind;
  for (const Module& module : modules)
    by_kind[kind_of(module)].push_back(&module);
  std::map<std::string, std::size_t> next;
  SavedSlices out;
  for (int l = 0; l < net.depth(); ++l) {
    const std::string kind = net.layer(l).kind();
    const auto of_kind = by_kind.find(kind);
    const std::size_t count = next[kind]++;
    if (of_kind == by_kind.end() || count >= of_kind->second.size()) continue;
    const Module& module = *of_kind->second[count];
    const std::string name = net.layer_name(l) + ".";
    const NamedTensor* const weight = module.part("weight");
    const NamedTensor* const bias = module.part("bias");
    const auto put = [&](const char* ours, const NamedTensor* theirs) {
      if (theirs) out[name + ours] = row(*theirs);
    };
    if (kind == "conv") out[name + "weight"] = convolution(*weight);
    if (kind == "linear") out[name + "weight"] = fully_connected(*weight, image_below(net, l));
    if (kind == "conv" || kind == "linear") {
      put("bias", bias);
    } else {
      put("scale", weight), put("shift", bias);
      put("mean", module.part("running_mean")), put("variance", module.part("running_var"));
    }
  }
  return out;
}

}  // namespace engram
