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
#     publishes: [rings.json]
# ---

# %% [markdown]
# # Rings
#
# A cloud of points lies inside a ring of other points, and no straight line separates the two.
# A network of five layers learns to tell them apart: it makes no error on the points that it trains on, and few on new ones.
# On the way it stands on a **plateau**: for dozens of epochs its answers do not improve.
# Is the loss to blame, or the learning rate?
# You should know the [neural network](26_neural_network.py) and [data sets of one's own](27_data_sets.py).

# %%
import base64
import copy
import json
import multiprocessing
import os
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.utils.data import DataLoader, Dataset

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# The points of the cloud have the label 1, those of the ring 0.
# We draw too many and keep those at the right distance from the middle.
# `np.random.seed` belongs to NumPy's old generator, which gives the same points in every version of NumPy.


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
# Networks are usually given numbers around 0, so we subtract the mean of each column and divide by its standard deviation.
# The test points are scaled with the mean and the deviation of the training points: nothing about them may reach the training.

# %%
mean, std = train_points.mean(), train_points.std()
for frame in (train_points, test_points):
    for column in ("x_1", "x_2"):
        frame[f"{column}_norm"] = (frame[column] - mean[column]) / std[column]
print(train_points.head(3))
print(f"{len(train_points)} points, {mean['y']:.3f} of them in the cloud")
first_two = train_points["x_1_norm"][:2]
assert np.allclose(first_two, [0.595074, -0.001979], atol=1e-6)  # for this seed

# %% [markdown]
# ## A data set over a table
#
# The `Dataset` takes the two scaled columns and the label, and turns 64-bit numbers into the network's 32 bits.


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

# %% tags=["predict"] ask="What shape do the labels of a batch have?" answers=["(4,)", "(4, 1)", "(1, 4)"] why="A label has the shape (1,), and a batch of four such labels stacks them as rows."
num_workers = 0
if multiprocessing.get_start_method() == "fork":
    num_workers = min(2, len(os.sched_getaffinity(0)))  # at most one per processor
loader = DataLoader(train_set, batch_size=4, shuffle=True, num_workers=num_workers)

with warnings.catch_warnings():  # Python 3.12 warns of forks beside threads
    warnings.simplefilter("ignore", DeprecationWarning)
    batches = iter(loader)  # starts the workers, which are our child processes
    assert len(multiprocessing.active_children()) == num_workers
    batch_x, batch_y = next(batches)
del batches  # and with it the workers
print(tuple(batch_x.shape), tuple(batch_y.shape), batch_x.dtype)

# %% [markdown]
# Below we train with larger batches, cut from the tensors of the data set: they are in memory, and there is nothing to wait for.
#
# ## The model
#
# Two inputs, four hidden layers of nine units, and one output, a logit.
# The number of layers and their widths come from a list of sizes.
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


# %% [markdown]
# (The [ReLU](34_several_labels.py) turns what is negative to 0.)
# The layers are made in order, so the weights, and with them the answers, depend on nothing but the seed.

# %%
sizes = [2, 9, 9, 9, 9, 1]
net = Network(sizes, seed=47)
print(net.layers[0].weight[:3].detach())

torch.manual_seed(47)
assert torch.equal(nn.Linear(2, 9).weight, net.layers[0].weight)
two_points = torch.tensor([[1.0, 2.0], [2.0, 3.0]])
for seed in (47, 1):
    p = torch.sigmoid(Network(sizes, seed)(two_points)).flatten().tolist()
    print(f"seed {seed:2d}: {p[0]:.4f} for [1, 2], {p[1]:.4f} for [2, 3]")

# %% [markdown]
# ## Training
#
# The old recipe is [Adam](33_mnist_logistic_regression.py) with its defaults and the mean squared error between probability and label, and it ends as soon as no training point is wrong.
# In each epoch:
#
# 1. for each shuffled batch: loss, gradients, step, and the loss is added up;
# 2. then, with the weights at rest, measure the **error**, the share of wrong answers on all points.
#
# The old tutorial printed the loss of the last batch, and counted errors while the weights were changing: neither describes the network at the end of the epoch.
# (Our loss is a mean over the whole epoch, during which the weights still moved; only the error is measured after it.)


