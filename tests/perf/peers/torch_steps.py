#!/usr/bin/env python3
"""Times PyTorch on the workloads: the median training step, or evaluation, of several blocks.

  python torch_steps.py --data DIR --threads 1 --only mlp1_sparse,online --seconds 5
"""
import warnings

import measure
import workloads


def torch_measure(w, variant, args):
    warnings.simplefilter("ignore")  # CSR matrices are "in beta state"
    import torch
    import models
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    if variant.get("huge_pages") and torch.__version__ < "2":
        raise SystemExit("no huge pages before PyTorch 2")
    x, y = map(torch.from_numpy, workloads.load(args.data, "test" if w.evaluate else "train"))
    run = (models.evaluation if w.evaluate else models.training_step)(w, x, y, variant)
    return {**measure.blocks_of(run, args.seconds), "version": torch.__version__,
            "samples": len(x) if w.evaluate else w.batch}


if __name__ == "__main__":
    measure.main("PyTorch", torch_measure)
