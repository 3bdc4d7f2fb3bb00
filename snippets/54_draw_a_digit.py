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
# The network reads 98 % of MNIST's test digits.
# That it also reads *your* digits takes two things more: drawings must be brought into the form of MNIST, and training must show more kinds of digits and of pens than MNIST has.

# %%
import base64
import json
import math
import string
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
# The last 5,000 training digits are for choosing; the test digits wait until the end.

# %%
digits = mnist()
all_images = (digits.train_images / 255).to(device)  # (60000, 28, 28)
all_labels = digits.train_labels.to(device)  # (60000,)
train_images, valid_images = all_images.split([55_000, 5_000])
train_labels, valid_labels = all_labels.split([55_000, 5_000])
test_images = (digits.test_images / 255).to(device)  # (10000, 28, 28)
test_labels = digits.test_labels.to(device)  # (10000,)
print(f"train {tuple(train_images.shape)}, validation {tuple(valid_images.shape)}")

# %% [markdown]
# ## A network trained on MNIST as it is
#
# Two hidden layers; the first is kept small, because its weights are most of what a browser has to fetch.
# `change` is what happens to a batch of pictures before the network sees it: for now, nothing.
# The learning rate rises to a peak and falls again, as for the classifier that you know.

# %%
batch_size = 128


def train(change, peak_rate, num_epochs):
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
def accuracy(model, images, labels):
    """Share recognised of images made, in order, from the first digits with labels."""
    guess = model(images.to(device)).argmax(dim=1)
    return (guess == labels[: len(images)]).float().mean().item()


def as_it_is(images):
    """No change."""
    return images


# %% [markdown]
# One epoch each says which rate is good; the network itself gets eight.

# %%
num_epochs = 8  # enough: more bring little on validation digits
for rate in [0.05, 0.15, 0.3]:
    model = train(as_it_is, rate, num_epochs=1)
    print(f"rate {rate}: {accuracy(model, valid_images, valid_labels):.3f}")

plain_model = train(as_it_is, 0.15, num_epochs)
plain_accuracy = accuracy(plain_model, valid_images, valid_labels)
print(f"after {num_epochs} epochs: validation accuracy {plain_accuracy:.1%}")
assert plain_accuracy > 0.98

# %% [markdown]
# ## A sheet of paper is not a test digit
#
# You will draw large or small, in the middle or in a corner, and always with the pen of the box, which is 35 of its 420 pixels thick.
# To have many such drawings with known labels, we draw validation digits with such a pen.
# For this we need the middle of each line, the digit's **skeleton**.
# Peel the ink, layer by layer, by giving each pixel the least of its neighbours.
# Where a peeled layer cannot be grown back from what is left of the digit, there was the middle of a line.


# %%
box_side, box_pen = 420, 35  # pixels of the box above


def grow(ink):
    """The most of each pixel and its eight neighbours."""
    return F.max_pool2d(ink, 3, stride=1, padding=1)


def skeleton(image):
    """Places (n, 2) on the middle lines of a digit (28, 28), its longer side 1."""
    ink = (F.interpolate(image[None, None], (84, 84), mode="bilinear") > 0.5).float()
    lines = torch.zeros_like(ink)
    while ink.any():
        peeled = -grow(-ink)
        lines = torch.maximum(lines, ink - grow(peeled))
        ink = peeled
    places = lines[0, 0].nonzero().float()
    places = places - places.amin(dim=0)
    return places / places.max()


def draw(places, size):
    """A sheet (105, 105), a quarter of the box, with a digit of `size` in the box."""
    pen, side, size = box_pen / 4, box_side // 4, size / 4
    corner = pen / 2 + (side - size) * torch.rand(2)  # anywhere on the sheet
    rows, columns = (corner + places * (size - pen)).long().T
    sheet = torch.zeros(1, 1, side, side)
    sheet[0, 0, rows, columns] = 1
    distance = torch.arange(9) - 4
    disc = (distance**2 + distance[:, None] ** 2 <= (pen / 2) ** 2).float()
    return (F.conv2d(sheet, disc[None, None], padding=4)[0, 0] > 0).float()


# %% [markdown]
# Four sizes of the same 500 digits.
# The first thought is to shrink the sheet to 28 × 28 pixels, and the network can make little of that.

# %%
some = valid_images[:500].cpu()
skeletons = [skeleton(image) for image in some]
sizes = [360, 200, 140, 100]
sheets = {size: torch.stack([draw(s, size) for s in skeletons]) for size in sizes}
for size in sizes:
    shrunk = F.interpolate(sheets[size][:, None], (28, 28), mode="area").squeeze(1)
    score = accuracy(plain_model, shrunk, valid_labels)
    print(f"{size} pixels, shrunk: {score:.1%}")
assert score < plain_accuracy / 2

