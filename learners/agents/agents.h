// One options struct and one factory per agent; learners/agent_table.cpp is their table.
#pragma once

#include <memory>
#include <string>

#include "learners/agents/agent.h"
#include "learners/replay_memory.h"

namespace engram {

/// How every agent lives and is judged.
struct AgentOptions {
  std::string agent = "dqn";
  int steps_per_regime = 20000, evaluate_every = 5000, test_episodes = 20, film_frames = 12;
  bool regime_input = false, clear_memory = true;

  template <class V>
  void describe(V&& v) {
    v("agent", agent, "simulations: agent of `engram list agents`");
    v("steps_per_regime", steps_per_regime, Range::at_least(1),
      "simulations: interactions to learn a regime from; every step of every body is one");
    v("evaluate_every", evaluate_every, Range::at_least(1),
      "simulations: interactions between two points of the learning curve");
    v("test_episodes", test_episodes, Range::at_least(1).at_most(10000),
      "simulations: episodes of an evaluation, at least: all bodies live through equally many");
    v("film_frames", film_frames, Range::at_least(0).at_most(200),
      "simulations: pictures of a test episode after every regime; 0: none");
    v("regime_input", regime_input,
      "simulations: bodies are told the number of the regime, as a one-hot code beside what they "
      "see");
    v("clear_memory", clear_memory,
      "simulations: memories of a regime are forgotten when the next one begins; no: what is left "
      "of them is learnt again, which is rehearsal");
  }
};

struct DqnOptions {
  int memory = 50000, batch = 64, starts = 1000, train_every = 2, copy_every = 500;
  double gamma = 0.98, reward_scale = 0.1;
  double epsilon = 1, epsilon_final = 0.05, epsilon_share = 0.4;
  double longest_gradient = 10;
  bool double_q = true;

  template <class V>
  void describe(V&& v) {
    v("dqn.memory", memory, Range::at_least(1).at_most(ReplayMemory::kMost),
      "transitions that are remembered");
    v("dqn.batch", batch, Range::at_least(1), "transitions in a mini-batch");
    v("dqn.starts", starts, Range::at_least(1), "transitions remembered before the first one");
    v("dqn.train_every", train_every, Range::at_least(1), "interactions between mini-batches");
    v("dqn.copy_every", copy_every, Range::at_least(1),
      "mini-batches between copies of the network that judges what is to come");
    v("dqn.gamma", gamma, Range::at_least(0).below(1), "discount of what is to come");
    v("dqn.reward_scale", reward_scale, Range::above(0), "multiplies rewards");
    v("dqn.epsilon", epsilon, Range::fraction(), "share of random actions when a regime begins");
    v("dqn.epsilon_final", epsilon_final, Range::fraction(), "and in the end");
    v("dqn.epsilon_share", epsilon_share, Range::above(0).at_most(1),
      "share of a regime's interactions over which the one becomes the other");
    v("dqn.longest_gradient", longest_gradient, Range::at_least(0),
      "longer gradients are scaled to this Euclidean norm; 0: none is");
    v("dqn.double", double_q,
      "the learning network chooses the next action and the copy judges it; no: the copy does "
      "both");
  }
};
std::unique_ptr<Agent> make_dqn(const DqnOptions&, const AgentContext&);  // dqn.cpp

struct ImitationOptions {
  int memory = 50000, batch = 64, train_every = 1, expert_episodes = 5;
  bool late_targets = false;

  template <class V>
  void describe(V&& v) {
    v("imitation.memory", memory, Range::at_least(1).at_most(ReplayMemory::kMost),
      "labelled moments that are remembered");
    v("imitation.batch", batch, Range::at_least(1), "moments in a mini-batch");
    v("imitation.train_every", train_every, Range::at_least(1),
      "interactions between mini-batches");
    v("imitation.expert_episodes", expert_episodes, Range::at_least(0),
      "episodes of a regime, of all bodies together, in which the expert acts; then the agent "
      "does, and the expert says what it would have done");
    v("imitation.late_targets", late_targets,
      "learn what the expert does one step later, as the D2BL code did");
  }
};
std::unique_ptr<Agent> make_imitation(const ImitationOptions&, const AgentContext&);

struct LevelOptions {
  template <class V>
  void describe(V&&) {}
};
std::unique_ptr<Agent> make_random(const LevelOptions&, const AgentContext&);  // random.cpp
std::unique_ptr<Agent> make_expert(const LevelOptions&, const AgentContext&);  // expert.cpp

}  // namespace engram
