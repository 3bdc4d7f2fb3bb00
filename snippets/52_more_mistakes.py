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
# The [mistakes of old tutorials](51_mistakes.py) about training and measuring have their own page.
# Here are a dozen about labels, shapes, types and Python itself.
# For each: the mistake, run; what it costs; the cure.
# The worst are those that raise no error.

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
# An old recipe tosses two coins to choose among three kinds of samples, and skips the toss that it has no use for.

# %%
first, second = torch.randint(2, (2, 10_000))
two_heads = (first == 1) & (second == 1)
kept = 1 - two_heads.float().mean().item()
print(f"{kept:.3f} of the draws are kept")
assert 0.72 < kept < 0.78

# %% [markdown]
# Cure: draw the kind itself, `torch.randint(3, (10_000,))`, and nothing is lost.
#
# ## Several labels taken for several classes
#
# The same recipe promises one class per sample, but the label of its first kind has two ones.
# Cross entropy takes such a label without complaint, and then even perfect scores cannot bring its loss to 0.

# %%
label = torch.tensor([[1.0, 0.0, 1.0]])
perfect = torch.tensor([[20.0, -20.0, 20.0]])
one_class = F.cross_entropy(perfect, label).item()
several = F.binary_cross_entropy_with_logits(perfect, label).item()
print(f"cross entropy {one_class:.3f}, binary cross entropy {several:.3f}")
assert one_class > 1 and several < 1e-6

# %% [markdown]
# Cure: one yes-or-no question per label, on the page about [several labels](31_several_labels.py).
# That page also tells what the same recipe loses by taking one sample per step.
#
# ## Only the first layer learns
#
# An old recipe gave the optimizer the parameters of the first of two layers.
# Count what the optimizer holds.

# %%
model = nn.Sequential(nn.Linear(4, 2), nn.Sigmoid(), nn.Linear(2, 1))
optimizer = torch.optim.SGD(model[0].parameters(), lr=0.1)
held = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
in_all = sum(p.numel() for p in model.parameters())
print(f"the optimizer moves {held} of {in_all} parameters")
assert held < in_all

# %% [markdown]
# Cure: `model.parameters()`.
# What it costs in training is on the page about the [neural network](26_neural_network.py).
#
# ## Hidden units taken for hidden layers
#
# An old recipe describes its network, 3072 inputs and 25 numbers in its one hidden layer, as one of 25 hidden layers.
# Those are 25 hidden **units**.
# A network with 25 hidden layers of sigmoids would be another thing: the gradient shrinks in every layer on its way back.


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


# %% tags=["tolerance-0.02"]
shallow, deep = largest_gradient(num_layers=1), largest_gradient(num_layers=25)
print(f"one hidden layer {shallow:.1e}, 25 hidden layers {deep:.1e}")
assert 0 < deep < shallow * 1e-10

# %% [markdown]
# With steps as small as that the first layer never leaves its start.
#
# ## Two shapes that broadcast
#
# A model that answers one number per row has outputs of shape (2, 1); the labels have shape (2,).
# Their difference has shape (2, 2): every output is compared with every label.
# These outputs are perfect.

# %%
outputs, labels = torch.tensor([[0.0], [1.0]]), torch.tensor([0.0, 1.0])
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loss = F.mse_loss(outputs, labels)
fair_loss = F.mse_loss(outputs.squeeze(1), labels)
print(f"loss {loss:.1f}, and a {caught[0].category.__name__}")
print(f"loss {fair_loss:.1f} with equal shapes")
assert loss == 0.5 and fair_loss == 0

# %% [markdown]
# Cure: give both the same shape, and read the warnings.
# The page about [batches](25_batches.py) shows what such a loss does to the training.
#
# ## Batches of float64
#
# NumPy and pandas count in float64, PyTorch's layers in float32, and a layer refuses what does not match.
# A loss does not refuse: it changes to float64 in silence.

# %%
table = torch.from_numpy(np.ones((4, 2)))
try:
    nn.Linear(2, 1)(table)
except RuntimeError as error:
    print("RuntimeError:", str(error).split(",")[0])
print("dtype of the loss:", F.mse_loss(torch.zeros(4, 2), table).dtype)
assert F.mse_loss(torch.zeros(4, 2), table).dtype == torch.float64

# %% [markdown]
# Turning the model into float64 as well would help, and take twice the memory.
# Cure: `.float()` once, where the data set is made.

# %%
assert table.nbytes == 2 * table.float().nbytes
assert nn.Linear(2, 1)(table.float()).dtype == torch.float32

# %% [markdown]
# ## Whole numbers in the accuracy
#
# An old recipe divided the number of right answers in a batch of 8 by 8, both integers.
# In the PyTorch of its time that rounded down, as `//` does today: a batch with 7 right answers counted as 0.
# Suppose that a model is right nine times out of ten.