# %% [markdown]
# ## How the digits of MNIST were centred
#
# Its makers shrank each digit until the longer side was 20 pixels, and moved it until its centre of mass lay in the middle of 28 × 28.
# Both can be measured.
# What they took for the middle is 14.5, the middle of pixel 14, counted from 0: half a pixel beyond the middle of 28.


# %%
def extent(ink):
    """Length from the first to the last ink; ink (n,) per row or column."""
    where = ink.nonzero()
    return (where[-1] - where[0]).item() + 1


def centre_of_mass(ink):
    """Mean position of ink (n,), each pixel being counted at its middle."""
    return ((torch.arange(len(ink)) + 0.5) @ ink / ink.sum()).item()


down, across = some.sum(dim=2), some.sum(dim=1)
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
# `centre` shrinks digit and pen alike, and a small drawing less than a large one.

# %% tags=["predict"] ask="In the box the pen is 35 pixels thick. How thick is it, in pixels of MNIST, where the digit has 100 pixels?" answers=["a pen of 2.3", "a pen of 3.0", "a pen of 7.0"] why="The digit's 100 pixels become 20, so 5 pixels of the box become one, whatever is drawn with them."
for size in sizes:
    print(f"{size} pixels: a pen of {box_pen * 20 / size:.1f}")

# %% [markdown]
# One digit in the four sizes, above on the sheet, below as `centre` gives it to the network.

# %% alt="A digit drawn large to small; enlarged below, its lines grow thicker"
seen = {size: torch.stack([centre(x) for x in sheets[size]]) for size in sizes}
fig, axes = plt.subplots(2, 4, figsize=(5.5, 3), layout="constrained")
for (above, below), size in zip(axes.T, sizes):
    above.imshow(sheets[size][3].numpy(), cmap="gray")
    below.imshow(seen[size][3].numpy(), cmap="gray")
    above.set_title(f"{size} pixels")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %%
plain_scores = [accuracy(plain_model, seen[size], valid_labels) for size in sizes]
for size, score in zip(sizes, plain_scores):
    print(f"{size} pixels, centred: {score:.1%}")
assert plain_scores[0] > plain_accuracy - 0.05 and plain_scores[3] < plain_scores[0] / 2

# %% [markdown]
# Large drawings are read nearly as well as MNIST's own digits.
# Small ones are not: enlarged, they have thick lines.
#
# ## Training for more than MNIST
#
# So we change the training digits at random.
# A matrix near the identity turns, slants and stretches at once, as your sevens may lean the other way; `affine_grid` says where on the old picture each new pixel lies, and `grid_sample` looks there.
# The pen becomes thicker or thinner when each pixel takes the larger or the smaller of itself and its neighbours: up to a pixel thinner, up to four thicker.
# A thicker pen needs room, so the digit shrinks before.
# Eight digits share a matrix and a pen, which is cheaper than one of each for every digit.


# %%
def beside(images, pick, step=1):
    """Each pixel, or those beside it: what `pick` takes of them."""
    images = pick(images, images.roll(step, dims=1))
    return pick(images, images.roll(step, dims=2))


def distort(images, group=8):
    """Images (n, 28, 28), n a multiple of `group`, as other people may draw them."""
    groups = images.view(-1, group, 28, 28)
    pen = 5 * torch.rand(len(groups), 1, 1) ** 2 - 1  # pixels more; most often few
    limits = torch.tensor([0.2, 0.2, 0.1])  # of the matrix; of a shift
    maps = torch.eye(2, 3) + limits * (2 * torch.rand(len(groups), 2, 3) - 1)
    maps = maps * 20 / (20 - pen.clamp(min=0))  # larger maps make smaller digits
    grid = F.affine_grid(maps.to(device), groups.shape, align_corners=False)
    images = F.grid_sample(groups, grid, align_corners=False).view(-1, 28, 28)
    pen = pen.repeat_interleave(group, dim=0).to(device)  # (n, 1, 1)
    images = torch.lerp(images, beside(images, torch.minimum), (-pen).clamp(0, 1))
    for i in range(4):  # to one side, then to the other
        thicker = beside(images, torch.maximum, step=(-1) ** i)
        images = torch.lerp(images, thicker, (pen - i).clamp(0, 1))
    return images


# %% [markdown]
# Here is one digit, distorted eight times.

# %% alt="One digit eight times: upright, slanted, turned, in thin and in thick lines"
fig, axes = plt.subplots(1, 8, figsize=(7, 1), layout="constrained")
for ax in axes:
    copies = distort(train_images[:1].expand(8, 28, 28))
    ax.imshow(copies[0].cpu().numpy(), cmap="gray")
    ax.axis("off")
plt.show()

# %% [markdown]
# Again one epoch for each rate, and as many epochs as before at the best.

