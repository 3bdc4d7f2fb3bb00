# ---
# jupyter:
#   page:
#     teaches:
#       B1: The model
#       B2: The data
#       B3: A data set over a table
#       B4: Training
#       B5: The model
#       B6: Which loss
#       B7: What it learned
#     level: intermediate
#     read_first: [24_logistic_regression, 26_neural_network, 27_data_sets]
#     result: accuracy
# ---

# %% [markdown]
# # Rings
#
# A cloud of points lies inside a ring of other points, and no straight line separates the two.
# A network of five layers learns to tell them apart: without an error on the points that it trains on, and with more than 95 % right among new ones.
# On the way it stands on a **plateau**: for more than 30 epochs its answers do not improve.
# You should know [batches](25_batches.py) and the [neural network](26_neural_network.py).

# %%
import multiprocessing
import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# The points of the cloud have the label 1, those of the ring 0.
# We draw too many and keep those at the right distance from the middle.
# `np.random.seed` belongs to NumPy's old generator, which gives the same points in every version.


# %%
def draw_points(seed):
    """A frame with a row per point, the cloud first: x_1, x_2, const, y."""
    np.random.seed(seed)
    cloud = np.random.normal(0, 0.75, size=(100, 2))
    cloud = cloud[(cloud**2).sum(axis=1) < 4]
    ring = np.random.uniform(-5, 5, size=(1000, 2))
    distance2 = (ring**2).sum(axis=1)
    ring = ring[(distance2 > 6.25) & (distance2 < 16)]
    frame = pd.DataFrame(np.concatenate([cloud, ring]), columns=["x_1", "x_2"])
    frame["const"] = 1.0
    frame["y"] = np.repeat([1.0, 0.0], [len(cloud), len(ring)])
    return frame


train_points, test_points = draw_points(seed=3), draw_points(seed=4)

# %% [markdown]
# Networks learn best from numbers around 0, so we subtract the mean of each column and divide by its standard deviation.
# The test points get the mean and the deviation of the training points: the model may know nothing about them.

# %%
mean, std = train_points.mean(), train_points.std()
for frame in (train_points, test_points):
    for column in ("x_1", "x_2"):
        frame[f"{column}_norm"] = (frame[column] - mean[column]) / std[column]
print(train_points.head(3))
print(f"{len(train_points)} points, {mean['y']:.3f} of them in the cloud")
assert np.allclose(train_points["x_1_norm"][:2], [0.595074, -0.001979], atol=1e-6)

# %% [markdown]
# ## A data set over a table
#
# A `Dataset` of our own says how many samples there are and which is the $i$-th.
# Pandas holds decimals in 64 bits and a network in 32, and mixing the two is an error, so we convert them once, here.


# %%
class PointDataset(Dataset):
    """The standardised points of a frame, and their labels."""

    def __init__(self, frame):
        columns = ["x_1_norm", "x_2_norm"]
        self.x = torch.tensor(frame[columns].to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(frame[["y"]].to_numpy(), dtype=torch.float32)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.x[i], self.y[i]  # (2,), (1,)


train_set, test_set = PointDataset(train_points), PointDataset(test_points)

# %% [markdown]
# A `DataLoader` makes batches of it: four samples each, shuffled, fetched by two [workers](27_data_sets.py) where the system allows it.
# The old recipe asked the loader for a batch before there was a loader, and with `.next()`, a method that is gone.
# Today it is `next(...)`, and the loader comes first.

# %%
can_fork = multiprocessing.get_start_method() == "fork"
num_workers = min(2, os.cpu_count()) if can_fork else 0
loader = DataLoader(train_set, batch_size=4, shuffle=True, num_workers=num_workers)

with warnings.catch_warnings():  # Python 3.12 warns of forks beside threads
    warnings.simplefilter("ignore", DeprecationWarning)
    batch_x, batch_y = next(iter(loader))
print(tuple(batch_x.shape), tuple(batch_y.shape), batch_x.dtype)

# %% [markdown]
# Below we train with batches of 50 and without workers: our samples lie in memory, and there is nothing to wait for.
#
# ## The model
#
# Two inputs, four hidden layers of nine units, and one output, a logit.
# We write the network so that its depth and its widths come from a list of sizes.
# The layers go into an `nn.ModuleList`; a plain Python list would hide their parameters from the optimizer.


# %%
class Network(nn.Module):
    """Linear layers of the given sizes with ReLU between them."""

    def __init__(self, sizes, seed):
        super().__init__()
        torch.manual_seed(seed)  # before the layers are made
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in pairs)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)  # logits, (samples, 1)


