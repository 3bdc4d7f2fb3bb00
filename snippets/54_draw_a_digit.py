# ---
# jupyter:
#   page:
#     teaches: {}
#     level: intermediate
#     read_first: [37_mnist_deep_classifier]
#     result: test_accuracy
#     publishes: [digit_classifier.json]
# ---

# %% [markdown]
# # Draw a digit
#
# Here a small network learns to read what you draw, and moves into your browser.
# The box below is that network: this page trained it, wrote its weights to a file, and your browser computes with them.
# Nothing that you draw leaves your machine.
# You should know the [classifier for MNIST](37_mnist_deep_classifier.py).
#
# <div data-widget="draw-a-digit" data-published="digit_classifier.json">
# <p>On the page's own site, and with JavaScript, here is a box to draw a digit in, with the chances of each digit beside it.</p>
# </div>
#
# The network gets more than 97.5 % of MNIST's test digits right.
# That it also reads *your* digits takes two things more: drawings must be brought into the form of MNIST, and training must show more kinds of digits than MNIST has.

# %%
import base64
import json
import math
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from load import mnist

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# The inputs run from 0, paper, to 1, ink, which a browser can compute as easily as PyTorch.

# %%
digits = mnist()
train_images = (digits.train_images / 255).to(device)  # (60000, 28, 28)
train_labels = digits.train_labels.to(device)  # (60000,)
test_images = (digits.test_images / 255).to(device)  # (10000, 28, 28)
test_labels = digits.test_labels.to(device)  # (10000,)
print(f"train {tuple(train_images.shape)}, test {tuple(test_images.shape)}")

# %% [markdown]
# ## A network trained on MNIST as it is
#
# Two hidden layers; the first is kept small, because its weights are most of what a browser has to fetch.
# `change` is what happens to a batch of pictures before the network sees it: for now, nothing.
# The learning rate rises to a peak and falls again, as for the classifier that you know.

# %%
batch_size = 128
peak_rate = 0.15


def train(num_epochs, change):
    """A model trained by SGD on changed pictures."""
    torch.manual_seed(0)
    hidden = [nn.Linear(28 * 28, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()]
    model = nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, 10)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=peak_rate, momentum=0.9)
    num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak_rate, num_steps, pct_start=0.2, cycle_momentum=False
    )
    for epoch in range(num_epochs):
        for rows in torch.randperm(len(train_images)).to(device).split(batch_size):
            logits = model(change(train_images[rows]))  # (batch, 10)
            loss = F.cross_entropy(logits, train_labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, images):
    """Share recognised of images made, in order, from the first test digits."""
    guess = model(images.to(device)).argmax(dim=1)
    return (guess == test_labels[: len(images)]).float().mean().item()


# %%
plain_model = train(num_epochs=2, change=lambda images: images)
print(f"test accuracy {accuracy(plain_model, test_images):.1%}")
assert accuracy(plain_model, test_images) > 0.97

# %% [markdown]
# ## A sheet of paper is not a test digit
#
# You will draw large or small, in the middle or in a corner.
# To have many such drawings with known labels, we put test digits in random sizes at random places of a sheet.
# The first thought is to shrink the sheet to 28 × 28 pixels, and the network can make little of that.


# %%
def on_a_sheet(image):
    """A digit (28, 28) in a random size, at a random place of a sheet (112, 112)."""
    size = torch.randint(28, 85, ()).item()
    top, left = torch.randint(113 - size, (2,)).tolist()
    larger = F.interpolate(image[None, None], (size, size), mode="bilinear")
    sheet = torch.zeros(112, 112)
    sheet[top : top + size, left : left + size] = larger[0, 0]
    return sheet


sheets = torch.stack([on_a_sheet(image) for image in test_images[:1000].cpu()])
shrunk = F.avg_pool2d(sheets, 4)  # (1000, 28, 28)
print(f"accuracy on shrunk sheets {accuracy(plain_model, shrunk):.1%}")
assert accuracy(plain_model, shrunk) < 0.18

# %% [markdown]
# ## How the digits of MNIST were centred
#
# Its makers shrank each digit until the longer side was 20 pixels, and moved it until its centre of mass lay in the middle of 28 × 28.
# Both can be measured.
# That middle is 14.5, the middle of pixel 14, counted from 0.


# %%
def extent(ink):
    """Length from the first to the last ink; ink (n,) per row or column."""
    where = ink.nonzero()
    return (where[-1] - where[0]).item() + 1


def centre_of_mass(ink):
    """Mean position of ink (n,), each pixel being counted at its middle."""
    return ((torch.arange(len(ink)) + 0.5) @ ink / ink.sum()).item()


down, across = test_images[:1000].cpu().sum(dim=2), test_images[:1000].cpu().sum(dim=1)
sides = [max(extent(rows), extent(columns)) for rows, columns in zip(down, across)]
centres = [centre_of_mass(columns) for columns in across]
print(f"longer side {np.mean(sides):.1f}, centre of mass {np.mean(centres):.1f}")
assert 18 < np.mean(sides) < 22 and 13.5 < np.mean(centres) < 15