# %%
right = (torch.rand(1000) < 0.9).long()  # 1 for a right answer
rounded = torch.stack([part.sum() // 8 for part in right.split(8)])
print(f"rounded {rounded.float().mean():.3f}, in truth {right.sum() / 1000:.3f}")
assert rounded.float().mean() < 0.6 < 0.85 < right.float().mean()

# %% [markdown]
# Cure: add up the right answers and divide once, with `/`, at the end, as on the page about [MNIST](36_mnist_logistic_regression.py).
#
# ## A result thrown away
#
# Tensors do not change when you call `.cpu()`, `.float()` or `.detach()`: a new tensor comes back.
# An old recipe wrote `loss.cpu()` on a line of its own, which does nothing.
# And who wants a number but keeps the loss itself, keeps its whole history too.


# %%
def losses_remembered(node):
    """How many losses the graph that ends in this node still holds."""
    before = [earlier for earlier, _ in node.next_functions if earlier]
    return ("MseLoss" in node.name()) + sum(map(losses_remembered, before))


total, total_number = 0.0, 0.0
for batch in torch.ones(50, 8, 4):
    loss = F.mse_loss(model(batch), torch.zeros(8, 1))
    loss.cpu()  # the result is thrown away
    total = total + loss
    total_number = total_number + loss.item()
print("losses that the total remembers:", losses_remembered(total.grad_fn))
assert losses_remembered(total.grad_fn) == 50 and isinstance(total_number, float)

# %% [markdown]
# All 50 are still there, with each layer's output behind them, so memory grows with every batch.
# Cure: `loss.item()`, a number of Python's own; and measure under `torch.no_grad()`.
#
# ## A global inside the module
#
# An old recipe made a sigmoid outside its module and used it inside.
# The model then depends on what that name means at the moment.

# %%
activation = nn.Sigmoid()


class Borrowing(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, x):
        return activation(self.linear(x))


# %% [markdown]
# Further down, someone needs an activation for another model and takes the same name.

# %%
borrowing = Borrowing()
answer = borrowing(torch.ones(1, 2)).item()
activation = nn.Tanh()  # meant for another model
print(f"{answer:.3f} has become {borrowing(torch.ones(1, 2)).item():.3f}")
assert abs(borrowing(torch.ones(1, 2)).item() - answer) > 0.01
assert "Sigmoid" not in str(borrowing)

# %% [markdown]
# The same weights give another answer, and printing the model tells nothing of it.
# Cure: `self.activation = nn.Sigmoid()` in `__init__`, or `torch.sigmoid` in `forward`.
#
# ## Names that are not there
#
# These four lines are of kinds that old recipes were published with: a loader used before it is made, a method of Python 2, a misspelt name, a full stop for a comma.

# %%
lines = ["next(train_loader)", "iter([1, 2]).next()", "np.arrange(4)", "max(2. 3)"]
for line in lines:
    try:
        eval(line)
    except Exception as error:
        print(f"{line:21}{type(error).__name__}")

# %% [markdown]
# The last one stops a program before its first line, which is the cheapest way to fail.
# A wrong name fails only when its line is reached, and that may be after the training.

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
# Cure: a linter. `ruff check` reports `histroy`, and the loader, as F821, an undefined name, without running anything.
# It does not know what NumPy holds; for `np.arrange`, run the program once on a few rows.
#
# ## One indentation too few
#
# Python reads the program from its indentation, and a step that stands too far to the left is no error.
# Both functions learn $w = 2$ from the same points.


# %%
def good():
    w = 1.0
    for epoch in range(10):
        for x in [3.0, 2.0, 1.0]:
            slope = 2 * x * (x * w - 2 * x)
            w = w - 0.01 * slope
    return w


def bad():
    w = 1.0
    for epoch in range(10):
        for x in [3.0, 2.0, 1.0]:
            slope = 2 * x * (x * w - 2 * x)
        w = w - 0.01 * slope
    return w


print(f"good {good():.3f}, bad {bad():.3f}")
assert 2 - bad() > 10 * (2 - good())

# %% [markdown]
# The step outside the inner loop sees the last point only.
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
# NumPy does not, and then no epoch is ever reported.

# %%
for epochs in [range(20), np.arange(20)]:
    print(f"{type(epochs).__name__:8}", eval(reported))
assert eval(reported) == []
assert [epoch for epoch in epochs if epoch % 5 == 0] == [0, 5, 10, 15]

# %% [markdown]
# ## Try it yourself
#
# **1.** Write a squared error that refuses two shapes that differ.


# %% tags=["solution"]
def strict_mse(outputs, labels):
    if outputs.shape != labels.shape:
        raise ValueError(f"shapes {outputs.shape} and {labels.shape}")
    return F.mse_loss(outputs, labels)


try:
    strict_mse(outputs, labels)
except ValueError as error:
    print("ValueError:", error)
assert strict_mse(outputs.squeeze(1), labels) == 0

# %% [markdown]
# **2.** Write a check that an optimizer holds every parameter of a model, and try it on the two from above.


# %% tags=["solution"]
def holds_all(optimizer, model):
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return held == {id(p) for p in model.parameters()}


whole = torch.optim.SGD(model.parameters(), lr=0.1)
print(holds_all(optimizer, model), holds_all(whole, model))
assert not holds_all(optimizer, model) and holds_all(whole, model)

# %% [markdown]
# ## What next
#
# What the spellings of old code do today is on the page [from PyTorch 0.3 to now](53_from_old_to_new.py).