sizes = [2, 9, 9, 9, 9, 1]
net = Network(sizes, seed=47)
print(net.layers[0].weight[:3].detach())

# %% [markdown]
# The layers are made in order, so their weights depend on nothing but the seed.

# %%
torch.manual_seed(47)
assert torch.equal(nn.Linear(2, 9).weight, net.layers[0].weight)
two_points = torch.tensor([[1.0, 2.0], [2.0, 3.0]])
for seed in (47, 1):
    p = torch.sigmoid(Network(sizes, seed)(two_points)).flatten().tolist()
    print(f"seed {seed:2d}: {p[0]:.4f} for [1, 2], {p[1]:.4f} for [2, 3]")

# %% [markdown]
# ## Training
#
# The old recipe is Adam with its defaults, the mean squared error between probability and label, and an end as soon as no training point is wrong.
# In each epoch:
#
# 1. for each batch: loss, gradients, step, and the loss is added up;
# 2. then, with the weights at rest, count the wrong answers on all points.
#
# The old tutorial printed the loss of the last batch, and counted errors while the weights were changing.
# Neither describes the network that one has at the end of the epoch.
# The loop stands in a function, because we will train more than once.


# %%
def error(net, dataset):
    """Share of wrong answers."""
    with torch.no_grad():
        says_cloud = (net(dataset.x.to(device)) > 0).cpu()
    return (says_cloud != (dataset.y == 1)).float().mean().item()


