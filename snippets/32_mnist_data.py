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
# You should know what a [mini-batch](25_batches.py) is.

# %%
import multiprocessing
import os
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
assert (len(train_set), len(test_set)) == (60_000, 10_000)

# %% [markdown]
# A data set is indexed like a list.
# An item is a pair: a picture, in the format of the imaging library Pillow, and its label, an integer.

# %%
picture, label = train_set[0]
print(f"picture: {type(picture).__name__}, {picture.width} × {picture.height} pixels")
print(f"label: {type(label).__name__}")
assert picture.size == (28, 28) and label == train_set.targets[0]

# %% [markdown]
# Here are 24 of them, each under its label.
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
# This one is made of two steps: the first makes a tensor of bytes, the second makes floats of them, with 255 becoming 1.
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
#
# Its **workers** are extra processes that prepare the next batches while the model is busy with this one.
# On Linux, until Python 3.13, a worker is a copy of this process, made by forking.
# Elsewhere it is a fresh Python that first imports the script again, which would start everything twice, so there we do without.

# %%
batch_size = 32
num_workers = 0
if multiprocessing.get_start_method() == "fork":
    num_workers = min(2, len(os.sched_getaffinity(0)))  # no more than processors
    # Python 3.12 and 3.13 warn of forking beside other threads.
    warnings.filterwarnings("ignore", ".*fork", DeprecationWarning)

train_loader = DataLoader(
    train_set, batch_size=batch_size, shuffle=True, num_workers=num_workers
)
test_loader = DataLoader(test_set, batch_size=batch_size, num_workers=num_workers)
print(f"{len(train_loader)} batches to train on, {len(test_loader)} to test on")
assert len(train_loader) * batch_size == len(train_set)

# %% [markdown]
# A `for` loop over a loader gets the images and the labels of one batch at a time.
# To see one batch without a loop, ask for an iterator, which starts the workers, and take its next item.
# The old spelling `iter(loader).next()` is gone; `next` is a function.

# %%
batches = iter(train_loader)
assert len(multiprocessing.active_children()) == num_workers
images, labels = next(batches)
del batches  # and with it the workers
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
train_images = digits.train_images.to(device)
train_labels = digits.train_labels.to(device)

num_batches = 0
for rows in torch.randperm(len(train_images)).to(device).split(batch_size):
    images = train_images[rows].unsqueeze(1) / 255  # (batch, 1, 28, 28)
    labels = train_labels[rows]  # (batch,)
    num_batches += 1
print(f"{num_batches} batches of shape {tuple(images.shape)}")
assert num_batches == len(train_loader) and images.max() == 1

# %% [markdown]
# Which of the two?
# Tensors in memory, when the set fits and all images are treated alike: nothing is converted, stacked or sent to another process over and over.
# A loader with workers, when the set does not fit, or when the work differs from image to image, such as decoding a JPEG.
#
# ## Mean and standard deviation
#
# Training goes better when the inputs are centred on 0 and spread by about 1.
# So many programs subtract the mean of the training pixels and divide by their standard deviation.
# On the original digits these are the `0.1307` and `0.3081` that you will meet in other people's code.

# %%
pixels = digits.train_images / 255  # (60000, 28, 28)
mean, std = pixels.mean().item(), pixels.std().item()
print(f"mean {mean:.4f}, standard deviation {std:.4f}")
assert 0.05 < mean < 0.25 and 0.2 < std < 0.4

# %% [markdown]
# As a transform, this would be a third step in `Compose`.
# Here we apply it to all test images at once.
# Their mean comes out near 0, not at 0: the two numbers are those of the training set, since the test set must not shape what we do.

# %%
normalise = v2.Normalize(mean=[mean], std=[std])
normalised = normalise(test_images)
print(f"mean {normalised.mean():.3f}, standard deviation {normalised.std():.3f}")
assert torch.allclose(normalised, (test_images - mean) / std, atol=1e-5)
assert abs(normalised.mean()) < 0.2 and abs(normalised.std() - 1) < 0.2

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
# Count each digit of the training set.

# %% tags=["solution"]
counts = digits.train_labels.bincount()
for digit, share in enumerate(counts / counts.sum()):
    print(f"{digit}: {share:.1%}")
assert counts.sum() == 60_000 and counts.min() > 5000

# %% [markdown]
# **2.** `v2.RandomAffine` turns and shifts a picture by a random amount.
# Apply it ten times to one digit.

# %% tags=["solution"] alt="One digit ten times, each copy turned and moved differently"
wobble = v2.RandomAffine(degrees=20, translate=(0.1, 0.1))
image, _ = train_set[0]  # (1, 28, 28)
fig, axes = plt.subplots(2, 5, figsize=(5.5, 2.3), layout="constrained")
for ax in axes.flat:
    ax.imshow(wobble(image).squeeze(0).numpy(), cmap="gray")
    ax.axis("off")
plt.show()

# %% [markdown]
# ## What next
#
# The digits are ready.
# On the [next page](33_mnist_logistic_regression.py) one linear layer learns to read them.
# MNIST is by Yann LeCun, Corinna Cortes and Christopher Burges, who made it in the 1990s from forms filled in by pupils and by census clerks.
