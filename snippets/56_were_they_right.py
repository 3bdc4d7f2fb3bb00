# ---
# jupyter:
#   page:
#     teaches:
#       E16: Claims without a figure
#     level: intermediate
#     read_first: [38_how_sure_can_we_be, 48_side_by_side]
#     time_limit: 7200
#     cites:
#       "61 %": reported for two convolutions
#       "62 %": reported for two convolutions, in its second script
#       "0.58": measured on another processor
#       "46": epochs of the rings' plateau, as reported
#       "65": epochs until the rings were learned, as reported
# ---

# %% [markdown]
# # Were they right?
#
# The old tutorials behind this site report figures, and make claims without figures.
# Other pages cut their recipes short, to compare many.
# Here each is run whole: all of its epochs, in its own small batches.
# The reported accuracies come out within two points, one of them within four; of the claims one does not hold, and one is too small for us to see.
# This page takes minutes, most of them for one network, and it needs [how sure a figure is](38_how_sure_can_we_be.py) and the [networks for pictures](48_side_by_side.py).

# %%
import math
import statistics
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from load import cifar10, mnist

# %%
torch.manual_seed(0)
torch.set_num_threads(1)  # times are compared below
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## One loop for all
#
# The steps are those of the sources: shuffle, logits, loss, gradients, step.
# All pictures lie in memory, which changes no number and saves the time of files and loaders.
# Nothing is chosen on this page, so the test set only reports.


# %%
def train(model, optimizer, images, labels, num_epochs, batch_size):
    """Cross entropy, in shuffled batches."""
    for epoch in range(num_epochs):
        for batch in torch.randperm(len(images)).split(batch_size):
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@torch.no_grad()
def accuracy(model, images, labels):
    """Share of the pictures that a model gets right."""
    answers = torch.cat([model(part).argmax(dim=1) for part in images.split(500)])
    return (answers == labels).float().mean().item()


# %% [markdown]
# One function makes all the networks: convolutions, then linear layers, the activation behind each.
# In most of the old recipes it stands behind the last layer too, on the logits.
# That is a [mistake](51_mistakes.py), and it stays in, since it is part of what was reported.


# %%
def network(filters, sizes, activation, pool=True, on_logits=True):
    """5 × 5 convolutions with so many filters, linear layers of these sizes."""
    layers, channels = [], 3
    for count in filters:
        layers += [nn.Conv2d(channels, count, kernel_size=5), activation()]
        layers += [nn.MaxPool2d(2)] if pool else []
        channels = count
    layers.append(nn.Flatten())
    for size_in, size_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(size_in, size_out), activation()]
    return nn.Sequential(*(layers if on_logits else layers[:-1])).to(device)


# %% [markdown]
# A result is a mean over seeds, and its ± their standard deviation.
# Where there is time for one seed only, ± is the [standard error](38_how_sure_can_we_be.py) that the number of test pictures leaves.

# %%
results = {}


def report(name, runs):
    """Keep and print the test accuracies of all runs of a recipe."""
    mean = statistics.mean(runs)
    standard_error = math.sqrt(mean * (1 - mean) / len(test_labels))
    deviation = statistics.stdev(runs) if len(runs) > 1 else standard_error
    results[name] = mean, deviation
    print(f"{mean:.3f} ± {deviation:.3f}  {name}, seeds: {len(runs)}")


# %% [markdown]
# ## Pictures
#
# [CIFAR-10](41_cifar10.py) as numbers from −1 to 1; with it come the [digits](32_mnist_data.py), for later.

# %%
pictures, digits = cifar10(), mnist()
train_images = (pictures.train_images / 127.5 - 1).to(device)  # (50000, 3, 32, 32)
test_images = (pictures.test_images / 127.5 - 1).to(device)
train_labels = pictures.train_labels.to(device)
test_labels = pictures.test_labels.to(device)

# %% [markdown]
# Four recipes with a figure: three networks with sigmoids for three epochs, and one with ReLU for 25.
# The fifth, a [LeNet](46_lenet.py) with momentum, came without one.
# All take batches of four.

# %%
reported = {
    "25 units": 0.39,
    "convolution": 0.45,
    "with pooling": 0.45,
    "two convolutions": 0.62,  # by one script; 0.61 by the other
}
makers = {
    "25 units": lambda: network([], [3072, 25, 10], nn.Sigmoid),
    "convolution": lambda: network([6], [4704, 120, 10], nn.Sigmoid, pool=False),
    "with pooling": lambda: network([6], [1176, 120, 10], nn.Sigmoid),
    "two convolutions": lambda: network([10, 20], [500, 120, 10], nn.ReLU),
    "LeNet": lambda: network([6, 16], [400, 120, 84, 10], nn.ReLU, on_logits=False),
}
recipes = {  # learning rate, momentum, epochs, seeds
    "25 units": (0.1, 0.0, 3, [1, 2, 3]),
    "convolution": (0.1, 0.0, 3, [1]),
    "with pooling": (0.1, 0.0, 3, [1]),
    "two convolutions": (0.01, 0.0, 25, [1]),
    "LeNet": (0.001, 0.9, 2, [1]),
}

