# ---
# jupyter:
#   page:
#     teaches:
#       C8: What torchvision offers
#       D5: Two sets
#       D6: Two old names
#     level: beginner
#     read_first: [25_batches]
# ---

# %% [markdown]
# # The MNIST digits
#
# MNIST is a collection of 70,000 handwritten digits, each a grey picture of 28 × 28 pixels.
# Here we get it from torchvision, turn pictures into tensors, and read them in shuffled batches.
# Then we do the same in three lines with the whole set in memory, and check that both give the same numbers.
# At the end we set digits aside on which recipes will be chosen, and see what choosing does to a score.
# You should know what a [mini-batch](25_batches.py) is.

# %%
import warnings

import matplotlib.pyplot as plt
import torch
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import v2

from load import mnist, mnist_root

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## What torchvision offers
#
# torchvision can read several dozen collections of pictures, and downloads many of them.
# Each is a class in `torchvision.datasets`, and most are used in the same way.
# A few of them, by what they are good for:

# %%
collections = {
    "small, ten classes": ["MNIST", "FashionMNIST", "KMNIST", "CIFAR10"],
    "more classes, or larger": ["EMNIST", "CIFAR100", "Food101", "ImageNet"],
    "what is where": ["CocoDetection", "VOCSegmentation", "Cityscapes"],
    "your own, a folder per class": ["ImageFolder"],
}
for purpose, names in collections.items():
    print(f"{purpose}:\n   ", *names)
    assert all(hasattr(datasets, name) for name in names)

# %% [markdown]
# ## Two sets
#
# MNIST comes in two parts: one to train on, one to test on.
# We pass the folder in which the files lie.
# In a program of your own, name any folder and add `download=True`: the first run fetches the files, later runs find them.

# %%
train_set = datasets.MNIST(mnist_root(), train=True)
test_set = datasets.MNIST(mnist_root(), train=False)
print(f"{len(train_set):,} to train on, {len(test_set):,} to test on")
assert len(train_set) == 60_000 and len(train_set) + len(test_set) == 70_000

# %% [markdown]
# A data set is indexed like a list.
# An item is a pair: a picture, in the format of the imaging library Pillow, and its label, an integer.

# %%
picture, label = train_set[0]
print(f"picture: {type(picture).__name__}, {picture.width} × {picture.height} pixels")
print(f"label: {type(label).__name__}")
assert picture.size == (28, 28) and label == train_set.targets[0]

# %% [markdown]
# Here are a few of them, each under its label.
# Notice how many ways there are to write the same digit.

# %% alt="Handwritten digits in three rows of eight, each with its label above"
fig, axes = plt.subplots(3, 8, figsize=(5.5, 2.7), layout="constrained")
for ax, (picture, label) in zip(axes.flat, train_set):
    ax.imshow(picture, cmap="gray")
    ax.set_title(label)
    ax.axis("off")
plt.show()

# %% [markdown]
# ## From picture to tensor
#
# A model wants tensors of floats, not pictures.
# A **transform** is what a data set does to each picture on its way out.
# This one is made of two steps: the first makes a tensor of bytes, the second makes floats of them, divided by the largest number that a byte holds.
# Older programs write `ToTensor()`, which does both at once.

# %%
to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])

train_set = datasets.MNIST(mnist_root(), train=True, transform=to_tensor)
test_set = datasets.MNIST(mnist_root(), train=False, transform=to_tensor)
image, label = train_set[0]
print(f"shape {tuple(image.shape)}: (channel, row, column)")
print(f"{image.dtype}, from {image.min():.1f} to {image.max():.1f}")
assert image.shape == (1, 28, 28) and image.min() == 0 and image.max() <= 1
assert label == train_set.targets[0]

# %% [markdown]
# ## Batches
#
# A `DataLoader` draws items from a data set and stacks them.
# It shuffles what we train on, so that every epoch has other batches; the test set needs no shuffling.
# With `num_workers`, [workers](27_data_sets.py) would prepare the batches; for pictures as small as these we do without.

