"""The workloads' networks in PyTorch, written as well as we can: a slow peer would prove nothing."""
import torch
from torch import nn

from sparse import SparseLinear


class KWinners(nn.Module):
    """Strict top-k with duty-cycle boosting, nupic.torch's rule: exactly k units of a row, or
    channels at a place, keep their value; duty cycles count positive outputs.

    The counts are taken from the winners alone instead of the whole output. The numbers are the
    same (a boosted score has its output's sign) and the pass over the output is saved.
    """

    def __init__(self, units, percent_on, boost=1.0, period=1000):
        super().__init__()
        self.k = round(units * percent_on)
        self.boost, self.period, self.seen = boost, period, 0
        self.register_buffer("duty", torch.zeros(units))

    def forward(self, x):
        with torch.no_grad():
            factor = torch.exp(-self.boost * self.duty).view(-1, *[1] * (x.dim() - 2))
            scores, winners = (x * factor).topk(self.k, dim=1, sorted=False)
            mask = torch.zeros_like(x).scatter_(1, winners, 1.0)
            if self.training:
                self._count(scores, winners, places=x[0, 0].numel())
        return x * mask

    def _count(self, scores, winners, places):
        batch = len(winners)
        self.seen += batch
        period = min(self.period, self.seen)
        count = torch.bincount(winners[scores > 0], minlength=len(self.duty))
        self.duty.mul_(period - batch).add_(count, alpha=1 / places).div_(period)


class Reshape(nn.Module):
    def forward(self, x):
        return x.view(-1, 1, 28, 28)


def network(w):
    """Linear or convolution, ReLU or winners (after a convolution both), dropout; then 10 outputs."""
    parts, channels, side = [Reshape()] if w.conv else [], 1, 28

    def activate(units, relu):
        parts.extend([nn.ReLU()] * relu + [KWinners(units, w.percent_on)] * (w.percent_on > 0)
                     + [nn.Dropout(w.dropout)] * (w.dropout > 0))

    for out in w.conv:
        parts.append(nn.Conv2d(channels, out, 5))
        activate(out, relu=True)
        channels, side = out, side - 4
    if w.conv:
        parts.append(nn.Flatten())
    inputs = channels * side * side
    for units in w.hidden:
        parts.append(nn.Linear(inputs, units))
        activate(units, relu=bool(w.conv) or not w.percent_on)
        inputs = units
    return nn.Sequential(*parts, nn.Linear(inputs, 10))


def sparse_weights(w, net, csr):
    """Keeps a fixed random share of every hidden unit's weights. With `csr` only these exist;
    otherwise returns what zeroes the others again after each step, as nupic.torch does."""
    masks = []
    for at in [i for i, part in enumerate(net) if isinstance(part, nn.Linear)][:-1] * (w.kept < 1):
        weight = net[at].weight.data
        kept = torch.rand_like(weight).topk(round(weight.shape[1] * w.kept), dim=1).indices
        mask = torch.zeros_like(weight).scatter_(1, kept, 1)
        if csr:
            net[at] = SparseLinear(net[at], mask)
        else:
            masks.append((weight, mask))

    def rezero():
        for weight, mask in masks:
            weight.mul_(mask)  # five times as fast as masked_fill_ with a mask of booleans
    rezero()
    return rezero


def optimizer(w, net, variant):
    loop = {key: variant[key] for key in ("foreach", "fused") if key in variant}
    return getattr(torch.optim, w.optimizer)(net.parameters(), **w.options, **loop)


def batches_of(w, x, y):
    """Batches of shuffled passes without end."""
    while True:
        for rows in torch.randperm(len(x)).split(w.batch):
            if len(rows) == w.batch:
                yield x[rows], y[rows]


def with_replay(w, stream):
    """Adds as many rows from a reservoir (Vitter 1985); a batch is remembered once it is learnt."""
    kept_x, kept_y, seen = torch.empty(w.replay, 784), torch.empty(w.replay, dtype=torch.int64), 0
    for x, y in stream:
        if seen:
            rows = torch.randint(min(seen, w.replay), (w.batch,))
            yield torch.cat([x, kept_x[rows]]), torch.cat([y, kept_y[rows]])
        else:
            yield x, y
        number = torch.arange(seen, seen + len(x))
        slot = torch.where(number < w.replay, number, (torch.rand(len(x)) * (number + 1)).long())
        stays = slot < w.replay
        kept_x[slot[stays]], kept_y[slot[stays]] = x[stays], y[stays]
        seen += len(x)


@torch.no_grad()
def krotov_step(w, x, y, variant):
    """A step of competing hidden units with p = 2, k = 2, delta = 0.4, as its authors write it; with
    `rows` only units that win or lose are touched."""
    weights = torch.rand(w.hidden[0], x.shape[1])
    stream, everyone = batches_of(w, x, y), torch.arange(w.batch)
    change = torch.empty_like(weights)

    def whole(images, drive, first, second):
        post = torch.zeros_like(drive)
        post[first, everyone], post[second, everyone] = 1.0, -0.4
        decay = (post * drive).sum(1, keepdim=True)
        torch.mm(post, images, out=change)
        change.addcmul_(decay, weights, value=-1)
        weights.add_(change, alpha=0.02 / max(change.abs().max().item(), 1e-30))

    def rows(images, drive, first, second):
        units, place = torch.cat([first, second]).unique(return_inverse=True)
        post = torch.zeros(len(units), w.batch)
        post[place[:w.batch], everyone], post[place[w.batch:], everyone] = 1.0, -0.4
        own = weights[units]
        part = post @ images - (post * drive[units]).sum(1, keepdim=True) * own
        weights[units] = own.add_(part, alpha=0.02 / max(part.abs().max().item(), 1e-30))

    def step():
        images, _ = next(stream)
        drive = weights @ images.T
        first, second = drive.topk(2, dim=0).indices
        (rows if variant.get("rows") else whole)(images, drive, first, second)
    return step


def training_step(w, x, y, variant):
    """A function that does one step on the next batch of a shuffled pass and returns the loss."""
    if w.rule == "krotov":
        return krotov_step(w, x, y, variant)
    net = network(w)
    layout = torch.channels_last if variant.get("channels_last") else torch.contiguous_format
    net.to(memory_format=layout).train()
    rezero = sparse_weights(w, net, variant.get("csr"))
    opt, criterion = optimizer(w, net, variant), nn.CrossEntropyLoss()

    stream = batches_of(w, x, y)
    if w.replay:
        stream = with_replay(w, stream)

    def step():
        images, labels = next(stream)
        opt.zero_grad(set_to_none=True)
        loss = criterion(net(images), labels)
        loss.backward()
        opt.step()
        rezero()
        return loss.item()
    return step


def evaluation(w, x, y, variant):
    """A function that evaluates all images and returns the accuracy."""
    net = network(w).eval()

    @torch.inference_mode()
    def run():
        hits = 0
        for images, labels in zip(x.split(variant["batch"]), y.split(variant["batch"])):
            hits += (net(images).argmax(1) == labels).sum().item()
        return hits / len(x)
    return run
