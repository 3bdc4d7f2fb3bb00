# ---
# jupyter:
#   page:
#     teaches:
#       A4: A quarter of the data vanishes
#       B6: Batches of float64
#       C11: Names that are not there
#       D6: A result thrown away
#       E15: "`is` where `==` is meant"
#     level: intermediate
#     read_first: [51_mistakes]
# ---

# %% [markdown]
# # More mistakes
#
# Data, shapes, types and Python itself invite mistakes of their own.
# Like those about [training and measuring](51_mistakes.py) these come from old tutorials, and most of them raise no error.
# For each: the mistake, run; what it costs; the cure.
# Three more stand on the pages where they do harm: [several labels](34_several_labels.py) taken for several classes, an optimizer that holds [half of the parameters](26_neural_network.py), and an accuracy [rounded down](33_mnist_logistic_regression.py).

# %%
import warnings
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A quarter of the data vanishes
#
# An old recipe tosses two coins to choose among three kinds of samples, and skips two heads, for which it has no use.

# %%
first, second = torch.randint(2, (2, 10_000))
two_heads = (first == 1) & (second == 1)
kept = 1 - two_heads.float().mean().item()
print(f"{kept:.3f} of the draws are kept")
assert 0.738 < kept < 0.765

# %% [markdown]
# Cure: draw the kind itself, `torch.randint(3, (10_000,))`, and nothing is lost.
#
# ## Hidden units taken for hidden layers
#
# An old recipe describes its network, 3072 inputs and 25 numbers in its one hidden layer, as one of 25 hidden layers.
# Those are 25 hidden **units**.
# With 25 hidden layers of sigmoids the first would learn nothing: the gradient shrinks in every layer on its way back.


# %%
def largest_gradient(num_layers):
    """In the first of so many hidden layers of 25 sigmoids, at the start."""
    layers = []
    for inputs, outputs in pairwise([3072] + num_layers * [25]):
        layers += [nn.Linear(inputs, outputs), nn.Sigmoid()]
    network = nn.Sequential(*layers, nn.Linear(25, 10)).to(device)
    images, classes = torch.rand(64, 3072), torch.randint(10, (64,))
    F.cross_entropy(network(images.to(device)), classes.to(device)).backward()
    return network[0].weight.grad.abs().max().item()


# %%
shallow, deep = largest_gradient(num_layers=1), largest_gradient(num_layers=25)
print(f"one hidden layer {shallow:.1e}, 25 hidden layers {deep:.1e}")
assert 0 < deep < shallow * 1e-10

# %% [markdown]
# With steps as small as that, it never leaves its start.
#
# ## Two shapes that broadcast
#
# A model that answers one number per row has outputs that are a column; the labels have a single dimension.
# Their difference is a square: every output is compared with every label.
# These outputs are perfect.

# %% tags=["predict"] ask="What is the column [[0], [1]] less the row [0, 1]?" answers=["[[0.0, 1.0], [-1.0, 0.0]]", "[[0.0, -1.0], [1.0, 0.0]]", "[[0.0], [0.0]]"] why="Row i, column j of the square is output i less label j; only the diagonal compares what belongs together."
outputs, labels = torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 1.0])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loss = F.mse_loss(outputs, labels)
fair_loss = F.mse_loss(outputs.squeeze(1), labels)
print(f"loss {loss:.1f}, and a {caught[0].category.__name__}")
print(f"loss {fair_loss:.1f} with equal shapes")
print(
    f"{tuple(outputs.shape)} less {tuple(labels.shape)}:", (outputs - labels).tolist()
)
assert loss == 0.5 and fair_loss == 0

# %% [markdown]
# Cure: give both the same shape, and read warnings.
# The page about [batches](25_batches.py) shows what such a loss does to the training.
#
# ## Batches of float64
#
# NumPy and pandas reckon in float64, PyTorch's layers in float32, and a layer refuses what does not match.
# The squared error, as most losses, does not refuse: it goes over to float64 in silence.

# %%
table = torch.from_numpy(np.ones((4, 2)))
try:
    nn.Linear(2, 1)(table)
except RuntimeError as error:
    print("RuntimeError:", str(error).split(",")[0])
print("dtype of the loss:", F.mse_loss(torch.zeros(4, 2), table).dtype)
print(f"bytes: {table.nbytes} as float64, {table.float().nbytes} as float32")
assert nn.Linear(2, 1)(table.float()).dtype == torch.float32

# %% [markdown]
# A model in float64 would fit, and take twice the memory.
# Cure: `.float()` once, where the data set is made.
#
# ## A result thrown away
#
# `.cpu()`, `.float()` and `.detach()` leave a tensor as it is and return what was asked for.
# An old recipe wrote `loss.cpu()` on a line of its own, which does nothing.
# Whoever wants a number but adds up the losses themselves keeps all their graphs, too.


# %%
def losses_remembered(node):
    """How many losses the graph behind this node still holds."""
    before = [earlier for earlier, _ in node.next_functions if earlier]
    return ("MseLoss" in node.name()) + sum(map(losses_remembered, before))


model = nn.Sequential(nn.Linear(4, 2), nn.Sigmoid(), nn.Linear(2, 1))
total, total_number = 0.0, 0.0
for batch in torch.ones(50, 8, 4):
    loss = F.mse_loss(model(batch), torch.zeros(8, 1))
    loss.cpu()  # the result is thrown away
    total = total + loss
    total_number = total_number + loss.item()