def train(criterion, num_epochs, optimizer_class=torch.optim.Adam, learning_rate=1e-3):
    """The trained network, and its mean loss and its error at each epoch."""
    net = Network(sizes, seed=47).to(device)
    optimizer = optimizer_class(net.parameters(), lr=learning_rate)
    order = torch.Generator().manual_seed(0)
    loader = DataLoader(train_set, batch_size=50, shuffle=True, generator=order)
    losses, errors = [], []
    for _ in range(num_epochs):
        total = 0.0
        for x, y in loader:
            loss = criterion(net(x.to(device)), y.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(x)
        losses.append(total / len(train_set))
        errors.append(error(net, train_set))
        if errors[-1] == 0:
            break
    return net, losses, errors


# %% [markdown]
# The network gives logits, so the squared error takes the sigmoid first.
# Up to 1000 epochs are allowed.


# %%
def squared_error(logits, y):
    return ((torch.sigmoid(logits) - y) ** 2).mean()


trained, losses, errors = train(squared_error, num_epochs=1000)
for epoch in (10, 20, 30):
    print(f"epoch {epoch}    error {errors[epoch - 1]:.3f}")
print(f"at the end  error {errors[-1]:.3f}")
on_plateau = [abs(value - mean["y"]) < 1e-6 for value in errors]
assert errors[-1] == 0 and len(errors) < 200
assert 30 < sum(on_plateau) < 70

# %% [markdown]
# No point is wrong any more.
# What about points that the network has not seen?

# %% tags=["tolerance-0.02"]
accuracy = 1 - error(trained, test_set)
print(f"right on {accuracy:.1%} of {len(test_set)} new points")
assert accuracy > 0.95

# %% [markdown]
# ## The plateau
#
# Who says "ring" to every point is wrong about the cloud, and that is 0.249 of the points.
# The picture shows error and loss.
# See what the loss does while the error stands still.

# %% alt="The error stays at a quarter, then falls to 0; the loss falls earlier"
epochs = range(1, len(errors) + 1)
fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.plot(epochs, errors, label="error")
ax.plot(epochs, losses, label="loss")
ax.set(xlabel="epoch", ylabel="error, loss", title="The plateau and after")
ax.legend()
plt.show()

# %% [markdown]
# The loss does not stand still: the probabilities move long before the first of them crosses one half.
# The error sees only the crossings.
#
# ## What it learned
#
# The probability of "cloud" over the plane: before training, after 30 epochs, and at the end.
# The ring is blue and the cloud orange; the red line is the **decision boundary**, where the probability is one half.

# %% alt="Three maps; only the last has a boundary, a closed curve around the cloud"
stages = {"before": Network(sizes, seed=47).to(device)}
stages |= {"on the plateau": train(squared_error, 30)[0], "after": trained}
axis = np.linspace(-4.5, 4.5, 91)
plane = np.stack(np.meshgrid(axis, axis), axis=-1)  # (91, 91, 2)
plane = (plane - mean[["x_1", "x_2"]].to_numpy()) / std[["x_1", "x_2"]].to_numpy()
plane_x = torch.tensor(plane, dtype=torch.float32).to(device)

map_style = {"cmap": "gray", "vmin": 0, "vmax": 1}
map_style |= {"origin": "lower", "extent": (axis[0], axis[-1], axis[0], axis[-1])}
fig, axes = plt.subplots(1, 3, figsize=(7, 2.8), sharey=True, layout="constrained")
for ax, (name, stage) in zip(axes, stages.items(), strict=True):
    with torch.no_grad():
        p_map = torch.sigmoid(stage(plane_x)).cpu().numpy()[:, :, 0]
    picture = ax.imshow(p_map, **map_style)
    for _, group in train_points.groupby("y"):
        ax.plot(group["x_1"], group["x_2"], ".", markersize=2, rasterized=True)
    ax.set(title=name, xlabel="x_1")
ax.contour(axis, axis, p_map, levels=[0.5], colors="tab:red")  # only the last has one
axes[0].set_ylabel("x_2")
fig.colorbar(picture, ax=axes, label="probability of cloud", shrink=0.8)
plt.show()

# %% [markdown]
# Before training the network gives nearly the same answer everywhere.
# On the plateau it has already found the middle, but not even there has the probability reached one half.
#
# ## Which loss
#
# For probabilities the usual loss is [binary cross entropy](24_logistic_regression.py), not the squared error.
# The difference is in the gradient.
# Take a point of the cloud with a logit far below 0: the network is sure, and wrong.

# %%
cross_entropy = nn.BCEWithLogitsLoss()
criteria = {"squared error": squared_error, "cross entropy": cross_entropy}
far_off = torch.tensor([-1.0, -4.0, -8.0])
for name, criterion in criteria.items():
    logits = far_off.clone().requires_grad_()
    criterion(logits, torch.ones(3)).backward()
    slopes = 3 * logits.grad  # back from the mean over three points to each point
    print(name, " ".join(f"{slope:8.4f}" for slope in slopes.tolist()))

# %% [markdown]
# The more wrong the network, the less it learns from the squared error.
# With cross entropy such a point pulls with nearly full force, which is 1.
#
# Does it matter here?
# We train with both losses, with Adam and with plain gradient descent, for at most 100 epochs, and print the error at the end.

# %%
_, _, adam_errors = train(cross_entropy, 100)
_, _, sgd_errors = train(cross_entropy, 100, torch.optim.SGD, learning_rate=0.1)
_, _, stuck = train(squared_error, 100, torch.optim.SGD, learning_rate=0.1)
print(f"Adam: squared error {errors[-1]:.3f}, cross entropy {adam_errors[-1]:.3f}")
print(f"SGD:  squared error {stuck[-1]:.3f}, cross entropy {sgd_errors[-1]:.3f}")
assert errors[-1] == adam_errors[-1] == 0
assert stuck[-1] > 0.2 and sgd_errors[-1] < 0.05

# %% [markdown]
# Adam divides each step by the usual size of the gradient, so small gradients cost it nothing.
# Plain gradient descent has no such help: with the squared error it is on the plateau after 100 epochs still.
#
# ## Try it yourself
#
# **1.** Plain gradient descent with cross entropy did well.
# Does it do better still with a learning rate of 0.5?
# Compare its number of epochs with Adam's.

# %% tags=["solution"]
_, _, faster = train(cross_entropy, 100, torch.optim.SGD, learning_rate=0.5)
print(f"error {faster[-1]:.3f}, fewer epochs: {len(faster) < len(errors)}")
assert faster[-1] == 0 and len(faster) < len(errors)

# %% [markdown]
# **2.** How far does a network without hidden layers get?
# Its sizes are `[2, 1]`.

# %% tags=["solution", "tolerance-0.02"]
sizes = [2, 1]
_, _, line_errors = train(cross_entropy, num_epochs=100)
print(f"error {line_errors[-1]:.3f}")
assert line_errors[-1] > 0.2

# %% [markdown] tags=["solution"]
# A straight line can do no better than to have all points on one side.

# %% [markdown]
# ## What next
#
# The [next page](33_diabetes.py) has real measurements in place of drawn points, and a network that stays on its plateau.
# Rings and other shapes that no line separates are the classical test for hidden layers, since it was shown in 1969 how little a network can do without them.
