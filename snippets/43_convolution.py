# ---
# jupyter:
#   page:
#     teaches:
#       E11: The old recipe
#     level: intermediate
#     read_first: [42_fully_connected]
#     result: test_accuracy
#     source_result: 0.45
#     publishes: [convolution.json]
#     cites:
#       "39 %": reported without a convolution
#       "0.1": the old recipe's learning rate
#       "4": the old recipe's batch size
#       "0.007": the least of 18 trials with other seeds
#       "0.025": the most of them
#       "18": of nineteen trials with other seeds
# ---

# %% [markdown]
# # A convolution
#
# A fully connected unit looks at the whole picture and is tied to its place.
# A **convolution** looks at a few pixels at a time, with the same weights everywhere.
# We work one out by hand, see what it costs, and put it in front of a [fully connected network](42_fully_connected.py).
# That takes it from 41 % of the test pictures to 46 %; how much of that would have come from more parameters alone?

# %%
import json
import math
import statistics
import time
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle
from torch import nn
from torch.nn import functional as F

from load import CIFAR10_CLASSES, cifar10

# %%
torch.manual_seed(0)
torch.set_num_threads(1)  # times are compared below
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# We train on 10,000 of the [CIFAR-10](41_cifar10.py) pictures, so that many runs take little time.
# The last 5,000 training pictures are set aside for choosing, and the test pictures for the end.
# Scaled to [−1, 1], the pixels do not quite average to zero.
# To **standardise** them we subtract the mean of each channel and divide by its standard deviation.

