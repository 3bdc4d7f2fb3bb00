# ---
# jupyter:
#   page:
#     teaches:
#       C11: The table
#       D6: Data
#     level: intermediate
#     read_first: [15_autograd, 35_mnist_data]
# ---

# %% [markdown]
# # From PyTorch 0.3 to now
#
# You have found a program from 2017 and want to run it.
# Some of its lines stop with an error, some warn, and some run and mean something else than they did.
# This page runs each old line and its successor, and [ends with a table](#the-table) of them all, made from what was observed.
# You should know [autograd](15_autograd.py) and the [MNIST data](35_mnist_data.py).

# %%
import tempfile
import warnings
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import Variable
from torch.utils.data import DataLoader, TensorDataset
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
def in_short(message):
    """Kind and first words of an error or a warning."""
    words = getattr(message, "msg", str(message)).split()
    return f"{type(message).__name__}: {' '.join(words[:5])} …"


def observe(line):
    """The value of a line of code (a block has none), and what it raised."""
    run = exec if line.startswith("with ") else eval
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = run(line)
        except Exception as error:
            return None, in_short(error)
    return value, in_short(caught[0].message) if caught else "runs"


# %% [markdown]
# `compare` observes an old line and a new one, and notes them for the table.
# The new one must run in silence.

# %%
table = []


def compare(old, new, why):
    """Run both lines, print what became of the old one; the values of both."""
    (old_value, outcome), (new_value, new_outcome) = observe(old), observe(new)
    assert new_outcome == "runs", new_outcome
    print(f"{old:42}{outcome}")
    table.append((old, outcome, new, why))
    return old_value, new_value


# %% [markdown]
# ## Variables
#
# Gradients needed a tensor to be wrapped in a `Variable`.
# Since 0.4 every tensor can have them, and `Variable` is another name for a tensor.

# %%
x = torch.tensor([1.0, 2.0])
old, new = compare(
    "Variable(x, requires_grad=True)",
    "x.clone().requires_grad_()",
    "a tensor carries its own gradient",
)
assert type(old) is torch.Tensor and isinstance(x, Variable)

# %% [markdown]
# `volatile=True` once meant: record nothing, this is a test run.
# Today it warns and does nothing else, so a test run keeps its whole graph in memory.

# %%
net = nn.Linear(2, 1)
recorded, nothing = compare(
    "net(Variable(x, volatile=True))",
    "with torch.no_grad(): net(x)",
    "volatile has no effect any more",
)
print("old line records a graph:", recorded.requires_grad)
assert recorded.requires_grad

# %% [markdown]
# Then as now, that leaves dropout and batch normalisation at work: they are switched off by `eval()`.

# %%
noisy = nn.Sequential(nn.Linear(2, 100), nn.Dropout())
with torch.no_grad():
    print("the same twice:", torch.equal(noisy(x), noisy(x)))
    noisy.eval()
    print("the same twice, after eval():", torch.equal(noisy(x), noisy(x)))
    assert torch.equal(noisy(x), noisy(x))

# %% [markdown]
# The loss was a vector of one number; now it is a number, a tensor of no dimensions.

# %%
loss = net(x).square().mean()
old, new = compare("loss.data[0]", "loss.item()", "a loss has no dimension to index")
assert old is None and isinstance(new, float)

# %% [markdown]
# `.data` still gives the values without the gradients, and autograd does not see what you do to them.
# The derivative of $w^2$ at 3 is 6; here it comes out as 0, and nothing is said.

# %%
w = torch.tensor(3.0, requires_grad=True)
square = w * w
compare("w.data", "w.detach()", "autograd does not see changes through .data")
w.data.zero_()
square.backward()
print("derivative after a change through .data:", w.grad.item())
assert w.grad == 0

# %% [markdown]
# `.detach()` gives the same values, but a change to them is noticed.

# %%
w = torch.tensor(3.0, requires_grad=True)
square = w * w
w.detach().zero_()
value, outcome = observe("square.backward()")
print(outcome)
assert outcome.startswith("RuntimeError")

