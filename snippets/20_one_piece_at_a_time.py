# ---
# jupyter:
#   page:
#     teaches:
#       B8: "The first piece: the layer"
#     level: beginner
#     read_first: [16_autograd]
# ---

# %% [markdown]
# # One piece at a time
#
# PyTorch has a ready-made piece for every line of a training loop: the model, the loss, the step.
# We take the loop that trained one weight with [autograd](16_autograd.py), and put in one piece after the other.
# Each time $w$ must be 1.9512 after ten epochs, as before; then a bias changes that, and a picture shows why.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The loop that we have
#
# Three points, one weight, one step per point, ten epochs; and a check that will follow each piece.

# %%
inputs = torch.tensor([1.0, 2.0, 3.0], device=device)
targets = torch.tensor([2.0, 4.0, 6.0], device=device)
learning_rate = 0.01  # that of the loop we rebuild, or the number would change
num_epochs = 10

w = torch.tensor(1.0, device=device, requires_grad=True)
for epoch in range(num_epochs):
    for x, y in zip(inputs, targets):
        loss = (x * w - y) ** 2
        loss.backward()
        with torch.no_grad():
            w -= learning_rate * w.grad
        w.grad.zero_()


def check(weight):
    """Print a trained weight; it must be that of the loop by hand."""
    print(f"w = {weight.item():.4f}")
    assert abs(weight.item() - 1.9512) < 1e-4


check(w)

# %% [markdown]
# ## The first piece: the layer
#
# `torch.nn` is the package of pieces for networks.
# Its `nn.Linear(1, 1, bias=False)` is a **layer** with one input and one output, and multiplies the one by a weight to get the other.
# The weight is inside the layer, and requires a gradient from the start.
# It is drawn at random; we set it to 1, where `w` started.


# %% tags=["predict"] ask="How does the weight of a layer with one input and one output print?" answers=["[[1.0]] True", "[1.0] True", "1.0 True"] why="It is a matrix, with a row for each output and a column for each input, even where there is one of each."
def fresh_layer():
    """One input, one output, and the weight 1."""
    layer = nn.Linear(1, 1, bias=False).to(device)
    nn.init.ones_(layer.weight)
    return layer


layer = fresh_layer()
print(layer.weight.tolist(), layer.weight.requires_grad)

# %% [markdown]
# The weight is a matrix, because a layer may have several inputs and outputs.
# So a point becomes a row, here of one number; `points * num_epochs` is the list of them ten times over.

# %%
rows, answers = inputs.reshape(3, 1), targets.reshape(3, 1)  # (3,) -> (3, 1)
points = list(zip(rows, answers))

for x, y in points * num_epochs:
    loss = (layer(x) - y) ** 2  # the layer is called like a function
    loss.backward()
    with torch.no_grad():
        layer.weight -= learning_rate * layer.weight.grad
    layer.weight.grad.zero_()
check(layer.weight)

# %% [markdown]
# ## The second piece: the loss
#
# `nn.MSELoss` is the mean squared error.
# We make one, and then call it with the prediction and the target; a loss that is made like this is often named `criterion`.
# A single point has a single square, and nothing to average.

# %%
layer = fresh_layer()
criterion = nn.MSELoss()

for x, y in points * num_epochs:
    loss = criterion(layer(x), y)
    loss.backward()
    with torch.no_grad():
        layer.weight -= learning_rate * layer.weight.grad
    layer.weight.grad.zero_()
check(layer.weight)

# %% [markdown]
# ## The third piece: the optimizer
#
# The numbers that training changes are the **parameters** of a layer; ours has one.
# An **optimizer** is given the parameters once.
# Then its `step` takes the step for each of them, and its `zero_grad` clears their gradients.
# `torch.optim.SGD` takes the step that we know.

# %%
layer = fresh_layer()
optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)

