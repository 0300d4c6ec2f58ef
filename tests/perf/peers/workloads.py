"""The workloads that every peer runs, and their data. Loads neither PyTorch nor, before it has to,
NumPy: what only starts measuring processes need not have them.
"""
import gzip
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Workload:
    """One network and what is timed on it: a training step, or an evaluation of all test images."""

    name: str
    hidden: tuple[int, ...]
    conv: tuple[int, ...] = ()       # channels of 5x5 valid convolutions before the linear layers
    percent_on: float = 0            # winners' share per layer (conv: of the channels at each place); 0: ReLU
    kept: float = 1                  # share of each hidden unit's weights that exists
    dropout: float = 0
    batch: int = 128
    optimizer: str = "SGD"           # a class of torch.optim
    options: dict = field(default_factory=dict)
    evaluate: bool = False
    rule: str = ""                   # "krotov": no labels, no back-propagation
    replay: int = 0                  # images remembered, of which every batch has as many as its own

    def variants(self):
        """What PyTorch offers for the same work; the fastest counts. {} is what a user gets unasked."""
        if self.evaluate:
            return [{"batch": size} for size in (1000, 500, 2500, 10000)]
        if self.rule:
            return [{}, {"rows": True}]
        loops = [{}, {"foreach": True}, {"fused": True}, {"fused": True, "huge_pages": True}]
        csr = [{"csr": True}, {"csr": True, "fused": True}]
        layouts = [{"channels_last": True}, {"channels_last": True, "fused": True}]
        return loops + csr * (self.kept < 1) + layouts * bool(self.conv)


NESTEROV = {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-4}
CONV = {"conv": (64, 128), "hidden": (1024,), "dropout": 0.5, "options": {"lr": 0.01}}

WORKLOADS = {w.name: w for w in (
    Workload("mlp1_sparse", (4000,), percent_on=0.001, dropout=0.5, options=NESTEROV),
    Workload("mlp2_sparse", (4000, 4000), percent_on=0.001, dropout=0.5, options=NESTEROV),
    Workload("mlp2_sparse_weights", (2048, 2048), percent_on=0.05, kept=0.05, dropout=0.5,
             options=NESTEROV),
    Workload("mlp2_dense", (2000, 2000), batch=256, optimizer="Adam", options={"lr": 1e-3}),
    Workload("online", (100, 100), batch=10, options={"lr": 0.1}),
    Workload("online_er", (512,), batch=10, dropout=0.5, options={"lr": 0.1}, replay=1000),
    Workload("cnn_dense", **CONV),
    Workload("cnn_sparse", percent_on=0.05, **CONV),
    Workload("krotov", (2000,), batch=100, rule="krotov"),
    Workload("evaluate_dense", (4000,), evaluate=True),
    Workload("evaluate_sparse", (4000,), percent_on=0.001, evaluate=True),
)}


def chosen(only):
    """The workloads named in a comma-separated list, all of them if it is empty."""
    names = [name for name in only.split(",") if name] or list(WORKLOADS)
    if unknown := [name for name in names if name not in WORKLOADS]:
        raise SystemExit(f"no workload {', '.join(unknown)}; there are {', '.join(WORKLOADS)}")
    return [WORKLOADS[name] for name in names]


def _idx(folder, name):
    import numpy as np
    for path in (folder / f"{name}.gz", folder / name):
        if path.exists():
            with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
                header = file.read(4)
                shape = [int.from_bytes(file.read(4), "big") for _ in range(header[3])]
                return np.frombuffer(file.read(), np.uint8).reshape(shape)
    raise SystemExit(f"no {name}[.gz] in {folder}")


def load(data, part):
    """Images as floats in 0..1, one row of 784 each, and labels; `part` is "train" or "test".

    Without a folder the images are random with four fifths zero, about as empty as MNIST's: a
    library that skips zeros must find the same number of them.
    """
    import numpy as np
    if data:
        folder, prefix = Path(data) / "mnist", {"train": "train", "test": "t10k"}[part]
        images, labels = (_idx(folder, f"{prefix}-{kind}")
                          for kind in ("images-idx3-ubyte", "labels-idx1-ubyte"))
        x = images.reshape(len(images), -1).astype(np.float32)
        x /= 255
        return x, labels.astype(np.int64)
    rng, rows = np.random.default_rng(1), {"train": 60000, "test": 10000}[part]
    x = rng.random((rows, 784), np.float32)
    x[rng.random((rows, 784), np.float32) < 0.8] = 0
    return x, rng.integers(0, 10, rows)