# %%
for rate in [0.05, 0.15, 0.3]:
    model = train(distort, rate, num_epochs=1)
    print(f"rate {rate}: {accuracy(model, valid_images, valid_labels):.3f}")

model = train(distort, 0.15, num_epochs)
scores = [accuracy(model, seen[size], valid_labels) for size in sizes]
for size, before, now in zip(sizes, plain_scores, scores):
    print(f"{size} pixels: {before:.1%} before, {now:.1%} now")
assert scores[3] > plain_scores[3] + 0.2 and scores[0] > 0.961

# %% [markdown]
# The smallest gain most.
# At 360 pixels the two are equal, as far as so few digits can tell.
#
# ## Result
#
# Both networks, for the first time, on the test digits as they are.

# %%
test_accuracy = accuracy(model, test_images, test_labels)
plain_accuracy = accuracy(plain_model, test_images, test_labels)
standard_error = math.sqrt(test_accuracy * (1 - test_accuracy) / len(test_labels))
print(f"test accuracy {plain_accuracy:.1%} before, {test_accuracy:.1%} now")
print(f"standard error {standard_error:.1%}")
assert test_accuracy > 0.979 and test_accuracy > plain_accuracy - 0.01

# %% [markdown]
# They are equal: what the new network has learned besides costs it nothing here.
#
# ## What the browser gets
#
# One file with everything: per layer the weights and the bias, and a test digit of each class as an example to start from.
# A weight takes 32 bits here; six are enough.
# The largest weight of a layer becomes 31 or −31, the others the nearest whole number in proportion, and the layer has one `scale` to multiply them by.
# That makes 63 different weights, and there are as many characters to write them with: small and capital letters, ten digits and a plus.
# A pixel has more values than that, so the bytes of the examples are written in base64, four characters for three bytes.


# %% tags=["predict"] ask="With 109,184 weights and 7,840 pixels, how large is the file?" answers=["94.3 kB", "121.8 kB", "158.2 kB"] why="A character of a file takes a byte, though six bits would do. Base64 is for the pixels only, and makes four characters of three of them."
characters = string.ascii_letters + string.digits + "+"  # for −31 to 31, in this order
assert len(characters) == 63


def as_text(tensor):
    """The bytes of a tensor in base64."""
    return base64.b64encode(tensor.cpu().numpy().tobytes()).decode("ascii")


@torch.no_grad()
def as_fields(layer):
    """A linear layer as JSON can hold it; the weights row by row, a row per output."""
    scale = layer.weight.abs().max() / 31
    places = (layer.weight / scale).round().int() + 31  # among the characters
    return {
        "shape": list(layer.weight.shape),
        "weights": "".join(characters[place] for place in places.flatten().tolist()),
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
def weights_and_bias(fields):
    """What `as_fields` wrote, as floats."""
    numbers = [characters.index(character) - 31 for character in fields["weights"]]
    weights = np.reshape(numbers, fields["shape"]) * fields["scale"]
    return weights, np.array(fields["bias"])


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
assert abs(np.mean(answers == labels) - test_accuracy) < 0.0018 and same > 0.995

example_bytes = base64.b64decode(published["examples"])
example_images = np.frombuffer(example_bytes, np.uint8).reshape(10, 28, 28) / 255
enlarged = np.kron(example_images, np.ones((1, 10, 10)))  # (10, 280, 280)
seen = np.stack([centre(torch.tensor(image).float()) for image in enlarged])
print("examples read as", *probabilities(layers, seen).argmax(axis=1))
assert list(probabilities(layers, seen).argmax(axis=1)) == list(range(10))

# %% [markdown]
# Six bits for each weight cost next to nothing.
#
# ## Try it yourself
#
# **1.** With four bits a weight is a whole number from −7 to 7.
# Are they enough?
# Call the `share` of test digits that are then still read right.

# %% tags=["solution"]
coarse = []
for weights, bias in layers:
    scale = np.abs(weights).max() / 7
    coarse.append((np.round(weights / scale) * scale, bias))
share = np.mean(probabilities(coarse, pixels).argmax(axis=1) == labels)
print(f"with four bits: test accuracy {share:.1%}")
assert share > test_accuracy - 0.02

# %% [markdown]
# **2.** The network knows ten digits and nothing else.
# What does it make of digits that lie on their side, and how sure is it?
# Call its accuracy `side_accuracy`, and the mean of its largest probabilities `mean_sureness`.

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
# A [convolutional network](45_convolutional_network.py) looks at neighbours, and [LeNet](46_lenet.py#in-the-browser) moves into the browser in the same way.
# Training on digits that have been distorted at random was made popular by Patrice Simard, Dave Steinkraus and John Platt in 2003.
# How MNIST was centred is told by its makers, Yann LeCun, Corinna Cortes and Christopher Burges.
