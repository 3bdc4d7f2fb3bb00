# ---
# jupyter:
#   page:
#     teaches:
#       C11: The table
#       D6: Data
#     level: intermediate
#     read_first: [16_autograd, 32_mnist_data]
# ---

# %% [markdown]
# # From PyTorch 0.3 to now
#
# You have found a program from 2017 and want to run it.
# Some of its lines stop with an error, some warn, and some run and mean something else than they did.
# The last kind costs most, so this page begins with it.
# It runs each old line and its successor, and [ends with a table](#the-table) of them all, made from what was observed.
# You should know [autograd](16_autograd.py) and the [MNIST data](32_mnist_data.py).

# %%
import tempfile
import warnings
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import Variable
from torch.optim import SGD
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset
from torchvision import models, transforms
from torchvision.datasets import MNIST

from load import mnist_root

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## How we look
#
# Each line is written as a string, so that the table shows what was run.
# `observe` runs it and tells which error or warning came of it, with the first words of the message.


# %%
def observe(line):
    """The value of a line of code (a block has none), and what it raised."""
    run = exec if line.startswith("with ") else eval
    value, raised = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = run(line)
        except Exception as error:
            raised = error
    if raised is None and caught:
        raised = caught[0].message
    if raised is None:
        return value, "runs"
    words = getattr(raised, "msg", str(raised)).split()
    return value, f"{type(raised).__name__}: {' '.join(words[:5])} …"


# %% [markdown]
# `compare` observes an old line and a new one, which must run in silence, and notes them for the table.

# %%
table = []


def compare(old, new):
    """Run both lines, print what became of the old one; the values of both."""
    (old_value, outcome), (new_value, new_outcome) = observe(old), observe(new)
    assert new_outcome == "runs", new_outcome
    print(f"{old}\n    {outcome}")
    table.append((old, outcome.split(":")[0], new))
    return old_value, new_value


# %% [markdown]
# ## What changed in silence
#
# `/` between whole numbers cut the fraction off; now it gives decimal numbers.
# `//` rounds down, which is the same unless one of them is negative; then it takes `torch.div(a, b, rounding_mode="trunc")`.
# `zero_grad()` filled the gradients with zeros; now it drops them, and a program that reads them afterwards finds `None`.
# Only such a program needs `set_to_none=False`.

# %%
counts = torch.tensor([7, 8])
old, new = compare("counts / 2", "counts // 2")
print(old.tolist(), "is not", new.tolist())
assert old.tolist() == [3.5, 4.0] and new.tolist() == [3, 4]

net = nn.Linear(2, 1)
optimizer = SGD(net.parameters(), lr=1.0)
compare("optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=False)")
for clear in ["optimizer.zero_grad()", "optimizer.zero_grad(set_to_none=False)"]:
    net.bias.grad = torch.ones(1)
    observe(clear)
    print(f"{clear} leaves {net.bias.grad}")
assert net.bias.grad == 0

# %% [markdown]
# For gradients a tensor had to be wrapped in a `Variable`; since PyTorch 0.4 that gives a tensor, a new one on the memory of the first.
# `.data` still gives the values without the gradients, and autograd does not see what you do to them.
# `.detach()` gives the same values, but a change to them is noticed.
# The derivative of $w^2$ at 3 is twice that; we change $w$ in both ways before we ask for it.

# %% tags=["predict"] ask="What is `w.grad` if `w.data.zero_()` runs before `backward()`?" answers=["6.0", "3.0", "0.0"] why="`backward` uses the value of `w` that it finds, which is 0 by now, since autograd has not noticed the change."
x = torch.tensor([1.0, 2.0])
old, new = compare("Variable(x, requires_grad=True)", "x.detach().requires_grad_()")
assert isinstance(x, Variable) and old is not x
assert old.data_ptr() == new.data_ptr() == x.data_ptr()

w = torch.tensor(3.0, requires_grad=True)
compare("w.data", "w.detach()")
for change in ["w.data.zero_()", "w.detach().zero_()"]:
    w = torch.tensor(3.0, requires_grad=True)
    square = w * w
    observe(change)
    value, outcome = observe("square.backward()")
    print(f"{change:20}derivative {w.grad}, {outcome}")
assert w.grad is None and outcome.startswith("RuntimeError")

# %% [markdown]
# With `.data` the derivative is 0, which is wrong, and nothing is said.
# The old constructors, given sizes, return whatever lay in memory; given values in brackets, they turn them into the type in their name.

# %% tags=["predict"] ask="What does `torch.LongTensor([1.7])` give?" answers=["tensor([1])", "tensor([2])", "TypeError"] why="It converts without asking, and a conversion to whole numbers drops what is behind the point."
old, new = compare("torch.FloatTensor(2, 3)", "torch.zeros(2, 3)")
assert old.shape == new.shape
old, new = compare("torch.LongTensor([1.7])", "torch.tensor([1.7])")
print(old, new)
assert torch.equal(old, new.long()) and new.dtype == torch.float32