# %%
data = cifar10()
pixels = data.train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(pixels, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    return ((images.float() - channel_mean) / channel_std).to(device)


train_images = standardize(data.train_images[:10_000])  # (10000, 3, 32, 32)
train_labels = data.train_labels[:10_000].to(device)
valid_images = standardize(data.train_images[-5_000:])
valid_labels = data.train_labels[-5_000:].to(device)
test_images, test_labels = standardize(data.test_images), data.test_labels.to(device)
assert train_images.mean().abs() < 1e-3 and abs(train_images.std() - 1) < 1e-3

# %% [markdown]
# ## A filter, by hand
#
# Take a small table of weights, a **filter** or kernel.
# Lay it over a patch of the picture, multiply each weight with the pixel below it, add up, and move on by one pixel.
# (In mathematics a convolution turns the filter by half a turn first; without that it is called cross-correlation. Networks learn their filters, so they leave the turn out and keep the name.)
# This filter subtracts what is on its left from what is on its right, so it answers to upright edges.

# %%
upright_edges = torch.tensor([[-1.0, 0.0, 1.0]] * 3)  # (3, 3)
picture = data.test_images[3].float().mean(dim=0) / 255  # grey, (32, 32)

by_hand = torch.empty(30, 30)
for row in range(30):
    for column in range(30):
        patch = picture[row : row + 3, column : column + 3]
        by_hand[row, column] = (patch * upright_edges).sum()

# %% [markdown]
# The filter has 30 places in each direction, so the picture becomes 30 × 30 answers, a **feature map**.
# PyTorch does it for many pictures, channels and filters at once, so it wants four dimensions.

# %%
filters = torch.stack([upright_edges, upright_edges.T])[:, None]  # (2, 1, 3, 3)
maps = F.conv2d(picture[None, None], filters)  # (1, 2, 30, 30)
torch.testing.assert_close(maps[0, 0], by_hand)

# %% [markdown]
# The second filter is the first one turned, for level edges.
# The square in the picture is a window under the filter, and the dot in each map is its answer.
# Light and dark are edges, grey is where nothing changes.

# %% alt="A grey picture with a small square on it; two maps, each with a dot, show edges"
fig, axes = plt.subplots(1, 3, figsize=(6, 2.4), layout="constrained")
titles = [CIFAR10_CLASSES[data.test_labels[3]], "upright edges", "level edges"]
for ax, image, title in zip(axes, [picture, *maps[0]], titles):
    ax.imshow(image.numpy(), cmap="gray")
    ax.set(title=title, xticks=[], yticks=[])
    if ax is not axes[0]:
        ax.plot([14], [12], "o", color="tab:red", markersize=4)  # column, row
axes[0].add_patch(Rectangle((13.5, 11.5), 3, 3, fill=False, color="tab:red"))
plt.show()

# %% [markdown]
# ## A slice for each channel
#
# On a colour picture a filter has a slice of weights for each input channel, and its answer is the sum over all slices, plus a bias.
# Here is one answer of the last of six filters, worked out.

# %%
layer = nn.Conv2d(3, 6, kernel_size=5)  # weights (6, 3, 5, 5)
image = train_images[:1].cpu()  # (1, 3, 32, 32)
window = image[0, :, 10:15, 20:25]  # (3, 5, 5): rows 10 to 14, columns 20 to 24
slices = [(window[c] * layer.weight[5, c]).sum() for c in range(3)]
answer = sum(slices) + layer.bias[5]
torch.testing.assert_close(answer, layer(image)[0, 5, 10, 20])

# %% [markdown]
# So each filter has one weight for each channel, row and column of its window, and one bias.
# A convolution on top of ten maps has filters of ten slices.

# %% tags=["predict"] ask="How many parameters have 6 filters of 5 x 5 on 3 channels?" answers=["156 parameters", "456 parameters", "357,504 parameters"] why="Each filter has a slice for each channel, and one bias; it is the same filter at all places of the picture."
for channels, num_filters in [(3, 6), (3, 10), (10, 20)]:
    layer = nn.Conv2d(channels, num_filters, kernel_size=5)
    count = sum(p.numel() for p in layer.parameters())
    assert count == num_filters * (channels * 5 * 5 + 1)
    print(f"{channels:2} channels, {num_filters:2} filters: {count:,} parameters")

# %% [markdown]
# ## Padding and stride
#
# A filter of $k$ pixels has $n - k + 1$ places on $n$ pixels.
# **Padding** puts $p$ rows and columns of zeros around the picture, so that it has places at the edge as well.
# A **stride** of $s$ moves it by $s$ pixels at a time.
# Together they leave $\lfloor (n + 2p - k) / s \rfloor + 1$ places, where the brackets mean: rounded down.

# %% tags=["predict"] ask="What size does a filter of 3 with padding 1 and stride 2 leave?" answers=["15 x 15", "17 x 17", "16 x 16"] why="A stride of 2 halves the number of places; a last row that is too little for another one is left over."
for k, p, s in [(5, 0, 1), (5, 2, 1), (5, 0, 2), (3, 1, 2)]:
    size = (32 + 2 * p - k) // s + 1
    layer = nn.Conv2d(3, 6, kernel_size=k, padding=p, stride=s)
    assert layer(image).shape == (1, 6, size, size)
    print(f"filter {k}, padding {p}, stride {s}: {size} x {size}")

# %% [markdown]
# ## The network
#
# The old network has six filters of 5 × 5 pixels, and then two linear layers.
# Beside it we put three without a convolution: the network of the page before, with 25 units; the old network's linear layers, with 120; and one with 184 units, which has about as many parameters as the whole old network.


# %%
def connected(units, inputs=3 * 32 * 32):
    """Two linear layers: inputs of any shape to 10 logits."""
    layers = nn.Linear(inputs, units), nn.ReLU(), nn.Linear(units, 10)
    return nn.Sequential(nn.Flatten(), *layers)


def convolution():
    """A convolution, to (batch, 6, 28, 28), and two linear layers."""
    return nn.Sequential(
        nn.Conv2d(3, 6, kernel_size=5), nn.ReLU(), *connected(120, 6 * 28 * 28)
    )


networks = {f"{units} units": partial(connected, units) for units in [25, 120, 184]}
networks["convolution"] = convolution

# %% [markdown]
# ## The old recipe
#
# It trains this network with sigmoids, batches of 4 and a learning rate of 0.1 for three epochs, and reports 45 % of the test pictures, after 39 % for 25 units without a convolution.
# Here we take the recipe of the page before instead, the same for all four networks: ReLU, batches of 128, AdamW, a one-cycle schedule.
# For each batch: logits, loss, gradients, step, next learning rate.


# %%
def trained(network, learning_rate, seed, num_epochs=2, batch_size=128):
    """A new network, trained from this seed."""
    torch.manual_seed(seed)
    model = network().to(device)
    num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, num_steps, cycle_momentum=False
    )
    for epoch in range(num_epochs):
        for batch in torch.randperm(len(train_images)).split(batch_size):
            loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, images, labels):
    """Share of the pictures that a model gets right."""
    answers = torch.cat([model(part).argmax(dim=1) for part in images.split(500)])
    return (answers == labels).float().mean().item()


