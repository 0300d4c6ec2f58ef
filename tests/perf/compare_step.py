#!/usr/bin/env python3
"""One training step of 784-4000-10 with k-winners, ours beside PyTorch's, in turn.

Both run the same work on one core: batch 128, inputs four fifths zero, SGD with Nesterov momentum
and weight decay, dropout after the winners. PyTorch's layers are written here the way the
reference's are: dense products, a top-k mask, weights zeroed again after every step.

  python3 tests/perf/compare_step.py [--engine build/release/step_time] [--rounds 3]

Prints a Markdown table. Timings need a quiet machine; a shared one only gives ratios.
"""
import argparse
import os
import statistics
import subprocess
import time


def torch_workloads(torch):
    nn = torch.nn

    class KWinners(nn.Module):
        """Strict top-k with duty-cycle boosting, as nupic.torch's layer computes it."""

        def __init__(self, units, percent_on, boost=1.0, period=1000):
            super().__init__()
            self.k = round(units * percent_on)
            self.boost, self.period, self.seen = boost, period, 0
            self.register_buffer("duty", torch.zeros(units))

        def forward(self, x):
            scores = x.detach() * torch.exp(-self.boost * self.duty)
            winners = scores.topk(self.k, dim=1, sorted=False).indices
            mask = torch.zeros_like(x).scatter_(1, winners, 1.0)
            y = x * mask
            batch = x.shape[0]
            self.seen += batch
            period = min(self.period, self.seen)
            count = (y.detach() > 0).sum(0).float()
            self.duty.mul_(period - batch).add_(count).div_(period)
            return y

    def mlp(layers, winners):
        parts, inputs = [], 784
        for _ in range(layers):
            parts += [nn.Linear(inputs, 4000)]
            parts += [KWinners(4000, 0.001) if winners else nn.ReLU(), nn.Dropout(0.5)]
            inputs = 4000
        return nn.Sequential(*parts, nn.Linear(inputs, 10))

    def half_masked(net):
        weight = net[0].weight
        keep = torch.zeros_like(weight, dtype=torch.bool)
        for row in range(weight.shape[0]):
            keep[row, torch.randperm(784)[:392]] = True
        with torch.no_grad():
            weight[~keep] = 0
        return lambda: weight.data.masked_fill_(~keep, 0)

    def step_of(net, after=lambda: None):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True,
                                    weight_decay=1e-4)
        x = torch.rand(128, 784) * (torch.rand(128, 784) < 0.2)
        y = torch.randint(0, 10, (128,))
        loss = nn.CrossEntropyLoss()

        def step():
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()
            after()
        return step

    masked = mlp(1, True)
    return {
        "784-4000-10 dense": (step_of(mlp(1, False)), 10),
        "784-4000-10 k=4": (step_of(mlp(1, True)), 10),
        "784-4000-10 k=4, half of the weights": (step_of(masked, half_masked(masked)), 10),
        "784-4000-4000-10 k=4": (step_of(mlp(2, True)), 4),
    }


def torch_times(workloads):
    times = {}
    for name, (step, steps) in workloads.items():
        step()
        blocks = []
        for _ in range(5):
            start = time.perf_counter()
            for _ in range(steps):
                step()
            blocks.append((time.perf_counter() - start) * 1000 / steps)
        times[name] = statistics.median(blocks)
    return times


def our_times(engine):
    out = subprocess.run([engine, "1"], check=True, capture_output=True, text=True).stdout
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in out.splitlines()}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default=os.path.join(here, "../../build/release/step_time"))
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before torch loads its BLAS
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch
    torch.set_num_threads(1)
    torch.manual_seed(0)
    workloads = torch_workloads(torch)
    ours, theirs = {}, {}
    for _ in range(args.rounds):  # in turn, so that both see the same machine
        for name, ms in our_times(args.engine).items():
            ours.setdefault(name, []).append(ms)
        for name, ms in torch_times(workloads).items():
            theirs.setdefault(name, []).append(ms)
    core = os.environ.get("OPENBLAS_CORETYPE", "as detected")
    print(f"One thread, batch 128, PyTorch {torch.__version__}, OpenBLAS core {core}, "
          f"medians of {args.rounds} rounds in turn.\n")
    print("| training step | Engram, ms | PyTorch, ms | ratio |\n|---|---|---|---|")
    for name in ours:
        a, b = statistics.median(ours[name]), statistics.median(theirs[name])
        print(f"| {name} | {a:.1f} | {b:.1f} | {b / a:.1f}x |")


if __name__ == "__main__":
    main()