# %% [markdown]
# ## What warns
#
# `volatile=True` once meant: record nothing, this is a test run.
# Today it does nothing but warn, so a test run keeps its whole graph in memory.

# %%
recorded, nothing = compare(
    "net(Variable(x, volatile=True))", "with torch.no_grad(): net(x)"
)
print("the old line records a graph:", recorded.requires_grad)
assert recorded.requires_grad

# %% [markdown]
# A softmax without `dim` guesses it from the number of dimensions: for three it takes the first, which is hardly ever meant.

# %%
cube = torch.zeros(2, 3, 4)
old, new = compare("F.softmax(cube)", "F.softmax(cube, dim=-1)")
assert torch.equal(old, F.softmax(cube, dim=0)) and not torch.equal(old, new)

# %% [markdown]
# Others warn that they are out of date, and do what they did.
# Functions that change their argument now end in an underscore, and two switches of the losses have become one word, `reduction`.
# (`F.sigmoid` still runs and does not warn; `torch.sigmoid` is the same function.)
# `torch.jit.script` is the one that has no twin: `torch.export` does its work in another way, [on a later page](64_out_of_python.py).

# %%
y, weight = torch.zeros(2), net.weight
for old, new in [
    ("nn.init.xavier_uniform(weight)", "nn.init.xavier_uniform_(weight)"),
    ("nn.utils.clip_grad_norm(weight, 1)", "nn.utils.clip_grad_norm_(weight, 1)"),
    ("nn.MSELoss(size_average=False)(x, y)", 'nn.MSELoss(reduction="sum")(x, y)'),
    ("nn.MSELoss(reduce=False)(x, y)", 'nn.MSELoss(reduction="none")(x, y)'),
    ("models.squeezenet1_1(pretrained=False)", "models.squeezenet1_1(weights=None)"),
    ("torch.cuda.amp.autocast()", "torch.autocast(device.type)"),
    ("torch.cuda.amp.GradScaler()", "torch.amp.GradScaler(device.type)"),
    ("torch.jit.script(net)", "torch.export.export(net, (x,))"),
    ("F.sigmoid(x)", "torch.sigmoid(x)"),
]:
    compare(old, new)
assert hasattr(models, "squeezenet1_1") and not hasattr(transforms, "Scale")

# %% [markdown]
# ## Data
#
# MNIST's four attributes have become two, and the old names lead astray: `test_data` of the training set is training data.

# %%
train_set, test_set = MNIST(mnist_root()), MNIST(mnist_root(), train=False)
compare("train_set.train_data", "train_set.data")
compare("train_set.train_labels", "train_set.targets")
old, new = compare("train_set.test_data", "test_set.data")
print(len(old), "images are not", len(new))
assert len(old) == 60_000 and len(new) == 10_000

# %% [markdown]
# ## What stops
#
# The loss was a vector of one number; now it has no dimensions, and there is nothing to index.
# Comparisons gave whole numbers; now they give true and false, which the minus sign refuses.

# %%
loss, mask = net(x).square().mean(), x > 1
old, new = compare("loss.data[0]", "loss.item()")
assert old is None and isinstance(new, float)
old, new = compare("1 - mask", "~mask")
assert new.tolist() == [True, False]

# %% [markdown]
# `.next()` was Python 2; the function `next` works on every iterator.
# Linear algebra has moved to `torch.linalg`, and `torch.fft`, once a function, is a module.
# Two transforms have other names, and a scheduler tells its rate when asked.

# %%
loader, matrix = DataLoader(TensorDataset(x)), torch.eye(2)
for old, new in [
    ("iter(loader).next()", "next(iter(loader))"),
    ("torch.qr(matrix)", "torch.linalg.qr(matrix)"),
    ("torch.cholesky(matrix)", "torch.linalg.cholesky(matrix)"),
    ("torch.fft(matrix, 1)", "torch.fft.fft(torch.view_as_complex(matrix))"),
    ("transforms.Scale(32)", "transforms.Resize(32)"),
    ("transforms.RandomSizedCrop(32)", "transforms.RandomResizedCrop(32)"),
    ("StepLR(optimizer, 1, verbose=True)", "StepLR(optimizer, 1).get_last_lr()"),
]:
    compare(old, new)

# %% [markdown]
# ## Devices
#
# Old programs say `.cuda()` everywhere, and so they run nowhere else.
# A device chosen once, at the head of the program, suits every machine.
# `x.cuda()` is the one line here that does not do the same everywhere, and a page sees only the machine that it runs on.
# So it checks there whether the line runs exactly if there is CUDA, and notes that.

# %%
value, outcome = observe("x.cuda()")
as_expected = (outcome == "runs") == torch.cuda.is_available()
today = "runs with CUDA only" if as_expected else outcome
print(f"x.cuda()\n    {today}")
table.append(("x.cuda()", today, "x.to(device)"))
assert as_expected