for x, y in points * num_epochs:
    loss = criterion(layer(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
check(layer.weight)

# %% [markdown]
# `zero_grad` now stands right before `backward`, so that whatever was there before is cleared.
#
# ## The fourth piece: the module
#
# Models of several layers are written as a class, the description of a kind of object.
# This kind is an `nn.Module`, which knows how to find the parameters of its layers.
# `__init__` makes the layers when an object is made, and stores them in the object, which is called `self`.
# `forward` says what becomes of an input.


# %%
class OneWeight(nn.Module):
    def __init__(self):
        super().__init__()  # must come first: it prepares the module for layers
        self.linear = fresh_layer()

    def forward(self, x):
        return self.linear(x)


# %% [markdown]
# A layer is a module, too, so a module is called like a layer; the call goes through `forward`.
# From here on the loop is a function: what goes into it changes, the loop does not.


# %%
def train(model, points, num_epochs):
    """Train a model in place, one step per point."""
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    for x, y in points * num_epochs:
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


model = OneWeight()
train(model, points, num_epochs)
check(model.linear.weight)

# %% [markdown]
# Four pieces, the same number.
# The loops of the pages to come are this one, with other models, losses and optimizers, and now and then a line more.
#
# ## A bias, and what it costs
#
# A **bias** is a number that the layer adds to its product, and is learned as well: $xw + b$.
# `nn.Linear` has one unless told otherwise.
# We let $b$ start at 0, and train a layer of each kind for 100 epochs.

# %%
layer, with_bias = fresh_layer(), nn.Linear(1, 1).to(device)
nn.init.ones_(with_bias.weight)
nn.init.zeros_(with_bias.bias)
path = [(1.0, 0.0)]  # w and b at the start and after each epoch

for epoch in range(100):
    train(layer, points, num_epochs=1)
    train(with_bias, points, num_epochs=1)
    path.append((with_bias.weight.item(), with_bias.bias.item()))

# %% tags=["predict"] ask="The points lie on y = 2x, so the right answer for 4 is 8. Which layer gives it after 100 epochs?" answers=["8.0000 without a bias", "8.0000 with one"] why="Both can give it; but a bias too large and a weight too small go nearly together through the three points, and little pulls them apart."
new_x = torch.tensor([4.0], device=device)
with torch.no_grad():
    without, with_it = layer(new_x).item(), with_bias(new_x).item()
print(f"prediction for 4: {without:.4f} without a bias, {with_it:.4f} with one")

# %% [markdown]
# The layer with a bias can give the same answers, and needs far longer to find them.
# In the picture each gray line joins places of equal loss; look where the path turns.

# %% alt="Loss over w and b: a long narrow valley; the path falls in, then creeps along"
# All pairs of a w and a b, as two tables:
w_grid, b_grid = np.meshgrid(np.linspace(0.9, 2.3, 71), np.linspace(-0.4, 1.2, 81))
losses = np.mean([(x * w_grid + b_grid - 2 * x) ** 2 for x in [1, 2, 3]], axis=0)

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.contour(w_grid, b_grid, losses, levels=[0.01, 0.03, 0.1, 0.3, 1, 3], colors="gray")
ax.plot(*zip(*path), "o-", markersize=3, label=f"{len(path) - 1} epochs")
ax.plot(2, 0, "*", markersize=12, label="loss 0")
ax.set(xlabel="w", ylabel="b", title="A valley that is steep across and flat along")
ax.legend()
plt.show()

# %% [markdown]
# Within a dozen epochs it falls to the floor of the valley, where one number makes up for the other: $w$ is too small, and $b$ too large.
# From there every step gains very little, because the loss hardly changes along the floor.

# %%
left_with = (2 - path[-1][0]) / (2 - path[-2][0])
left_without = np.prod([1 - learning_rate * 2 * x**2 for x in [1, 2, 3]])
print(f"an epoch leaves {left_without:.1%} of 2 - w; in the valley {left_with:.1%}")
assert left_without < 0.75 and left_with > 0.99
assert abs(without - 8) < 1e-4 and with_it < 7.9

# %% [markdown]
# ## Try it yourself
#
# **1.** Train on targets of the line $y = 2x + 1$, for 3000 epochs, without a bias and with one: which losses are left?
# Put them into a list `left`, in this order.

# %% tags=["solution"]
left = []
for bias in [False, True]:
    line = nn.Linear(1, 1, bias=bias).to(device)
    train(line, list(zip(rows, answers + 1)), num_epochs=3000)
    left.append(criterion(line(rows), answers + 1).item())
    print(f"bias={bias!s:5}  loss {left[-1]:.3f}")  # without: always through the origin
assert left[1] < 0.001 < left[0]

# %% [markdown]
# **2.** Leave the random start as it is: do 30 epochs bring three layers without a bias to 2?
# Put their weights into a list `weights`.

# %% tags=["solution"]
weights = []
for _ in range(3):
    layer = nn.Linear(1, 1, bias=False).to(device)
    train(layer, points, num_epochs=30)
    weights.append(layer.weight.item())
    print(f"w = {weights[-1]:.3f}")
assert len(weights) == 3 and all(abs(float(w) - 2) < 0.001 for w in weights)

# %% [markdown]
# ## What next
#
# Our layer had one input; on the [next page](21_linear_layer.py) it has four, and we look inside.
# PyTorch has split its training loops into module, criterion and optimizer since its first versions; its Lua predecessor, Torch, did so too.
