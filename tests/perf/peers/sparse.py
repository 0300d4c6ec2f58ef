"""A linear layer of which only the weights that exist are stored: the best PyTorch can do with 5 %."""
import torch
from torch import nn


class Product(torch.autograd.Function):
    """x times a CSR matrix. By hand, because PyTorch's own derivative of it is a dense matrix."""

    @staticmethod
    def forward(ctx, values, x, layer):
        ctx.layer, ctx.weight = layer, layer.matrix(values)
        ctx.save_for_backward(values, x)
        return (ctx.weight @ x.t()).t()

    @staticmethod
    def backward(ctx, grad):
        (values, x), dx = ctx.saved_tensors, None
        grad = grad.t().contiguous()
        dw = torch.sparse.sampled_addmm(ctx.weight, grad, x, beta=0).values()
        if ctx.needs_input_grad[1]:
            dx = (ctx.layer.transposed(values) @ grad).t()
        return dw, dx, None


class SparseLinear(nn.Module):
    """The weights of a dense layer where the mask is 1."""

    def __init__(self, dense, mask):
        super().__init__()
        units, inputs = self.shape = mask.shape
        row, column = mask.nonzero().t()
        self.values, self.bias = nn.Parameter(dense.weight.data[row, column]), dense.bias
        self.order = (column * units + row).argsort()

        def starts(index, size):
            return nn.functional.pad(torch.bincount(index, minlength=size).cumsum(0), (1, 0))
        self.by_row = starts(row, units), column.contiguous()
        self.by_column = starts(column, inputs), row[self.order]

    def matrix(self, values):
        return torch.sparse_csr_tensor(*self.by_row, values, self.shape)

    def transposed(self, values):
        return torch.sparse_csr_tensor(*self.by_column, values[self.order], self.shape[::-1])

    def forward(self, x):
        return Product.apply(self.values, x, self) + self.bias
