# ---
# jupyter:
#   page:
#     teaches:
#       C5: A batch with its labels
#     level: beginner
#     read_first: [32_mnist_data]
# ---

# %% [markdown]
# # The CIFAR-10 pictures
#
# CIFAR-10 is a collection of 60,000 small colour photographs of ten kinds of things, from airplanes to trucks.
# It is much harder than [MNIST](32_mnist_data.py): the same class can be seen from any side, in any colour, on any background.
# Before we train a network we look at what it will see, and measure what can be had without one: 10 % by guessing, 28 % by comparing with ten mean pictures.
# You should know images as tensors, from the page on MNIST.

# %%
import pickle
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import v2
from torchvision.utils import make_grid

from load import CIFAR10_CLASSES, cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# A picture has three **channels**, red, green and blue, of 32 × 32 pixels.
# PyTorch puts the channels first: (image, channel, row, column).
# The numbers are bytes.
#
# What is printed here was recorded with a copy of which every picture went through JPEG once, which moves most numbers a little.
# With the original pictures single numbers are others; `python load.py` says which copy you have.

# %%
data = cifar10()
for name, part in data._asdict().items():
    print(f"{name:12}  {str(tuple(part.shape)):21}  {part.dtype}")
assert data.train_images.shape == (50_000, 3, 32, 32)
assert len(data.train_images) + len(data.test_images) == 60_000
assert data.train_labels.max() == len(CIFAR10_CLASSES) - 1

# %% [markdown]
# A label is a number from 0 to 9, and stands for a name.

# %%
counts = data.train_labels.bincount()
for label, name in enumerate(CIFAR10_CLASSES):
    print(f"{label}  {name:10}  {counts[label]} pictures to train on")

# %% [markdown]
# ## One picture, three channels
#
# Matplotlib wants the channels last, so we permute the axes before we draw.
# The three grey pictures are the channels: light means much of that colour.

# %% alt="A picture in colour, and its red, green and blue channel in grey"
picture = data.train_images[1]  # (3, 32, 32)
pixel = picture[:, 0, 0]
print("the pixel in the upper left corner:", pixel.tolist())

fig, axes = plt.subplots(1, 4, figsize=(6, 1.8), layout="constrained")
axes[0].imshow(picture.permute(1, 2, 0).numpy())  # (32, 32, 3)
axes[0].set_title(CIFAR10_CLASSES[data.train_labels[1]])
for ax, channel, color in zip(axes[1:], picture, ["red", "green", "blue"]):
    ax.imshow(channel.numpy(), cmap="gray", vmin=0, vmax=255)
    ax.set_title(color)
for ax in axes:
    ax.axis("off")
plt.show()

# %% [markdown]
# ## From bytes to [−1, 1]
#
# A network learns best from numbers around zero.
# The old recipe maps 0 to −1 and 255 to 1.


# %% tags=["predict"] ask="What does the pixel [169, 169, 179] become?" answers=["[0.663, 0.663, 0.702]", "[0.325, 0.325, 0.404]", "[1.325, 1.325, 1.404]"] why="127.5, the middle of the bytes, becomes 0, and what is a little brighter becomes a small positive number."
def normalize(images):
    """Bytes from 0 to 255 as floats from -1 to 1."""
    return images.float() / 127.5 - 1


print("before:", pixel.tolist())
print("after: ", [round(value, 3) for value in normalize(pixel).tolist()])
assert (
    normalize(picture).min() >= -1 and normalize(picture).max() <= 1
)  # for every seed

# %% [markdown]
# torchvision has transforms for that: make a tensor of a picture, scale it to [0, 1], then subtract 0.5 and divide by 0.5.

# %%
transform = v2.Compose(
    [
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize(mean=[0.5] * 3, std=[0.5] * 3),
    ]
)

# %% [markdown]
# ## torchvision's class for it
#
# Old tutorials get the pictures with their transform from `torchvision.datasets.CIFAR10`:
#
# ```python
# train_set = datasets.CIFAR10("data", train=True, download=True, transform=transform)
# ```
#
# It downloads the original files, in which the pictures are pickled dictionaries, and checks that they are the original ones.
# To read such files without a download, we write the first 1,000 pictures in their format, and take off the check.