# %% [markdown]
# To do the same to a drawing, lay a grid of 28 × 28 windows over it.
# A window is as wide as a twentieth of the digit's longer side, and the grid lies so that the centre of mass falls on 14.5.
# A pixel of the result is the mean ink in its window.
# The share of every row in every window is a matrix, and so is that of the columns: two matrix products do it all.


# %%
def windows(ink, width):
    """Share of each of n rows in 28 windows around the centre of mass, (28, n)."""
    edges = centre_of_mass(ink) + width * (torch.arange(29) - 14.5)
    rows = torch.arange(len(ink))
    start = torch.maximum(edges[:-1, None], rows)  # of what window and row share
    stop = torch.minimum(edges[1:, None], rows + 1)
    return (stop - start).clamp(min=0) / width


def centre(drawing):
    """A drawing (height, width), not empty, in the form of MNIST: (28, 28)."""
    down, across = drawing.sum(dim=1), drawing.sum(dim=0)
    width = max(extent(down), extent(across)) / 20
    return windows(down, width) @ drawing @ windows(across, width).T


# %% [markdown]
# Six sheets, and below them what `centre` makes of each.

# %% alt="Six digits on sheets, small and off the middle; below, centred and alike in size"
fig, axes = plt.subplots(2, 6, figsize=(7, 2.6), layout="constrained")
for (above, below), sheet in zip(axes.T, sheets):
    above.imshow(sheet.numpy(), cmap="gray")
    below.imshow(centre(sheet).numpy(), cmap="gray")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %% [markdown]
# The same network, without another step of training, reads the centred sheets nearly as well as the test digits.

# %%
centred = torch.stack([centre(sheet) for sheet in sheets])  # (1000, 28, 28)
print(f"accuracy on centred sheets {accuracy(plain_model, centred):.1%}")
assert accuracy(plain_model, centred) > accuracy(plain_model, test_images) - 0.05

# %% [markdown]
# ## Training for more than MNIST
#
# Place and size are taken care of; slant, proportion and pen are not.
# MNIST was written with a pen on a form; you draw with a finger or a mouse, and your sevens may lean the other way.
# So we change the training digits at random.
# A matrix near the identity turns, slants and stretches at once; `affine_grid` says where on the old picture each new pixel lies, and `grid_sample` looks there.
# The pen becomes thicker or thinner when each pixel takes the larger or the smaller of itself and its neighbours.
# Eight digits share a matrix, which costs a fraction of one for each.


# %%
def distort(images, group=8):
    """Images (n, 28, 28), n a multiple of `group`, as other people may draw them."""
    groups = images.view(-1, group, 28, 28)
    limits = torch.tensor([0.25, 0.25, 0.1])  # of the matrix; of a shift
    maps = torch.eye(2, 3) + limits * (2 * torch.rand(len(groups), 2, 3) - 1)
    grid = F.affine_grid(maps.to(device), groups.shape, align_corners=False)
    images = F.grid_sample(groups, grid, align_corners=False).view(-1, 28, 28)
    amount = 2 * torch.rand(()).item() - 1  # of pen: up to a pixel more, or less
    pick = torch.maximum if amount > 0 else torch.minimum
    wider = pick(images, images.roll(1, dims=1))
    wider = pick(wider, wider.roll(1, dims=2))
    return torch.lerp(images, wider, abs(amount))


# %% [markdown]
# Here is one digit, distorted eight times.

# %% alt="One digit eight times: upright, slanted, turned, in thin and in thick lines"
same_digit = train_images[:1].expand(8, 28, 28)
fig, axes = plt.subplots(1, 8, figsize=(7, 1), layout="constrained")
for ax in axes:
    ax.imshow(distort(same_digit)[0].cpu().numpy(), cmap="gray")
    ax.axis("off")
plt.show()

# %% [markdown]
# How well does the network from above read test digits that have been changed in this way, and how well does one that has been trained on such?

# %%
distorted = torch.cat([distort(images) for images in test_images.split(200)])
print(f"accuracy on distorted digits {accuracy(plain_model, distorted):.1%}")
model = train(num_epochs=6, change=distort)
print(f"after training on such {accuracy(model, distorted):.1%}")
assert accuracy(model, distorted) > accuracy(plain_model, distorted) + 0.05

# %% [markdown]
# ## Result
#
# On the test digits as they are, it has lost nothing by that.

# %%
plain_accuracy = accuracy(plain_model, test_images)
test_accuracy = accuracy(model, test_images)
print(f"test accuracy {plain_accuracy:.1%} before, {test_accuracy:.1%} now")
assert test_accuracy > 0.975 and test_accuracy > plain_accuracy - 0.005

# %% [markdown]
# ## What the browser gets
#
# One file with everything: per layer the weights and the bias, and a test digit of each class as an example to start from.
# A weight takes four bytes here; one is enough.
# The largest weight of a layer becomes 127 or −127, the others the nearest whole number in proportion, and the layer has one `scale` to multiply them by.
# JSON has no bytes, so they are written in base64, four characters for three bytes.


# %%
def as_text(tensor):
    """The bytes of a tensor in base64."""
    return base64.b64encode(tensor.cpu().numpy().tobytes()).decode("ascii")