# %% [markdown]
# Each network gets its own learning rate, the best of four on the pictures set aside.
# We also note how much time of the processor the training takes: a convolution has few weights, but it uses each of them at 28 × 28 places.

# %%
rates = [0.001, 0.003, 0.01, 0.03]
best_rates, seconds = {}, {}
print(*(f"{rate:5}" for rate in rates), " learning rate")
for name, network in networks.items():
    scores = []
    for rate in rates:
        started = time.process_time()
        model = trained(network, rate, seed=0)
        seconds[name] = time.process_time() - started
        scores.append(accuracy(model, valid_images, valid_labels))
    best_rates[name] = rates[scores.index(max(scores))]
    count = sum(p.numel() for p in model.parameters())
    print(*(f"{score:5.2f}" for score in scores), f" {name}, {count:,} parameters")
if device.type == "cpu":  # a GPU works while the processor goes on
    assert seconds["convolution"] > 2 * seconds["25 units"]

# %% [markdown]
# An old tutorial says that convolutions make training "a lot longer".
# On the CPU this network takes more than 2 times as long as the 25 units that it follows there, for the same pictures.
# Not all of that is the convolution: the 120 units behind it are more than 25, too.
#
# ## Result
#
# Now the test pictures, which had no part in this so far.
# Each network is trained anew from three other seeds; behind ± is the standard deviation over them.

# %%
means = {}
for name, network in networks.items():
    runs = []
    for seed in [1, 2, 3]:
        model = trained(network, best_rates[name], seed)
        runs.append(accuracy(model, test_images, test_labels))
    means[name] = statistics.mean(runs)
    print(f"{means[name]:.3f} ± {statistics.stdev(runs):.3f}  {name}")
test_accuracy = means["convolution"]
standard_error = math.sqrt(test_accuracy * (1 - test_accuracy) / len(test_labels))
print(f"standard error of one run {standard_error:.3f}")
left = means["convolution"] - means["184 units"]
print(f"left to the convolution {left:.3f}")
assert means["184 units"] > means["25 units"]
assert left > 0  # for this seed

# %% [markdown]
# The convolution, with its 120 units behind it, brings the 0.409 of 25 units to about 0.464.
# But 120 units without it reach 0.439, and 184 units, with about as many parameters as its whole network, 0.446.
# So two thirds of the gain are not the convolution's.
# About 0.017 are left to it, two to three standard errors of a difference, which are [the root of 2 times](38_how_sure_can_we_be.py) that of one run.
# Are they luck?
# We ran the page with nineteen other seeds: 18 times 0.007 to 0.025 were left to the convolution, and once nothing.
#
# ## What it learned
#
# A filter over three channels is a small colour picture.
# Nobody chose these six: they are what lowered the loss.
# Below each is what it makes of the picture in which we looked for edges; light is where it found what it looks for.

