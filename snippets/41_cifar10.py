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
# Before we train a network we look at what it will see, and measure what can be had without one: 10 % by guessing, more than a quarter by comparing colours.
# You should know images as tensors, from the page on MNIST.

# %%
import matplotlib.pyplot as plt
import torch
from torch.utils.data import DataLoader, TensorDataset
from torchvision.transforms import v2

from load import CIFAR10_CLASSES, cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# A picture has three **channels**, red, green and blue, of 32 × 32 pixels.
# PyTorch puts the channels first: (image, channel, row, column).
# The numbers are bytes, from 0 to 255.

# %%
data = cifar10()
for name, part in data._asdict().items():
    print(f"{name:12}  {str(tuple(part.shape)):21}  {part.dtype}")
assert data.train_images.shape == (50_000, 3, 32, 32)
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
# ## A batch with its labels
#
# An old recipe, to which we come back at the [end of the chapter](46_lenet.py), takes four pictures at a time, in random order.
# A `DataLoader` draws them; its generator has a seed, so that the order is the same in every run.

# %% alt="Four pictures side by side, each with the name of its class above"
order = torch.Generator().manual_seed(0)
train_set = TensorDataset(data.train_images, data.train_labels)
loader = DataLoader(train_set, batch_size=4, shuffle=True, generator=order)
images, labels = next(iter(loader))
print("images", tuple(images.shape), " labels", labels.tolist())

fig, axes = plt.subplots(1, 4, figsize=(6, 1.8), layout="constrained")
for ax, image, label in zip(axes, images, labels):
    ax.imshow(image.permute(1, 2, 0).numpy())
    ax.set_title(CIFAR10_CLASSES[label])
    ax.axis("off")
plt.show()

# %% [markdown]
# Now twelve of each class, one class per row.
# Look along a row for what all its pictures share, and for what none of them share.


# %% alt="A sheet of pictures: ten rows, one per class, of twelve pictures each"
def row_of(label, count=12):
    """The first pictures of a class, side by side: (32, 32 * count, 3)."""
    chosen = data.train_images[data.train_labels == label][:count]
    return chosen.permute(2, 0, 3, 1).flatten(1, 2)


sheet = torch.cat([row_of(label) for label in range(10)])

fig, ax = plt.subplots(figsize=(6, 4.6))
ax.imshow(sheet.numpy())
ax.set_yticks([32 * label + 16 for label in range(10)], CIFAR10_CLASSES)
ax.tick_params(left=False)
ax.set_xticks([])
ax.spines[:].set_visible(False)
plt.show()

# %% [markdown]
# A digit has its strokes in much the same places each time; here nothing stays in its place.
# What makes a class is the shape of a thing, wherever it stands and whatever its colour.
#
# ## From bytes to [−1, 1]
#
# A network learns best from numbers around zero.
# The old recipe maps 0 to −1 and 255 to 1.


# %%
def normalize(images):
    """Bytes from 0 to 255 as floats from -1 to 1."""
    return images.float() / 127.5 - 1


print("before:", pixel.tolist())
print("after: ", [round(value, 3) for value in normalize(pixel).tolist()])
assert normalize(images).min() >= -1 and normalize(images).max() <= 1  # for every seed

# %% [markdown]
# torchvision has transforms for that, in two steps: scale to [0, 1], then subtract 0.5 and divide by 0.5.
# Both ways agree.

# %%
transform = v2.Compose(
    [v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean=[0.5] * 3, std=[0.5] * 3)]
)
torch.testing.assert_close(transform(images), normalize(images))

# %% [markdown]
# To draw a normalised picture, undo it.
# Rounding gives back the very same bytes.

# %%
restored = ((normalize(images) + 1) * 127.5).round().byte()
assert torch.equal(restored, images)

# %% [markdown]
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
# The distance is the usual one: the root of the sum of the squared differences, over all 3072 numbers.


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
# That is what clouds of colour are worth.
# The networks of this chapter must beat it.
#
# ## Try it yourself
#
# **1.** Shuffle the pixels: put the 3072 numbers of every picture in another order, the same for all.
# How many test pictures does the nearest mean get right now?

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
# **2.** How much of the accuracy is colour?
# Replace each picture by its mean over the three channels and measure again.

# %% tags=["solution"]
gray_images = test_images.unflatten(1, (3, -1)).mean(dim=1)  # (10000, 1024)
gray_means = means.unflatten(1, (3, -1)).mean(dim=1)  # (10, 1024)
gray_accuracy = nearest_mean_accuracy(gray_means, gray_images, test_labels)
print(f"in grey {gray_accuracy:.3f}, in colour {test_accuracy:.3f}")

# %% [markdown]
# ## What next
#
# We have a number to beat.
# The [next page](42_fully_connected.py) trains a network with one hidden layer on these pictures.
# The collection is from Alex Krizhevsky's report "Learning Multiple Layers of Features from Tiny Images" (2009).