@torch.no_grad()
def as_fields(layer):
    """A linear layer as JSON can hold it; the weights row by row, a row per output."""
    scale = layer.weight.abs().max() / 127
    return {
        "shape": list(layer.weight.shape),
        "weights": as_text((layer.weight / scale).round().to(torch.int8)),
        "scale": scale.item(),
        "bias": [round(value, 5) for value in layer.bias.tolist()],
    }


with torch.no_grad():
    sureness, guess = model(test_images).softmax(dim=1).max(dim=1)
good = (guess == test_labels) & (sureness > 0.95)
examples = [(good & (test_labels == digit)).nonzero()[0].item() for digit in range(10)]
classifier = {
    "layers": [as_fields(layer) for layer in model if isinstance(layer, nn.Linear)],
    "examples": as_text(digits.test_images[examples]),  # (10, 28, 28), from 0 to 9
}
file = Path("digit_classifier.json")
num_characters = file.write_text(json.dumps(classifier))
print(f"{num_characters / 1000:.1f} kB")
assert num_characters < 200_000

# %% [markdown]
# ## Is it the same network?
#
# The browser knows no PyTorch, so we read the file without it.
# Each layer is a matrix product and a bias; negative values become zero, except in the last layer, whose logits go through a softmax.
# The script in your browser is these lines, and `centre`, written in JavaScript.
# It shows the examples enlarged, so we enlarge them, too, before we centre and read them.


# %%
def from_text(text, dtype, shape):
    """The array whose bytes stand in a base64 text."""
    return np.frombuffer(base64.b64decode(text), dtype).reshape(shape)


def weights_and_bias(fields):
    """What `as_fields` wrote, as floats."""
    weights = from_text(fields["weights"], np.int8, fields["shape"])
    return weights * fields["scale"], np.array(fields["bias"])


def probabilities(layers, images):
    """Chance of each digit (n, 10) for images (n, 28, 28) between 0 and 1."""
    values = images.reshape(-1, 28 * 28)
    for weights, bias in layers[:-1]:
        values = np.maximum(values @ weights.T + bias, 0)
    weights, bias = layers[-1]
    logits = values @ weights.T + bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


# %%
published = json.loads(file.read_text())
layers = [weights_and_bias(fields) for fields in published["layers"]]
pixels, labels = test_images.cpu().numpy(), test_labels.cpu().numpy()
answers = probabilities(layers, pixels).argmax(axis=1)  # (10000,)
same = np.mean(answers == guess.cpu().numpy())
print(f"test accuracy from the file {np.mean(answers == labels):.1%}")
print(f"the same answer for {same:.2%} of the test digits")
assert abs(np.mean(answers == labels) - test_accuracy) < 1e-3 and same > 0.99

example_images = from_text(published["examples"], np.uint8, (10, 28, 28)) / 255
enlarged = np.kron(example_images, np.ones((1, 10, 10)))  # (10, 280, 280)
seen = np.stack([centre(torch.tensor(image).float()) for image in enlarged])
print("examples read as", *probabilities(layers, seen).argmax(axis=1))
assert list(probabilities(layers, seen).argmax(axis=1)) == list(range(10))

# %% [markdown]
# A byte per weight costs next to nothing.
#
# ## Try it yourself
#
# **1.** With four bits a weight is a whole number from −7 to 7, with three from −3 to 3.
# Are they enough?

# %% tags=["solution"]
share = {}
for largest in [7, 3]:
    coarse = []
    for weights, bias in layers:
        scale = np.abs(weights).max() / largest
        coarse.append((np.round(weights / scale) * scale, bias))
    share[largest] = np.mean(probabilities(coarse, pixels).argmax(axis=1) == labels)
print(f"with four bits: test accuracy {share[7]:.1%}")
print("three bits cost more than three points:", bool(share[7] - share[3] > 0.03))
assert share[7] > 0.976 and share[7] - share[3] > 0.01

# %% [markdown] tags=["solution"]
# Four are.
# What three leave depends on where each weight happened to end: the same training with another last bit gives another figure.
# So we print a bound, and no figure.

# %% [markdown]
# **2.** The network knows ten digits and nothing else.
# What does it make of digits that lie on their side, and how sure is it?

# %% tags=["solution"]
chances = probabilities(layers, np.rot90(pixels, axes=(1, 2)))
side_accuracy = np.mean(chances.argmax(axis=1) == labels)
mean_sureness = chances.max(axis=1).mean()
print(f"accuracy {side_accuracy:.1%}, mean sureness {mean_sureness:.1%}")
assert mean_sureness > side_accuracy + 0.2

# %% [markdown] tags=["solution"]
# The chances add up to one, whatever the picture: there is no way to say "none of these".
# Draw a letter in the box to see the same.

# %% [markdown]
# ## What next
#
# The network looks at pixels in a row.
# A [convolutional network](45_convolutional_network.py) looks at neighbours, and could move into the browser in the same way.
# Training on digits that have been distorted at random was made popular by Patrice Simard, Dave Steinkraus and John Platt in 2003.
# How MNIST was centred is told by its makers, Yann LeCun, Corinna Cortes and Christopher Burges.