# %%
def error(net, dataset):
    """Share of wrong answers."""
    with torch.no_grad():
        says_cloud = (net(dataset.x.to(device)) > 0).cpu()
    return (says_cloud != (dataset.y == 1)).float().mean().item()


def train(
    sizes, criterion, optimizer_class, learning_rate, num_epochs=100, seed=47, past=None
):
    """The trained network, and its mean loss and its error at each epoch.

    A copy of the network at the end of each epoch is appended to the list `past`.
    """
    net = Network(sizes, seed).to(device)
    optimizer = optimizer_class(net.parameters(), lr=learning_rate)
    x, y = train_set.x.to(device), train_set.y.to(device)
    losses, errors = [], []
    for _ in range(num_epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(50):
            loss = criterion(net(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        losses.append(total / len(x))
        errors.append(error(net, train_set))
        if past is not None:
            past.append(copy.deepcopy(net))
        if errors[-1] == 0:
            break
    return net, losses, errors


# %% [markdown]
# The network gives logits, so the squared error takes the sigmoid first; up to 1000 epochs are allowed.


# %% tags=["predict"] ask="How large is the error after the first epoch?" answers=["0.500", "0.751", "0.249"] why="The network still says \"ring\" to every point, as it did at the start, and is wrong about the cloud only."
def squared_error(logits, y):
    return ((torch.sigmoid(logits) - y) ** 2).mean()


learning_rate = 1e-3  # Adam's default
adam = torch.optim.Adam
recipe = sizes, squared_error, adam, learning_rate
networks = [Network(sizes, seed=47).to(device)]  # by epoch, 0 is before training
trained, losses, errors = train(*recipe, num_epochs=1000, past=networks)
for epoch in [1, 20, 40, len(errors)]:
    loss, wrong = losses[epoch - 1], errors[epoch - 1]
    print(f"epoch {epoch:2}: loss {loss:.3f}, error {wrong:.3f}")
on_plateau = sum(abs(value - mean["y"]) < 1e-6 for value in errors)
print(f"{on_plateau} epochs on the plateau")
assert errors[-1] == 0 and len(errors) < 120 and on_plateau > 15
assert losses[19] < losses[0]

# %% [markdown]
# On the plateau the network says "ring" to every point, and is wrong about the cloud.
# The loss falls all the while: the probabilities move long before the first of them crosses one half, and the error sees only the crossings.
#
# At the end no point is wrong any more.
# What about points that the network has not seen?
# This is the only look at them; nothing was chosen by it.

# %%
accuracy = 1 - error(trained, test_set)
print(f"right on {accuracy:.1%} of {len(test_set)} new points")
assert accuracy > 0.975

# %% [markdown]
# ## What it learned
#
# The probability of "cloud" over the plane: before training, after 20 epochs, and at the end.
# The ring is blue and the cloud orange; the red line is the **decision boundary**, where the probability is one half.

# %% alt="Three maps; only the last has a boundary, a closed curve around the cloud"
stages = {"before": networks[0], "on the plateau": networks[20], "after": trained}
axis = np.linspace(-4.5, 4.5, 91)
plane = np.stack(np.meshgrid(axis, axis), axis=-1)  # (91, 91, 2)
plane = (plane - mean[["x_1", "x_2"]].to_numpy()) / std[["x_1", "x_2"]].to_numpy()
plane_x = torch.tensor(plane, dtype=torch.float32).to(device)

map_style = {"cmap": "gray", "vmin": 0, "vmax": 1}
map_style |= {"origin": "lower", "extent": (axis[0], axis[-1], axis[0], axis[-1])}
fig, axes = plt.subplots(1, 3, figsize=(5.4, 3), sharey=True, layout="constrained")
for ax, (name, stage) in zip(axes, stages.items(), strict=True):
    with torch.no_grad():
        p_map = torch.sigmoid(stage(plane_x)).cpu().numpy()[:, :, 0]
    picture = ax.imshow(p_map, **map_style)
    for _, group in train_points.groupby("y"):
        ax.plot(group["x_1"], group["x_2"], ".", markersize=2, rasterized=True)
    ax.set(title=name, xlabel="x_1")
ax.contour(axis, axis, p_map, levels=[0.5], colors="tab:red")  # only the last has one
axes[0].set_ylabel("x_2")
fig.colorbar(picture, ax=axes, label="probability of cloud", location="bottom")
plt.show()

# %% [markdown]
# Before training the network gives nearly the same answer everywhere.
# On the plateau it has already found the middle, but even there the probability is below one half.
#
# ## Epoch by epoch
#
# Your browser can compute such a map for every epoch, if it has the weights.
# They go into a file that comes with this page.
# A weight has four bytes, of which three are enough: they hold whole numbers up to 8,388,607, and there is one `scale` to multiply them all by.
# Bytes are no text, so base64 writes three of them as four letters.


# %%
def as_text(array):
    """The bytes of an array in base64."""
    return base64.b64encode(array.tobytes()).decode("ascii")


def three_bytes(weights):
    """Whole numbers in proportion to weights, the lowest byte first, and their scale."""
    scale = weights.abs().max().item() / (2**23 - 1)
    numbers = (weights.double() / scale).round().cpu().numpy().astype("<i4")
    return numbers.view(np.uint8).reshape(-1, 4)[:, :3], scale


with torch.no_grad():
    weights = torch.stack([parameters_to_vector(net.parameters()) for net in networks])
weight_bytes, scale = three_bytes(weights)
train_x = train_points[["x_1", "x_2"]].to_numpy(np.float32)
published = {
    "sizes": sizes,
    "weights": as_text(weight_bytes),  # a row per epoch
    "scale": scale,
    "points": as_text(train_x),
    "labels": train_set.y.flatten().int().tolist(),
    "mean": mean[["x_1", "x_2"]].tolist(),
    "std": std[["x_1", "x_2"]].tolist(),
    "losses": [round(value, 5) for value in losses],
    "errors": [round(value, 5) for value in errors],
}

# %% [markdown]
# Read back, with a zero below the three bytes, a number is 256 times what it was.
# A weight is off by less than a `scale`, and each network makes the errors that it made.

# %%
file = Path("rings.json")
file.write_text(json.dumps(published))
content = json.loads(file.read_text())
read_bytes = np.frombuffer(base64.b64decode(content["weights"]), np.uint8)
four_bytes = np.pad(read_bytes.reshape(-1, 3), [(0, 0), (1, 0)])
numbers = four_bytes.view("<i4").reshape(weights.shape)  # (networks, parameters)
rows = torch.tensor(numbers / 256 * content["scale"]).float().to(device)
assert (rows - weights).abs().max() < scale
for old, row, value in zip(networks[1:], rows[1:], errors, strict=True):
    vector_to_parameters(row, old.parameters())
    assert error(old, train_set) == value

# %% [markdown]
# Drag the slider, or press *Play*; the points that the network gets wrong have an edge.
# On the plateau watch the blue in the middle fade, while the line of the error does not move.
# Then see which points of the cloud are the last to become right.
#
# <div data-widget="boundary" data-published="rings.json">
# <p>On the page's own site, and with JavaScript, here is the map of the three pictures above for any epoch, with the training points on it and a slider for the epoch.</p>
# </div>
#
# ## Which loss
#
# For probabilities the usual loss is [binary cross entropy](24_logistic_regression.py), not the squared error.
# The difference is in the gradient.
# Take a point of the cloud whose logit is 0, −1 or −8; with the last the network is sure, and wrong.

# %% tags=["predict"] ask="At the logit −8, which slope does the squared error have?" answers=["-1.9993", "-0.0007", "-0.5750"] why="Far from 0 the sigmoid is flat: moving the logit hardly moves the probability, however wrong that is."
cross_entropy = nn.BCEWithLogitsLoss()
criteria = {"squared error": squared_error, "cross entropy": cross_entropy}
for name, criterion in criteria.items():
    logits = torch.tensor([0.0, -1.0, -8.0], requires_grad=True)
    criterion(logits, torch.ones(3)).backward()
    slopes = 3 * logits.grad  # back from the mean over three points to each point
    print(name, " ".join(f"{slope:8.4f}" for slope in slopes.tolist()))

# %% [markdown]
# Where the network is sure and wrong, it learns hardly anything from the squared error.
# With cross entropy such a point pulls with nearly its full force, which is 1.
#
# Does that matter here?
# A smaller gradient can be made up for by a larger learning rate, so a fair comparison gives each loss several.
# We train with plain gradient descent, for at most 100 epochs, from three starts, and count the epochs until no point is wrong.


# %%
def epochs_needed(criterion, optimizer_class, rate):
    """For each of three starts, the epochs until no error is left; 101 for never."""
    needed = []
    for seed in [1, 2, 3]:
        _, _, errors = train(sizes, criterion, optimizer_class, rate, seed=seed)
        needed.append(len(errors) if errors[-1] == 0 else 101)
    return needed


rates = {
    "squared error": [0.1, 0.2, 0.5, 1.0, 2.0],
    "cross entropy": [0.1, 0.2, 0.5, 1.0],
}
needed = {}
for name, criterion in criteria.items():
    for rate in rates[name]:
        epochs = epochs_needed(criterion, torch.optim.SGD, rate)
        print(f"{name} at {rate}: {epochs}")
        needed[name, rate] = sum(epochs)
assert needed["squared error", 1.0] < needed["cross entropy", 0.1]
assert needed["cross entropy", 0.2] < needed["squared error", 0.2]

# %% [markdown]
# At 0.1 the squared error stays on the plateau, and one could blame the loss.
# But at 0.5 it gets through, as fast as cross entropy does at 0.2.
# The slopes say why: near the start the logits are near 0, where the squared error has half the gradient, and on the plateau, below −1, less than that.
# So here it costs a factor of two to two and a half in the rate, and nothing else: at its last rate each needs 10 to 19 epochs.
# At rates twice as large, [rounding](55_same_seed_other_numbers.py) begins to decide when a run gets there, so they are not shown.
# Cross entropy remains the better choice for what the slopes above show: where a network is sure and wrong, no rate makes up for a gradient of almost 0.
#
# ## Try it yourself
#
# **1.** Train with cross entropy and Adam, at its rate above, from the seeds 1, 2 and 3.
# Does the error reach 0 within 100 epochs?
# Call the three numbers of epochs `with_adam`, 101 where it does not.

# %% tags=["solution"]
with_adam = epochs_needed(cross_entropy, adam, learning_rate)
print("epochs with Adam:", with_adam)
assert sum(with_adam) < needed["squared error", 0.1]

# %% [markdown] tags=["solution"]
# It does, from each of the three starts.

# %% [markdown]
# **2.** How far does a network without hidden layers get?
# Its sizes are `[2, 1]`; call its errors, epoch by epoch, `line_errors`.

# %% tags=["solution"]
_, _, line_errors = train([2, 1], cross_entropy, adam, learning_rate)
print(f"error {line_errors[-1]:.3f}")
assert line_errors[-1] > 0.13

# %% [markdown] tags=["solution"]
# It does no better than to say "ring" to every point.

# %% [markdown]
# ## What next
#
# The [next page](36_diabetes.py) has real measurements in place of drawn points, and a recipe that stays on its plateau.
# Shapes that no line separates have been the classical test for hidden layers since 1969, when Minsky and Papert showed how little a network can do without them.