# %% [markdown]
# ## Losses and activations
#
# Two switches of the losses have become one word.

# %%
y = torch.zeros(2)
compare(
    "nn.MSELoss(size_average=False)(x, y)",
    'nn.MSELoss(reduction="sum")(x, y)',
    "one word for two switches",
)
old, new = compare(
    "nn.MSELoss(reduce=False)(x, y)",
    'nn.MSELoss(reduction="none")(x, y)',
    "one word for two switches",
)
assert torch.equal(old, new)

# %% [markdown]
# Some functions have moved, and their old names still run.
# A softmax without `dim` guesses it from the number of dimensions: for three it takes the first, which is hardly ever meant.

# %%
compare("F.sigmoid(x)", "torch.sigmoid(x)", "one home for each function")
compare("F.tanh(x)", "torch.tanh(x)", "one home for each function")
cube = torch.zeros(2, 3, 4)
old, new = compare(
    "F.softmax(cube)", "F.softmax(cube, dim=-1)", "the guess may be wrong"
)
assert torch.equal(old, F.softmax(cube, dim=0)) and not torch.equal(old, new)

# %% [markdown]
# ## Making tensors
#
# The old constructors take sizes or values, and which one depends on the brackets.
# Given sizes, they return whatever lay in memory.

# %%
why = "sizes or values? A name for each"
old, new = compare("torch.FloatTensor(2, 3)", "torch.zeros(2, 3)", why)
assert old.shape == new.shape
old, new = compare("torch.Tensor([2, 3])", "torch.tensor([2.0, 3.0])", why)
assert torch.equal(old, new)

# %% [markdown]
# They also convert without asking.

# %%
old, new = compare(
    "torch.LongTensor([1.7])", "torch.tensor([1.7])", "cuts off decimals in silence"
)
print(old, new)
assert old.item() == 1

# %% [markdown]
# Functions that change their argument now end in an underscore.

# %%
why = "it changes its argument, and the _ says so"
weight = net.weight
compare("nn.init.xavier_uniform(weight)", "nn.init.xavier_uniform_(weight)", why)
old, new = compare(
    "nn.utils.clip_grad_norm([weight], 1.0)",
    "nn.utils.clip_grad_norm_([weight], 1.0)",
    why,
)
assert torch.equal(old, new)

# %% [markdown]
# ## Data
#
# `.next()` was Python 2; the function `next` works on every iterator.

# %%
loader = DataLoader(TensorDataset(x))
old, new = compare(
    "iter(loader).next()", "next(iter(loader))", "Python 3 has no such method"
)
assert old is None and torch.equal(new[0], x[:1])

# %% [markdown]
# MNIST's four attributes have become two, and the old names lead astray: `test_data` of the training set is training data.

# %%
train_set, test_set = MNIST(mnist_root()), MNIST(mnist_root(), train=False)
why = "the set itself is for training or for testing"
compare("train_set.train_data", "train_set.data", why)
compare("train_set.train_labels", "train_set.targets", why)
compare("test_set.test_labels", "test_set.targets", why)
old, new = compare("train_set.test_data", "test_set.data", why)
print(len(old), "images are not", len(new))
assert len(old) == 60_000 and len(new) == 10_000

# %% [markdown]
# ## Devices
#
# Old programs say `.cuda()` everywhere, and so they run nowhere else.
# A device chosen once, at the head of the program, suits every machine.

# %%
value, outcome = observe("x.cuda()")
print("x.cuda() runs where there is CUDA, and nowhere else")
assert (outcome == "runs") == torch.cuda.is_available()
why = "the same program with and without CUDA"
table.append(("x.cuda()", "runs, or an error without CUDA", "x.to(device)", why))

# %% [markdown]
# One argument has become a word of Python's own, and the program does not even start.

# %%
old, new = compare(
    "x.cuda(async=True)",
    "x.to(device, non_blocking=True)",
    "async is a keyword since Python 3.7",
)
assert new.device.type == device.type

# %% [markdown]
# `DataParallel` was for several GPUs.
# It still runs, but renames all weights; for one device it is not needed, and for several there is `DistributedDataParallel`.