# %% [markdown]
# In batches of four, oneDNN, which computes convolutions on most processors, spends as much time on preparing as it saves, or more.
# We turn it off.

# %%
torch.backends.mkldnn.enabled = False
for name, (learning_rate, momentum, num_epochs, seeds) in recipes.items():
    runs = []
    for seed in seeds:
        torch.manual_seed(seed)
        model = makers[name]()
        optimizer = torch.optim.SGD(model.parameters(), learning_rate, momentum)
        train(model, optimizer, train_images, train_labels, num_epochs, batch_size=4)
        runs.append(accuracy(model, test_images, test_labels))
    report(name, runs)

# %% [markdown]
# The reports side by side with what we got.

# %% alt="Reported and measured accuracies of four networks, as pairs of marks"
fig, ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
places = range(len(reported))
means, deviations = zip(*[results[name] for name in reported])
ax.errorbar(places, means, deviations, fmt="o", capsize=3, label="here")
ax.scatter(places, reported.values(), marker="_", s=300, c="C1", label="reported")
ax.set(xticks=places, ylabel="test accuracy")
ax.set_xticklabels(reported)
ax.legend()
plt.show()

apart = [results[name][0] - figure for name, figure in reported.items()]
print(*(f"{difference:+.2f}" for difference in apart), "from what was reported")
assert means[0] + 0.02 < min(means[1:])  # convolutions see more than 25 units

# %% [markdown]
# The first three come out within two points of what was reported, and single runs cannot tell more.
# The last was 0.60 on one processor and 0.58 on another, from the same seed: so much can rounding alone do.
# Its two scripts, with the same recipe, gave 61 and 62 %.
# With pooling it got two points fewer than without, while [by a better recipe](44_pooling.py) it gets two points more: by one run each, and by this recipe, nobody can say which is ahead.
# All four carry the mistake on the logits: they were reported rightly, and may have been lower for it, as by other recipes [without convolutions](42_fully_connected.py) and [with two](45_convolutional_network.py).
#
# ## Digits
#
# [Logistic regression](33_mnist_logistic_regression.py): plain gradient descent at 0.001, batches of 8, five epochs.
# The [deep classifier](37_mnist_deep_classifier.py): momentum 0.5 at 0.01, batches of 64, nine epochs, standardised digits.
# Neither came with a figure.

# %%
images, test_images = digits.train_images / 255, digits.test_images / 255
labels, test_labels = digits.train_labels.to(device), digits.test_labels.to(device)
images, test_images = images.to(device), test_images.to(device)

runs = []
for seed in [1, 2, 3]:
    torch.manual_seed(seed)
    model = network([], [784, 10], nn.ReLU, on_logits=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)
    train(model, optimizer, images, labels, num_epochs=5, batch_size=8)
    runs.append(accuracy(model, test_images, test_labels))
report("logistic regression", runs)