# %%
class SmallCIFAR10(datasets.CIFAR10):
    """torchvision's class for other files than the original ones."""

    base_folder = ""
    train_list, test_list = [["train", None]], [["test", None]]  # name and checksum
    meta = {"filename": "names", "key": "label_names", "md5": None}


pixels = data.train_images[:1000].flatten(1).numpy()  # (1000, 3072)
entry = {"data": pixels, "labels": data.train_labels[:1000].tolist()}
with tempfile.TemporaryDirectory() as folder:
    for name in ["train", "test"]:
        Path(folder, name).write_bytes(pickle.dumps(entry))
    Path(folder, "names").write_bytes(pickle.dumps({"label_names": CIFAR10_CLASSES}))
    train_set = SmallCIFAR10(folder, train=True, transform=transform)

# %% [markdown]
# The class holds pictures with the channels last, makes a PIL picture of each that is asked for, and transforms it.
# What comes out is what we have made ourselves, to the bit or nearly so.

# %%
print(f"{len(train_set)} pictures, {train_set.data.shape}")
image, label = train_set[1]
torch.testing.assert_close(image.as_subclass(torch.Tensor), normalize(picture))
assert train_set.classes[label] == CIFAR10_CLASSES[data.train_labels[1]]

# %% [markdown]
# ## A batch with its labels
#
# The old recipe takes four pictures at a time, in random order.
# A `DataLoader` draws them; its generator has a seed, so that the order is the same in every run.
# `make_grid` puts pictures side by side in one tensor; to draw them we undo the normalising.

# %% tags=["predict"] ask="What shape has `images`?" answers=["(4, 3, 32, 32)", "(4, 32, 32, 3)", "(3, 32, 32)"] why="`ToImage` moves the channels to the front, and the loader stacks four pictures along a new first axis." alt="Four pictures side by side, with the names of their classes above"
order = torch.Generator().manual_seed(0)
loader = DataLoader(train_set, batch_size=4, shuffle=True, generator=order)
images, labels = next(iter(loader))
print("images", tuple(images.shape), " labels", labels.tolist())
grid = make_grid((images + 1) / 2, padding=2)  # (3, 36, 138)

fig, ax = plt.subplots(figsize=(6, 1.9), layout="constrained")
ax.imshow(grid.permute(1, 2, 0).numpy())
ax.set_title("   ".join(CIFAR10_CLASSES[label] for label in labels))
ax.axis("off")
plt.show()

# %% [markdown]
# Now twelve of each class, one class per row.
# Look along a row for what all its pictures share, and for what none of them share.

# %% alt="A sheet of pictures: ten rows, one per class, of twelve pictures each"
rows = [data.train_images[data.train_labels == k][:12] for k in range(10)]
sheet = make_grid(torch.cat(rows), nrow=12, padding=0)  # (3, 320, 384)

fig, ax = plt.subplots(figsize=(6, 4.6))
ax.imshow(sheet.permute(1, 2, 0).numpy())
ax.set_yticks([32 * k + 16 for k in range(10)], CIFAR10_CLASSES)
ax.tick_params(left=False)
ax.set_xticks([])
ax.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# A digit has its strokes in much the same places each time; here nothing stays in its place.
# What makes a class is the shape of a thing, wherever it stands and whatever its colour.
#
# ## How bright, how varied
#
# Are the values centred on zero now?
# The mean and the standard deviation of each channel, over 10,000 of the training pictures:

# %%
sample = normalize(data.train_images[:10_000])
channel_std, channel_mean = torch.std_mean(sample, dim=(0, 2, 3))
for name, mean, std in zip(["red", "green", "blue"], channel_mean, channel_std):
    print(f"{name:5}  mean {mean:6.3f}  standard deviation {std:.3f}")
assert channel_mean.abs().max() < 0.5 and channel_std.max() < 1

# %% [markdown]
# Nearly, not exactly: each channel has its own mean, and a spread of about a half instead of one.
# From [the page on convolution](43_convolution.py) on we use these means and deviations in place of 0.5.
#
# ## What a class looks like on average
#
# The mean of all training pictures of a class is a picture again.
# Look for the colour of the middle and of the edges.

# %% alt="Ten blurred pictures, the mean of each class; their main colours differ"
class_means = torch.stack(
    [data.train_images[data.train_labels == k].float().mean(dim=0) for k in range(10)]
)  # (10, 3, 32, 32)