# %%
old, new = compare(
    "nn.DataParallel(nn.Linear(2, 1))",
    "nn.Linear(2, 1).to(device)",
    "for several GPUs: DistributedDataParallel",
)
print(list(old.state_dict()), list(new.state_dict()))
assert all(key.startswith("module.") for key in old.state_dict())

# %% [markdown]
# ## The training loop
#
# A scheduler used to take its step before the optimizer; now it comes after.
# Run in the old order today, the first learning rate is never used.
# Here it falls from 1 to 0.1 to 0.01, the gradient stays 1, and the two lines make one step each.

# %%
weight = torch.zeros(1, requires_grad=True)
weight.grad = torch.ones(1)
optimizer = torch.optim.SGD([weight], lr=1.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1)
compare(
    "(scheduler.step(), optimizer.step())",
    "(optimizer.step(), scheduler.step())",
    "the old order skips the first learning rate",
)
print(f"the weight is {weight.item():.1f}: both steps were taken with 0.1")
assert abs(weight.item() + 0.2) < 1e-6

# %% [markdown]
# ## Saving
#
# Saving a whole model pickles its class, and unpickling can run any code that the file brings.
# `torch.load` now reads weights only and refuses the rest.
# Save the weights, and load them into a model that your program makes.

# %%
with tempfile.TemporaryDirectory() as folder:
    whole, weights = Path(folder) / "whole.pt", Path(folder) / "weights.pt"
    torch.save(net, whole)
    torch.save(net.state_dict(), weights)
    compare(
        "torch.load(whole)",
        "nn.Linear(2, 1).load_state_dict(torch.load(weights))",
        "a pickle can run code; weights cannot",
    )

# %% [markdown]
# If an old file holds a whole model, and you trust where it comes from, `torch.load(file, weights_only=False)` opens it.
#
# ## The table
#
# First the errors, then the warnings.
# The lines that run in silence come last, and they need your eyes most.


# %%
def severity(row):
    """0 for an error, 1 for a warning, 2 for silence."""
    old, outcome, new, why = row
    return 0 if "Error" in outcome else 1 if "Warning" in outcome else 2


pd.set_option("display.max_colwidth", None, "display.max_columns", None)
columns = ["old", "what it does now", "write instead", "why"]
frame = pd.DataFrame(sorted(table, key=severity), columns=columns)
errors = [old for old, outcome, new, why in table if "Error" in outcome]
assert {"loss.data[0]", "iter(loader).next()", "torch.load(whole)"} <= set(errors)
frame.set_index("old").rename_axis(index=None, columns="old")

# %% [markdown]
# ## Try it yourself
#
# **1.** What does `torch.range(0, 3)` do today, and what should be written for it?

# %% tags=["solution"]
old, new = compare("torch.range(0, 3)", "torch.arange(0, 4)", "range included its end")
assert len(old) == len(new) == 4

# %% [markdown]
# **2.** Bring this loop of 2017 up to date: six spellings are old.
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
rows = torch.randn(64, 2)
loader = DataLoader(TensorDataset(rows, (rows[:, :1] > 0).float()), batch_size=16)
model = nn.Linear(2, 1).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=16, gamma=0.5)

totals = []
for epoch in range(10):
    total = 0.0
    for batch, target in loader:
        batch, target = batch.to(device), target.to(device)
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(model(batch), target)
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    totals.append(total / len(loader))
print(f"mean loss {totals[0]:.2f} in the first epoch, {totals[-1]:.2f} in the last")
assert totals[-1] < 0.7 * totals[0]

# %% [markdown] tags=["solution"]
# `Variable`, `.cuda()`, the order of the scheduler, `F.sigmoid`, `size_average` and `.data[0]` are gone.
# The sigmoid has moved into the loss, which is safer for large logits.

# %% [markdown]
# ## What next
#
# The spellings are the easy half.
# The other half, what old programs did wrong in any spelling, is on the pages about [mistakes](51_mistakes.py) and [more mistakes](52_more_mistakes.py).