# %% alt="Six filters as pictures of 5 by 5 pixels, and below them their feature maps"
weights = model[0].weight.detach().cpu()  # (6, 3, 5, 5)
low, high = weights.amin((1, 2, 3), True), weights.amax((1, 2, 3), True)
with torch.no_grad():
    maps = model[:2](test_images[3:4])[0].cpu()  # (6, 28, 28)

colors = (weights - low) / (high - low)
fig, axes = plt.subplots(2, 6, figsize=(7, 2.5), layout="constrained")
for (above, below), color, feature_map in zip(axes.T, colors, maps):
    above.imshow(color.permute(1, 2, 0).numpy())
    below.imshow(feature_map.numpy(), cmap="gray")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %% [markdown]
# ## Play with it
#
# A file takes the picture, as bytes, and the six filters with their biases into your browser.
# Four decimals are enough: what the file says gives the maps of the figure above.

# %%
published = {
    "picture": data.test_images[3].tolist(),  # (3, 32, 32)
    "channel_mean": [round(value, 3) for value in channel_mean.flatten().tolist()],
    "channel_std": [round(value, 3) for value in channel_std.flatten().tolist()],
    "filters": weights.double().round(decimals=4).tolist(),  # (6, 3, 5, 5)
    "biases": [round(value, 4) for value in model[0].bias.tolist()],
}
num_characters = Path("convolution.json").write_text(json.dumps(published))
from_file = torch.tensor(published["filters"]), torch.tensor(published["biases"])
again = F.conv2d(test_images[3:4].cpu(), *from_file).relu()[0]  # (6, 28, 28)
# 75 weights, each rounded by at most 0.00005, times pixels below 2.2
assert num_characters < 40_000 and (again - maps).abs().max() < 0.01  # for every seed

# %% [markdown]
# Move a filter over the picture with the mouse, a finger or the arrow keys, and see how the products add up to one place of the map.
# It starts where the first figure has its square and its dot; the small colour pictures are the learned filters, slice by slice.
# Try padding and stride at the edges of the picture, then set the nine weights yourself: with which does the filter answer to slanted edges?
#
# <div data-widget="convolution" data-published="convolution.json">
# <p>On the page's own site, and with JavaScript, here is the picture with a filter to move over it: the patch, the weights, their products, and the place in the map that the sum fills.</p>
# </div>

# %% [markdown]
# ## Try it yourself
#
# **1.** A fully connected layer could do what the convolution does, from 3072 inputs to 4704 outputs.
# How many `times` as many weights would it have as the convolution, rounded down to a whole number?

# %% tags=["solution"]
times = (3 * 32 * 32) * (6 * 28 * 28) // model[0].weight.numel()
print(f"{times:,} times as many")
assert times == 3072 * 4704 // 450

# %% [markdown]
# **2.** Shift the pictures set aside by 4 pixels, as on the page before.
# The feature maps move along with the picture; does the accuracy stay?
# Call it `shifted`, and that of the pictures as they are `unshifted`.

# %% tags=["solution"]
moved_maps = F.conv2d(picture.roll(4, dims=1)[None, None], filters)
torch.testing.assert_close(moved_maps[0, 0, :, 4:], by_hand[:, :-4])
unshifted = accuracy(model, valid_images, valid_labels)
shifted = accuracy(model, valid_images.roll(4, dims=3), valid_labels)
print(f"{shifted:.2f}, unshifted {unshifted:.2f}")
assert shifted < unshifted

# %% [markdown] tags=["solution"]
# It does not.
# The linear layer behind the convolution is tied to places again: it has weights of its own for each of the 4704 values.

# %% [markdown]
# ## What next
#
# Most of the parameters are in the linear layer that follows the convolution.
# The [next page](44_pooling.py) makes its input four times smaller.
# Layers of shared filters go back to Fukushima's Neocognitron (1980), and learning them by gradient descent to LeCun and others (1989).