print("losses that the total remembers:", losses_remembered(total.grad_fn))
assert losses_remembered(total.grad_fn) == 50 and isinstance(total_number, float)

# %% [markdown]
# All 50 are still there, with the layers' outputs behind them, so memory grows with every batch.
# Cure: `loss.item()`, a number of Python's own; and where you only measure, `torch.no_grad()`.
#
# ## A global inside the module
#
# An old recipe made a sigmoid outside its module and used it inside.
# Its model then depends on what that name means at the moment.
# Here another model needs an activation and takes the same name.

# %% tags=["predict"] ask="It said 0.418 with the sigmoid. What does it say with the tanh?" answers=["-0.319", "0.395", "0.582"] why="A sigmoid below one half comes from a negative number, and the tanh of a negative number is negative."
activation = nn.Sigmoid()


class Borrowing(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, x):
        return activation(self.linear(x))


borrowing = Borrowing()
answer = borrowing(torch.ones(1, 2)).item()
activation = nn.Tanh()  # meant for another model
print(f"{answer:.3f} has become {borrowing(torch.ones(1, 2)).item():.3f}")
assert abs(borrowing(torch.ones(1, 2)).item() - answer) > 0.01  # for this seed
assert "Sigmoid" not in str(borrowing)

# %% [markdown]
# The same weights give another answer, and a print of the model shows no activation at all.
# Cure: `self.activation = nn.Sigmoid()` in `__init__`, or `torch.sigmoid` in `forward`.
#
# ## Names that are not there
#
# Old recipes were published with lines like these four: a loader used before it is made, a method of Python 2, a misspelt name, a full stop for a comma.

# %% tags=["predict"] ask="Which error does the misspelt `np.arrange(4)` raise?" answers=["np.arrange(4) NameError", "np.arrange(4) AttributeError", "np.arrange(4) ImportError"] why="The name `np` is known; what is missing is an attribute of the module that it stands for."
lines = ["next(train_loader)", "iter([1, 2]).next()", "np.arrange(4)", "max(2. 3)"]
for line in lines:
    try:
        eval(line)
    except Exception as error:
        print(f"{line:21}{type(error).__name__}")

# %% [markdown]
# The last one stops a program before its first line, the cheapest way to fail.
# A wrong name fails when its line is reached, and that may be after the training.

# %%
program = """
for epoch in range(3):
    epochs_done.append(epoch)  # an hour each
print(histroy)
"""
epochs_done = []
try:
    exec(program)
except NameError as error:
    print(f"after {len(epochs_done)} epochs: {error}")
assert len(epochs_done) == 3

# %% [markdown]
# Cure: a linter.
# Without running anything, `ruff check` reports `histroy` and the loader as F821, undefined names.
# It does not know what NumPy holds; for `np.arrange`, run the program once on a few rows.
#
# ## One indentation too few
#
# Python reads the program from its indentation, and a step that stands too far to the left is no error.
# This loop is to learn $w = 2$ from three points.

# %%
w, num_steps = 1.0, 0
for epoch in range(10):
    for x in [3.0, 2.0, 1.0]:
        slope = 2 * x * (x * w - 2 * x)
    w = w - 0.01 * slope
    num_steps += 1
print(f"{num_steps} steps for {10 * 3} points, w is {w:.3f}")
assert num_steps < 30 and w < 1.5

# %% [markdown]
# The step stands outside the inner loop and sees the last point only.
# Cure: count the steps, and compare them with the number of batches.
#
# ## `is` where `==` is meant
#
# `is` asks whether two things are the same object, not whether they are equal.
# Python warns as soon as it reads such a line.

# %%
source = "[epoch for epoch in epochs if epoch % 5 is 0]"
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    reported = compile(source, "old.py", "eval")
print(f"{caught[0].category.__name__}: {str(caught[0].message)[:9]} ...")
assert caught[0].category is SyntaxWarning

# %% [markdown]
# It seems to work, because Python happens to keep one object for each small integer.
# NumPy does not, and no epoch is ever reported.
# Cure: `==`.

# %%
for epochs in [range(20), np.arange(20)]:
    print(f"{type(epochs).__name__:8}", eval(reported))
assert eval(reported) == []
assert [epoch for epoch in epochs if epoch % 5 == 0] == [0, 5, 10, 15]

# %% [markdown]
# ## Try it yourself
#
# **1.** Indent the step of `w` once more.
# How near to 2 does it come now?

# %% tags=["solution"]
w = 1.0
for epoch in range(10):
    for x in [3.0, 2.0, 1.0]:
        slope = 2 * x * (x * w - 2 * x)
        w = w - 0.01 * slope
print(f"w is {w:.3f}")
assert abs(w - 2) < 0.1

# %% [markdown]
# **2.** Write a check that an optimizer holds every parameter of a model: `holds_all(optimizer, model)`.
# For the `model` of the section on results thrown away, try it on one that was given the first layer only, `first_layer`, and on one that was given all, `whole`.


# %% tags=["solution"]
def holds_all(optimizer, model):
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return {id(p) for p in model.parameters()} <= held


first_layer = torch.optim.SGD(model[0].parameters())
whole = torch.optim.SGD(model.parameters())
print(holds_all(first_layer, model), holds_all(whole, model))
assert not holds_all(first_layer, model) and holds_all(whole, model)

# %% [markdown]
# ## What next
#
# The [next page](53_from_old_to_new.py) runs the spellings of old code and looks at what they do today.
