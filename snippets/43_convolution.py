# ---
# jupyter:
#   page:
#     teaches:
#       E11: The old recipe
#     level: intermediate
#     read_first: [42_fully_connected]
#     result: test_accuracy
#     source_result: 0.45
# ---

# %% [markdown]
# # A convolution
#
# A fully connected unit looks at the whole picture and is tied to its place.
# A **convolution** looks at a few pixels at a time, with the same weights everywhere.
# With one such layer in front, and more hidden units behind it, an old tutorial gets from 39 % to 45 % of the [CIFAR-10](41_cifar10.py) test pictures, and we get above 55 %.
# You should know the [fully connected network](42_fully_connected.py), whose training recipe we take over.

# %%
import math

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

from load import CIFAR10_CLASSES, cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# As before, all pictures stay in memory, as bytes.
# One thing is new.
# Scaled to [−1, 1], the pixels [do not quite average to zero](41_cifar10.py), and they vary by less than one.
# To **standardise** them we subtract the mean of each channel and divide by its standard deviation.

# %%
data = cifar10()
train_images, train_labels = data.train_images.to(device), data.train_labels.to(device)
test_images, test_labels = data.test_images.to(device), data.test_labels.to(device)

sample = train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(sample, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    return (images.float() - channel_mean) / channel_std


standardized = standardize(sample)
assert standardized.mean().abs() < 0.01 and abs(standardized.std() - 1) < 0.01

# %% [markdown]
# ## A filter, by hand
#
# Take a small table of weights, a **filter** or kernel.
# Lay it over a patch of the picture, multiply each weight with the pixel below it, and add up.
# Then move it by one pixel and do the same again.
# This filter subtracts what is on its left from what is on its right, so it answers to vertical edges.

# %%
upright_edges = torch.tensor([[-1.0, 0.0, 1.0]] * 3)  # (3, 3)
picture = data.test_images[3].float().mean(dim=0) / 255  # grey, (32, 32)

by_hand = torch.empty(30, 30)
for row in range(30):
    for column in range(30):
        patch = picture[row : row + 3, column : column + 3]
        by_hand[row, column] = (patch * upright_edges).sum()

# %% [markdown]
# The filter has 30 places in each direction, so 32 × 32 pixels become 30 × 30 answers, a **feature map**.
# PyTorch does it in one call, for many pictures, channels and filters at once, which is why it wants four dimensions.
# (In mathematics a convolution turns the filter around first, and what we do is a cross-correlation. For weights that are learned it makes no difference.)

# %%
filters = torch.stack([upright_edges, upright_edges.T])[:, None]  # (2, 1, 3, 3)
maps = F.conv2d(picture[None, None], filters)  # (1, 2, 30, 30)
print(tuple(maps.shape))
torch.testing.assert_close(maps[0, 0], by_hand)

# %% [markdown]
# The second filter is the first one turned, for level edges.
# Light and dark are edges, grey is where nothing changes.

# %% alt="A grey picture, and two maps in which its upright and its level edges stand out"
fig, axes = plt.subplots(1, 3, figsize=(6, 2.4), layout="constrained")
titles = [CIFAR10_CLASSES[data.test_labels[3]], "upright edges", "level edges"]
for ax, image, title in zip(axes, [picture, *maps[0]], titles):
    ax.imshow(image.numpy(), cmap="gray")
    ax.set_title(title)
    ax.axis("off")
plt.show()

# %% [markdown]
# What the filter finds does not depend on the place.
# If the picture moves, its feature map moves with it, apart from the edge where new pixels come in.

# %%
moved = picture.roll(4, dims=1)
moved_maps = F.conv2d(moved[None, None], filters)
torch.testing.assert_close(moved_maps[..., 4:], maps[..., :-4])

# %% [markdown]
# ## The network
#
# In a network the weights of the filters are learned.
# The old network has six filters of 5 × 5 pixels over the three channels, and then two linear layers.


# %%
def network(activation):
    """One convolution and two linear layers; picture (3, 32, 32) to 10 logits."""
    return nn.Sequential(
        nn.Conv2d(3, 6, kernel_size=5),  # (batch, 6, 28, 28)
        activation,
        nn.Flatten(),  # (batch, 4704)
        nn.Linear(6 * 28 * 28, 120),
        activation,
        nn.Linear(120, 10),
    ).to(device)


model = network(nn.Sigmoid())
x = torch.zeros(1, 3, 32, 32, device=device)
for layer in model:
    x = layer(x)
    num_parameters = sum(p.numel() for p in layer.parameters())
    print(f"{type(layer).__name__:8} {str(tuple(x.shape)):16} {num_parameters:8,}")
assert model[0].weight.numel() == 6 * 3 * 5 * 5 and x.shape == (1, 10)

# %% [markdown]
# The last column counts parameters.
# The convolution has 456 of them, for 4704 outputs: that is what sharing the weights saves.
# Nearly all the others sit in the linear layer behind it.
#
# ## The old recipe
#
# The old tutorial used sigmoids, batches of 4, a learning rate of 0.1 and three epochs.
# Here are 3000 pictures of it, a fiftieth, but standardised.
# The training function is that of the [page before](42_fully_connected.py).
# For each batch:
#
# 1. make floats of its pictures, and mirror half of them if `flips` is true;
# 2. logits, loss;
# 3. gradients, step, next learning rate.


# %%
def train(model, num_images, batch_size, optimizer, scheduler=None, flips=False):
    """Train on so many pictures, in random order; return the mean loss."""
    model.train()
    losses = []
    for batch in torch.randperm(len(train_images))[:num_images].split(batch_size):
        images = standardize(train_images[batch.to(device)])
        if flips:
            mirror = torch.rand(len(batch), 1, 1, 1) < 0.5
            images = torch.where(mirror.to(device), images.flip(3), images)
        loss = F.cross_entropy(model(images), train_labels[batch.to(device)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(loss.detach())
    return torch.stack(losses).mean().item()


@torch.no_grad()
def accuracy(model):
    """Share of the test pictures that a model gets right."""
    model.eval()
    correct = 0
    for images, labels in zip(test_images.split(500), test_labels.split(500)):
        correct += (model(standardize(images)).argmax(dim=1) == labels).sum().item()
    return correct / len(test_labels)


# %% [markdown]
# First with the sigmoids, then with ReLU in their place and the smaller learning rate that it needs.

# %%
results = {}
for name, activation, learning_rate in [
    ("old recipe", nn.Sigmoid(), 0.1),
    ("ReLU", nn.ReLU(), 0.01),
]:
    torch.manual_seed(0)
    model = network(activation)
    train(model, 3000, 4, torch.optim.SGD(model.parameters(), lr=learning_rate))
    results[name] = accuracy(model)
    print(f"{name:10} {results[name]:.3f}")

# %% [markdown]
# Now the recipe from the page before: batches of 128, AdamW, a one-cycle schedule.
# It goes through three times as many pictures, as they cost less in large batches.

# %%
torch.manual_seed(0)
model = network(nn.ReLU())
optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
num_steps = math.ceil(9000 / 128)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, num_steps)
train(model, 9000, 128, optimizer, scheduler)
results["new recipe"] = accuracy(model)
print(f"new recipe {results['new recipe']:.3f}")
assert results["new recipe"] > results["old recipe"]

# %% [markdown]
# ## Training
#
# The same for three epochs, with half of the pictures mirrored.

# %%
num_epochs = 3
batch_size = 128
max_learning_rate = 0.005

torch.manual_seed(0)
model = network(nn.ReLU())
optimizer = torch.optim.AdamW(model.parameters(), lr=max_learning_rate)
num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_learning_rate, num_steps)
for epoch in range(num_epochs):
    loss = train(model, len(train_images), batch_size, optimizer, scheduler, flips=True)
    print(f"epoch {epoch + 1}  mean loss {loss:.2f}")

# %% [markdown]
# ## Result

# %%
test_accuracy = accuracy(model)
results["three epochs"] = test_accuracy
for name, value in results.items():
    print(f"{name:12} {value:.2f}")
assert test_accuracy > 0.55

# %% [markdown]
# ## What it learned
#
# A filter over three channels is a small colour picture.
# Above are the six filters, below them what they make of the picture in which we looked for edges, after ReLU.
# Light is where a filter has found what it looks for.

# %% alt="Six filters as pictures of 5 by 5 pixels, and below them their feature maps"
weights = model[0].weight.detach().cpu()  # (6, 3, 5, 5)
low, high = weights.amin((1, 2, 3)), weights.amax((1, 2, 3))
filters = (weights - low[:, None, None, None]) / (high - low)[:, None, None, None]
with torch.no_grad():
    maps = model[:2](standardize(test_images[3:4]))[0].cpu()  # (6, 28, 28)

fig, axes = plt.subplots(2, 6, figsize=(7, 2.5), layout="constrained")
for (above, below), image, feature_map in zip(axes.T, filters, maps):
    above.imshow(image.permute(1, 2, 0).numpy())
    below.imshow(feature_map.numpy(), cmap="gray")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %% [markdown]
# Some answer to edges of one direction, others to whole areas that are light or of one colour.
# Nobody chose them: they are what lowered the loss.
#
# ## Try it yourself
#
# **1.** A fully connected layer could do what the convolution does, from 3072 inputs to 4704 outputs.
# How many weights would it have?

# %% tags=["solution"]
connected = 3072 * 4704
shared = model[0].weight.numel()
print(f"{connected:,} instead of {shared}: {connected // shared:,} times as many")
assert connected == (3 * 32 * 32) * (6 * 28 * 28)

# %% [markdown]
# **2.** Shift the test pictures by 4 pixels, as on the page before.
# The feature maps move along with the picture; does the accuracy stay?

# %% tags=["solution"]
original_images = test_images
test_images = original_images.roll(4, dims=3)
print(f"{accuracy(model):.3f}, unshifted {test_accuracy:.3f}")
test_images = original_images

# %% [markdown] tags=["solution"]
# It does not.
# The linear layer behind the convolution is tied to places again: it has weights of its own for each of the 4704 values.

# %% [markdown]
# ## What next
#
# Most of the parameters, and much of the work, are in the linear layer that follows the convolution.
# The [next page](44_pooling.py) makes its input four times smaller.
# Layers of shared filters go back to Fukushima's Neocognitron (1980), and learning them by gradient descent to LeCun and others (1989).