# %%
images, test_images = (images - 0.1307) / 0.3081, (test_images - 0.1307) / 0.3081
torch.manual_seed(1)
model = network([], [784, 520, 320, 240, 120, 10], nn.ReLU, on_logits=False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
train(model, optimizer, images, labels, num_epochs=9, batch_size=64)
report("deep classifier", [accuracy(model, test_images, test_labels)])
assert results["deep classifier"][0] > results["logistic regression"][0] + 0.05

# %% [markdown]
# Their pages get further in fewer steps: the old learning rates are small for batches of this size, and the deep classifier has more momentum there, a schedule, and moved digits.
#
# ## Rings
#
# The [rings](35_rings.py) were reported to stand on a plateau for 46 epochs, and to be learned without an error after 65.
# The recipe: four hidden layers of nine units, a sigmoid, squared error, Adam with its defaults, batches of 50.
# We draw the same points, start from the source's seed, and then from twenty others.

# %%
np.random.seed(3)
cloud = np.random.normal(0, 0.75, size=(100, 2))
ring = np.random.uniform(-5, 5, size=(1000, 2))
cloud = cloud[(cloud**2).sum(axis=1) < 4]
ring = ring[abs((ring**2).sum(axis=1) - 11.125) < 4.875]  # from 6.25 to 16
points = torch.tensor(np.concatenate([cloud, ring]), dtype=torch.float32)
points = ((points - points.mean(dim=0)) / points.std(dim=0)).to(device)
in_cloud = (torch.arange(len(points), device=device) < len(cloud)).float()[:, None]


def errors_by_epoch(seed):
    """The share of wrong answers after each epoch, until it is 0."""
    torch.manual_seed(seed)
    model = network([], [2, 9, 9, 9, 9, 1], nn.ReLU, on_logits=False)
    optimizer = torch.optim.Adam(model.parameters())
    errors = []
    while (not errors or errors[-1]) and len(errors) < 1000:
        for batch in torch.randperm(len(points)).split(50):
            loss = F.mse_loss(torch.sigmoid(model(points[batch])), in_cloud[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            wrong = (model(points) > 0).float() != in_cloud
        errors.append(wrong.float().mean().item())
    return errors


# %% tags=["predict"] ask="The source's seed needs 66 epochs. From the fastest to the slowest, what do twenty others need?" answers=["from 64 to 69", "from 58 to 75", "from 34 to 112"] why="Where a start lies decides how long its plateau is: one seed is one draw from a wide spread."
errors = errors_by_epoch(seed=47)
plateau = errors.count(max(errors))
print(f"{plateau} epochs with {max(errors):.3f} wrong, none after {len(errors)}")
epochs = sorted(len(errors_by_epoch(seed)) for seed in range(20))
mean, deviation = statistics.mean(epochs), statistics.stdev(epochs)
print(f"{mean:.0f} ± {deviation:.0f} epochs, from {epochs[0]} to {epochs[-1]}")
assert errors[-1] == 0 and max(errors) == in_cloud.mean().item()
assert 25 < epochs[0] and epochs[-1] < 1000

# %% [markdown]
# So the report holds, and it was no lucky start: all of the others get there, too.
#
# ## Claims without a figure
#
# A convolution makes training "a lot longer", and pooling shortens it again; ReLU was called "a slight speed-up" over the sigmoid.
# We time steps of all four in turn, on the CPU, and take the shortest of several rounds, since other programs can only make a round longer.


# %% tags=["predict"] ask="Can we see it: does a step with ReLU take clearly less time, less than 0.7 of the other?" answers=["a step with ReLU takes about as long", "a step with ReLU takes less than 0.7"] why="The activations are a small part of a step; what they save is lost in what the clock itself varies by."
def seconds_for(model, num_steps=100):
    """Processor time of so many steps on one batch of four, on the CPU."""
    images, labels = train_images[:4].cpu(), train_labels[:4].cpu()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    started = time.process_time()
    for _ in range(num_steps):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.process_time() - started


models = [makers[name]().cpu() for name in ("25 units", "convolution", "with pooling")]
models.append(network([6], [1176, 120, 10], nn.ReLU).cpu())  # it had a sigmoid
rounds = [[seconds_for(model) for model in models] for _ in range(9)]
units, convolution, pooling, relu = (min(column) for column in zip(*rounds))

assert convolution > 2 * units and pooling < 0.9 * convolution
assert 0.7 < relu / pooling < 1.3
print("a convolution takes more than twice as long, pooling less than 0.9 of it")
print("a step with ReLU takes about as long as one with the sigmoid")

# %% [markdown]
# The first is of a convolution beside the 25 units before it, the second of the same with pooling: both are right.
# The third is too small for us to see: the ratio of the two times lies between 0.7 and 1.3.
# What ReLU was seen to save is [steps](45_convolutional_network.py).
#
# Two small networks that end in a second sigmoid were said to get closer with more epochs.
# As written they do not: the [neural network](26_neural_network.py#a-mistake-a-sigmoid-at-the-end) page gives them 10,000, and finds why.
#
# ## They said, we got
#
# All figures in one table: what was reported, then what came out here.

# %%
for name, (figure, spread) in results.items():
    said = f"{reported[name]:.2f}" if name in reported else "none"
    print(f"{said}  {figure:.3f} ± {spread:.3f}  {name}")
print(f"  46  {plateau} epochs on the rings' plateau")
print(f"  65  {len(errors)} epochs until no point is wrong")

# %% [markdown]
# Why do they differ?
#
# - The four networks for pictures: by their seeds, the order of the pictures, and rounding, which together move such a run by a point or two; where the pictures were a copy, perhaps by that as well.
# - The rings: points and first weights are the source's. What is left is the order of the batches, rounding, and that the source counted errors while the weights [were still moving](35_rings.py).
# - The claims: a network with a convolution does take a lot longer, and pooling saves some of that. Whether ReLU makes a step faster is below what our clock can tell. More epochs do not mend the source's two networks, whose labels have the wrong shape; with the [right labels](26_neural_network.py) 10,000 epochs are enough, second sigmoid and all.
#
# ## Try it yourself
#
# **1.** How many test pictures would it take to know an accuracy of 0.45 to a standard error of 0.001?
# Call the number `needed`.

# %% tags=["solution"]
needed = 0.45 * (1 - 0.45) / 0.001**2
print(f"{needed:,.0f}")
assert round(needed) == 247_500

# %% [markdown]
# **2.** The reported run of the rings took 65 epochs.
# By how many standard deviations is that off the mean of our twenty?
# Call them `off`.

# %% tags=["solution"]
off = (65 - mean) / deviation
print(f"{off:.1f}")
assert abs(off) < 2

# %% [markdown]
# ## What next
#
# The old tutorials end here, and the [next page](61_much_faster.py) goes on: it reaches the 62 % of the two convolutions many times sooner.
# The [results](../docs/results.md) have all figures of this site beside those of the old tutorials, and [where everything went](../docs/where-everything-went.md) says which page teaches what they taught.