# %% tags=["predict"] ask="10,000 test digits in batches of 32: how many batches?" answers=["312", "313", "320"] why="The digits that are left over at the end make a batch, too, a smaller one."
batch_size = 32
train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
test_loader = DataLoader(test_set, batch_size=batch_size)
print(f"{len(train_loader)} batches to train on, {len(test_loader)} to test on")
assert len(train_loader) * batch_size == len(train_set)

# %% [markdown]
# A `for` loop over a loader gets the images and the labels of one batch at a time.
# To see one batch without a loop, ask for an iterator and take its next item.
# The old spelling `iter(loader).next()` is gone; `next` is a function.

# %% tags=["predict"] ask="What shape do the labels of a batch have?" answers=["(32, 1)", "(32, 10)", "(32,)"] why="Each item has one integer as its label, and stacking integers gives a single dimension."
images, labels = next(iter(train_loader))
print(f"images {tuple(images.shape)}, labels {tuple(labels.shape)}")
print(f"the first eight: {labels[:8].tolist()}")
assert images.shape == (batch_size, 1, 28, 28)

# %% [markdown]
# Now one round over all the test batches.
# We count the images and add up their pixels, for the mean.

# %%
num_images, pixel_sum = 0, 0.0
for images, labels in test_loader:
    num_images += len(images)
    pixel_sum += images.double().sum().item()

test_mean = pixel_sum / (num_images * 28 * 28)
print(f"{num_images:,} images, {len(images)} of them in the last batch")
print(f"test pixels: mean {test_mean:.4f}")
assert num_images == len(test_set)

# %% [markdown]
# ## The whole set as one tensor
#
# That was a lot of machinery for a small set.
# All the training pictures, at one byte per pixel, take 47 MB.
# They fit in memory, and torchvision holds them there already, in `data` and `targets`.
# Our own `mnist()` returns those tensors for both sets, and the pages that follow use it.

# %%
digits = mnist()
print(f"{digits.train_images.dtype} {tuple(digits.train_images.shape)}")
print(f"{digits.train_labels.dtype} {tuple(digits.train_labels.shape)}")
print(f"{digits.train_images.nbytes / 1e6:.0f} MB")
assert torch.equal(digits.train_images, train_set.data)
assert torch.equal(digits.train_labels, train_set.targets)

# %% [markdown]
# The transform, for all the images at once, is one division.
# We check it against the loader: the same mean of the test set, and the same first batch.

# %%
test_images = digits.test_images.unsqueeze(1) / 255  # (10000, 1, 28, 28)
print(f"test pixels: mean {test_images.double().mean():.4f}")

images, labels = next(iter(test_loader))
assert abs(test_images.double().mean() - test_mean) < 1e-6
assert torch.allclose(images, test_images[:batch_size])
assert torch.equal(labels, digits.test_labels[:batch_size])

# %% [markdown]
# A shuffled round over the training set is a random order, cut into pieces.
# Indexing with a piece gives a batch, and no process has to be started for it.
# If there is a GPU, the whole set can move there once, instead of batch by batch.

# %%
all_images = digits.train_images.to(device)
all_labels = digits.train_labels.to(device)

num_batches = 0
for rows in torch.randperm(len(all_images)).to(device).split(batch_size):
    images = all_images[rows].unsqueeze(1) / 255  # (batch, 1, 28, 28)
    labels = all_labels[rows]  # (batch,)
    num_batches += 1
print(f"{num_batches} batches of shape {tuple(images.shape)}")
assert num_batches == len(train_loader) and images.max() == 1

# %% [markdown]
# Which of the two?
# Tensors in memory, when the set fits and all images are treated alike: nothing is converted and stacked over and over.
# A loader with workers, when the set does not fit, or when the work differs from image to image, such as decoding a JPEG.
#
# ## Mean and standard deviation
#
# Many programs centre the inputs on 0 and spread them by about 1: they subtract the mean of the training pixels and divide by their standard deviation.
# A learning rate then suits more data sets; the next page does without, [a later one](37_mnist_deep_classifier.py) does it.
# On the original digits these are the `0.1307` and `0.3081` that you will meet in other people's code.

