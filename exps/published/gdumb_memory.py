"""The 500 images of GDumb's published figure, as data for `benchmark = own`.

    python3 gdumb_memory.py DIR      # reads DIR/mnist, writes DIR/gdumb_memory.npz

The authors' loader (Prabhu et al. 2020) fills the memory with the first images of each class in the
order of NumPy's `argsort` of the labels: the same ones in every run. In NumPy of those years that was
the quicksort below, which does not keep equal labels in their order; it gives what 1.24 gives, while
2.4 sorts otherwise. Needs NumPy of any version.
"""
import gzip
import pathlib
import sys

import numpy as np

PER_CLASS = 50
SMALL = 15  # partitions of up to one element more are sorted by insertion


def read_idx(folder, name):
    for path in (folder / name, folder / (name + ".gz")):
        if path.exists():
            data = path.read_bytes()
            data = gzip.decompress(data) if path.suffix == ".gz" else data
            sizes = np.frombuffer(data, ">i4", data[3], 4)
            return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes)
    sys.exit(f"{folder}: no {name} or {name}.gz")


def old_argsort(keys):
    """Median of three, the smaller part first, insertion at the end; equal keys change places."""
    order, parts = list(range(len(keys))), []

    def swap(a, b):
        order[a], order[b] = order[b], order[a]

    def less(a, b):
        return keys[order[a]] < keys[order[b]]

    low, high = 0, len(keys) - 1
    while True:
        while high - low > SMALL:
            middle = low + (high - low) // 2
            for a, b in ((middle, low), (high, middle), (middle, low)):
                if less(a, b):
                    swap(a, b)
            pivot = keys[order[middle]]
            left, right = low, high - 1
            swap(middle, right)
            while True:
                left += 1
                while keys[order[left]] < pivot:
                    left += 1
                right -= 1
                while pivot < keys[order[right]]:
                    right -= 1
                if left >= right:
                    break
                swap(left, right)
            swap(left, high - 1)
            if left - low < high - left:
                parts.append((left + 1, high))
                high = left - 1
            else:
                parts.append((low, left - 1))
                low = left + 1
        for at in range(low + 1, high + 1):
            while at > low and less(at, at - 1):
                swap(at, at - 1)
                at -= 1
        if not parts:
            return np.array(order)
        low, high = parts.pop()


def main(folder):
    def part(name):
        return (read_idx(folder / "mnist", f"{name}-images-idx3-ubyte"),
                read_idx(folder / "mnist", f"{name}-labels-idx1-ubyte"))

    images, labels = part("train")
    test_images, test_labels = part("t10k")
    order = old_argsort(labels.tolist())
    rows = np.concatenate([order[labels[order] == c][:PER_CLASS] for c in range(10)])
    np.savez(folder / "gdumb_memory.npz", x_train=images[rows], y_train=labels[rows],
             x_test=test_images, y_test=test_labels)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