fig, axes = plt.subplots(2, 5, figsize=(6, 2.9), layout="constrained")
for ax, image, name in zip(axes.flat, class_means, CIFAR10_CLASSES):
    ax.imshow(image.permute(1, 2, 0).numpy() / 255)
    ax.set_title(name)
    ax.axis("off")
plt.show()

# %% [markdown]
# Details have averaged out, and only clouds of colour are left.
# Airplanes and ships have blue around them, animals stand before browns and greens, and cars and trucks leave the shadow of a box.
#
# ## Without a network
#
# The classes are equally frequent, so guessing is right one time in ten.
# A little better: compare a picture with the ten mean pictures, and take the class of the nearest.
# The distance is the usual one: the root of the sum of the squared differences, over all numbers of a picture.


# %%
def nearest_mean_accuracy(means, images, labels):
    """Share of images (n, values) whose nearest row of means (10, values) is theirs."""
    distances = torch.cdist(images, means)  # (n, 10)
    return (distances.argmin(dim=1) == labels).float().mean().item()


guessing = data.test_labels.bincount().max().item() / len(data.test_labels)
test_images = data.test_images.float().flatten(1).to(device)  # (10000, 3072)
test_labels = data.test_labels.to(device)
means = class_means.flatten(1).to(device)  # (10, 3072)
test_accuracy = nearest_mean_accuracy(means, test_images, test_labels)

print(f"always the same class: {guessing:.3f}")
print(f"nearest mean picture:  {test_accuracy:.3f}")
assert guessing < 0.12
assert test_accuracy > guessing + 0.03

# %% [markdown]
# Is it the colours?
# We replace each picture by its mean over the three channels and measure again.

# %% tags=["predict"] ask="With colour it was 0.278. And without?" answers=["0.200", "0.278", "0.248"] why="Where a picture is light and where it is dark is most of what the nearest mean goes by, but colour adds to it."
gray_images = test_images.unflatten(1, (3, -1)).mean(dim=1)  # (10000, 1024)
gray_means = means.unflatten(1, (3, -1)).mean(dim=1)  # (10, 1024)
gray_accuracy = nearest_mean_accuracy(gray_means, gray_images, test_labels)
print(f"without colour:        {gray_accuracy:.3f}")
assert gray_accuracy > (guessing + test_accuracy) / 2

# %% [markdown]
# Most of it is left, for this method: where a picture is bright and where it is dark says much even without colours.
# (It does not follow that colours say little.)
# The networks of this chapter must beat 0.278.
#
# ## Try it yourself
#
# **1.** Shuffle the pixels: put the 3072 numbers of every picture in another order, the same for all.
# What share of the test pictures does the nearest mean get right now: `shuffled_accuracy`?

# %% tags=["solution"]
shuffled = torch.randperm(3072).to(device)
shuffled_accuracy = nearest_mean_accuracy(
    means[:, shuffled], test_images[:, shuffled], test_labels
)
print(f"{shuffled_accuracy:.3f}")
assert abs(shuffled_accuracy - test_accuracy) < 1e-3

# %% [markdown] tags=["solution"]
# As many as before.
# This method, and the [network on the next page](42_fully_connected.py), do not know which pixels are neighbours.
# You would not recognise a single shuffled picture: neighbourhood is what you see by, and what [convolutions](43_convolution.py) will use.

# %% [markdown]
# **2.** And colour without place?
# Replace each picture, and each mean picture, by its mean red, green and blue, and call the accuracy `color_accuracy`.

# %% tags=["solution"]
color_images = test_images.unflatten(1, (3, -1)).mean(dim=2)  # (10000, 3)
color_means = means.unflatten(1, (3, -1)).mean(dim=2)  # (10, 3)
color_accuracy = nearest_mean_accuracy(color_means, color_images, test_labels)
print(f"{color_accuracy:.3f}")
assert guessing < color_accuracy < gray_accuracy

# %% [markdown]
# ## What next
#
# We have a number to beat.
# The [next page](42_fully_connected.py) trains a network with one hidden layer on these pictures.
# The collection is from Alex Krizhevsky's report "Learning Multiple Layers of Features from Tiny Images" (2009).