# %% [markdown]
# The argument `async` has become a word of Python's own, and a program that uses it does not even start.
# `DataParallel`, for several GPUs, runs; one device needs no wrapper, and several have `DistributedDataParallel`.

# %%
compare("x.cuda(async=True)", "x.to(device, non_blocking=True)")
old, new = compare("nn.DataParallel(net)", "net.to(device)")
assert list(old.state_dict()) == ["module." + name for name in new.state_dict()]

# %% [markdown]
# ## The training loop
#
# A scheduler used to take its step before the optimizer; now it comes after.
# Run in the old order today, the first learning rate is never used.
# Here it falls from 1 to a tenth and a hundredth, the gradient stays 1, and the two lines make one step each.

# %%
weight = torch.zeros(1, requires_grad=True)
weight.grad = torch.ones(1)
optimizer = SGD([weight], lr=1.0)
scheduler = StepLR(optimizer, step_size=1)
compare("(scheduler.step(), optimizer.step())", "(optimizer.step(), scheduler.step())")
print(f"the weight is {weight.item():.1f}: both steps were taken with 0.1")
assert abs(weight.item() + 0.2) < 1e-6

# %% [markdown]
# ## Saving
#
# Saving a whole model pickles it, and unpickling can run any code that the file brings.
# `torch.load` now reads weights only and refuses the rest, unless `weights_only=False` says that you trust the file.

# %%
with tempfile.TemporaryDirectory() as folder:
    whole, weights = Path(folder) / "whole.pt", Path(folder) / "weights.pt"
    torch.save(net, whole)
    torch.save(net.state_dict(), weights)
    compare("torch.load(whole)", "net.load_state_dict(torch.load(weights))")

# %% [markdown]
# ## The table
#
# First the lines that run in silence, which need your eyes most, then the warnings, then the errors.


# %%
def severity(row):
    """0 for silence, 1 for a warning, 2 for an error."""
    old, outcome, new = row
    return 2 if "Error" in outcome else 1 if "Warning" in outcome else 0


pd.set_option("display.max_colwidth", None)
columns = ["old", "today", "write instead"]
frame = pd.DataFrame(sorted(table, key=severity), columns=columns)
errors = [old for old, outcome, new in table if "Error" in outcome]
assert {"loss.data[0]", "iter(loader).next()", "torch.load(whole)"} <= set(errors)
frame.set_index("old").rename_axis(index=None, columns="old")

# %% [markdown]
# ## Try it yourself
#
# **1.** What does `torch.range(0, 3)` do today, and what should be written for the same values, of the same type?
# Call the values of both `old` and `new`.

# %% tags=["solution"]
old, new = compare("torch.range(0, 3)", "torch.arange(0.0, 4.0)")
assert old.tolist() == new.tolist() == [0, 1, 2, 3]  # range included its end
assert old.dtype == new.dtype == torch.float32  # arange(0, 4) is of whole numbers

# %% [markdown]
# **2.** Bring this loop of 2017 up to date: six spellings are old.
# Give it an optimizer of its own, `SGD(net.parameters())`, and a `scheduler`, `StepLR` with `step_size=1`.
# Then run it for an epoch with `net` as the model and `[(x, torch.ones(1))] * 3` as the `loader`; `total` starts from 0.
#
# ```python
# for batch, target in loader:
#     batch, target = Variable(batch.cuda()), Variable(target.cuda())
#     scheduler.step()
#     optimizer.zero_grad()
#     output = F.sigmoid(model(batch))
#     loss = F.binary_cross_entropy(output, target, size_average=True)
#     loss.backward()
#     optimizer.step()
#     total += loss.data[0]
# ```

# %% tags=["solution"]
loader, total = [(x, torch.ones(1))] * 3, 0
optimizer = SGD(net.parameters())
scheduler = StepLR(optimizer, step_size=1)
for batch, target in loader:
    batch, target = batch.to(device), target.to(device)
    loss = F.binary_cross_entropy_with_logits(net(batch), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    total += loss.item()
assert isinstance(total, float) and scheduler.last_epoch == len(loader) == 3
assert 0 < total - 3 * loss.item() < 1  # for every seed: the loss falls a little

# %% [markdown] tags=["solution"]
# `Variable`, `.cuda()`, the order of the scheduler, `F.sigmoid`, `size_average` and `.data[0]` are gone.
# The sigmoid moves into the loss, `F.binary_cross_entropy_with_logits`, which is safer for large logits.

# %% [markdown]
# ## What next
#
# The spellings are the easy half; what old programs did wrong in any spelling is on the pages about [mistakes](51_mistakes.py) and [more mistakes](52_more_mistakes.py).
# The [next page](54_draw_a_digit.py) leaves the old tutorials behind: a network that reads what you draw.