# %%
pixels = digits.train_images / 255  # (60000, 28, 28)
mean, std = pixels.mean().item(), pixels.std().item()
print(f"mean {mean:.4f}, standard deviation {std:.4f}")
assert 0.05 < mean < 0.25 and 0.2 < std < 0.4

# %% [markdown]
# ## A third set
#
# On the pages that follow we try several recipes and keep the one with the highest accuracy.
# Accuracy on which digits?
# Not on those that the model was trained on: it may know them by heart.
# Not on the test digits either, and here is why.
# A thousand programs that guess at random are tried on 5,000 digits; the luckiest is kept, and guesses on.

# %% tags=["predict"] ask="What share of new digits does the luckiest of 1,000 guessers get right?" answers=["on new digits: 10.0%", "on new digits: 10.8%", "on new digits: 9.1%"] why="Its lead came from being chosen: it still guesses, and of ten digits one is right."
guesses = torch.randint(10, (1000, 5_000))
right = (guesses == digits.train_labels[-5_000:]).float().mean(dim=1)  # (1000,)
luckiest = right.max().item()
print(f"all {len(right)}: {right.mean():.1%}, the luckiest: {luckiest:.1%}")

new_guesses = torch.randint(10, (10_000,))
on_new_digits = (new_guesses == digits.test_labels).float().mean().item()
print(f"the luckiest on new digits: {on_new_digits:.1%}")
assert luckiest > on_new_digits

# %% [markdown]
# A score by which something was chosen is no longer an honest score of what was chosen.
# So there are three sets:
#
# - the **training set**, on which weights are fitted;
# - the **validation set**, on which recipes are compared and chosen: learning rates, epochs, sizes;
# - the **test set**, which is looked at once, at the end, and chooses nothing.
#
# MNIST has no validation set, so we take the last 5,000 training digits for it.
# These two lines will stand on the pages that follow.

# %%
train_images, valid_images = digits.train_images.split([55_000, 5_000])
train_labels, valid_labels = digits.train_labels.split([55_000, 5_000])
print(f"{len(train_images):,} to train on, {len(valid_images):,} to choose on")
print(f"{len(digits.test_images):,} to test on, once")
assert torch.equal(torch.cat([train_labels, valid_labels]), digits.train_labels)

# %% [markdown]
# ## Two old names
#
# An old tutorial reads `train_data` and `train_labels`.
# These names still work, with a warning that gives the new ones.

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    old_images, old_labels = train_set.train_data, train_set.train_labels
for warning in caught:
    print(f"{warning.category.__name__}: {warning.message}")
assert torch.equal(old_images, train_set.data)

# %% [markdown]
# ## Try it yourself
#
# **1.** Are there as many zeros as ones?
# Count each digit of the training set: `counts`, a tensor of ten numbers.

# %% tags=["solution"]
counts = digits.train_labels.bincount()
for digit, share in enumerate(counts / counts.sum()):
    print(f"{digit}: {share:.1%}")
assert counts.sum() == 60_000 and counts.min() > 5000
assert counts[1] == (digits.train_labels == 1).sum()

# %% [markdown] tags=["solution"]
# There are not: the shares differ by more than a point.

# %% [markdown]
# **2.** `v2.RandomAffine` turns and shifts a picture by a random amount.
# Apply it ten times to one digit, and collect the ten `copies`.

# %% tags=["solution"] alt="One digit ten times, each copy turned and moved differently"
wobble = v2.RandomAffine(degrees=20, translate=(0.1, 0.1))
image, _ = train_set[0]  # (1, 28, 28)
copies = [wobble(image) for _ in range(10)]
fig, axes = plt.subplots(2, 5, figsize=(5.5, 2.3), layout="constrained")
for ax, copy in zip(axes.flat, copies):
    ax.imshow(copy.squeeze(0).numpy(), cmap="gray")
    ax.axis("off")
plt.show()
assert len(copies) == 10 and not torch.equal(copies[0], copies[1])

# %% [markdown]
# ## What next
#
# The digits are ready.
# On the [next page](33_mnist_logistic_regression.py) one linear layer learns to read them.
# MNIST is by Yann LeCun, Corinna Cortes and Christopher Burges, who made it in the 1990s from forms filled in by pupils and by census clerks.
