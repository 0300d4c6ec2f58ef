#!/usr/bin/env python3
"""Times Avalanche's Naive strategy on permuted MNIST: train() per mini-batch, eval() of the test set.

  python avalanche_steps.py --data DIR --threads 1 --only mlp1_sparse

The same networks and optimisers as PyTorch's. Images are permuted beforehand and stay tensors, and
there is neither metric nor logger, so that nothing but the library's loop is added. Its own
PermutedMNIST permutes image by image and takes longer.
"""
import warnings

import measure
import workloads

KNOWN = ("mlp1_sparse", "mlp2_dense", "online", "online_er", "evaluate_dense")
STEPS = {"online": 1000, "online_er": 3000}  # mini-batches of one experience, otherwise 100


def avalanche_measure(w, variant, args):
    warnings.simplefilter("ignore")
    import avalanche
    import torch
    from avalanche.benchmarks.scenarios.dataset_scenario import benchmark_from_datasets
    from avalanche.benchmarks.utils import as_classification_dataset
    from avalanche.training.plugins import EvaluationPlugin
    from avalanche.training.supervised import Naive
    import models

    class Images(torch.utils.data.TensorDataset):
        targets = property(lambda self: self.tensors[1])

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    x, y = map(torch.from_numpy, workloads.load(args.data, "test" if w.evaluate else "train"))
    rows = len(x) if w.evaluate else min(len(x), STEPS.get(w.name, 100) * w.batch)
    rows -= rows % w.batch if not w.evaluate else 0
    if w.replay:
        return replay_measure(w, variant, args, Images(x[:rows], y[:rows]))
    benchmark = benchmark_from_datasets(stream=[
        as_classification_dataset(Images(x[:rows, torch.randperm(784)], y[:rows]))
        for _ in range(2)])
    net = models.network(w)
    strategy = Naive(model=net, optimizer=models.optimizer(w, net, variant), train_mb_size=w.batch,
                     eval_mb_size=variant.get("batch"), evaluator=EvaluationPlugin())
    stream, turn = benchmark.streams["stream"], 0

    def run():
        nonlocal turn
        turn += 1
        experience = stream[turn % len(stream)]
        (strategy.eval if w.evaluate else strategy.train)(experience, num_workers=0)

    steps = 1 if w.evaluate else rows // w.batch
    return {**measure.blocks_of(run, args.seconds, steps), "samples": rows // steps,
            "version": f"{avalanche.__version__} on PyTorch {torch.__version__}"}


def replay_measure(w, variant, args, images):
    """Online replay as in Avalanche's baselines: an experience is one mini-batch, the memory is
    balanced by classes and is updated after each."""
    import avalanche
    import torch
    from avalanche.benchmarks import nc_benchmark
    from avalanche.benchmarks.scenarios.online import split_online_stream
    from avalanche.training.plugins import EvaluationPlugin, ReplayPlugin
    from avalanche.training.storage_policy import ClassBalancedBuffer
    from avalanche.training.supervised import Naive
    import models

    benchmark = nc_benchmark(images, images, n_experiences=1, task_labels=False)
    net = models.network(w)
    replay = ReplayPlugin(mem_size=w.replay, batch_size=w.batch, batch_size_mem=w.batch,
                          storage_policy=ClassBalancedBuffer(w.replay))
    strategy = Naive(model=net, optimizer=models.optimizer(w, net, variant), plugins=[replay],
                     train_mb_size=w.batch, train_epochs=1, evaluator=EvaluationPlugin())

    def experiences():
        while True:
            yield from split_online_stream(benchmark.train_stream, experience_size=w.batch,
                                           drop_last=True)
    stream = experiences()
    for _ in range(w.replay // w.batch + 10):  # until the memory is full
        strategy.train(next(stream), num_workers=0)

    def run():
        strategy.train(next(stream), num_workers=0)
    return {**measure.blocks_of(run, args.seconds), "samples": w.batch,
            "version": f"{avalanche.__version__} on PyTorch {torch.__version__}"}


if __name__ == "__main__":
    measure.main("Avalanche", avalanche_measure, KNOWN)
