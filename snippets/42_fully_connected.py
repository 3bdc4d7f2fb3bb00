# ---
# jupyter:
#   page:
#     teaches:
#       E10: The old recipe
#       E15: "A mistake: a sigmoid on the logits"
#     level: intermediate
#     read_first: [41_cifar10, 33_mnist_logistic_regression]
#     result: test_accuracy
#     source_result: 0.39
# ---

# %% [markdown]
# # A fully connected network
#
# An old tutorial trains a network with 25 hidden units on [CIFAR-10](41_cifar10.py) and reports 39 % of the test pictures.
# We change its recipe one thing at a time, find a mistake in its network, and measure what that costs.
# Each recipe is tried at several learning rates, since a rate that is good for one is bad for another.
# You should know the data and [cross entropy](31_softmax_and_cross_entropy.py).

# %%
import math
import statistics
import time

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

from load import cifar10

# %%
torch.manual_seed(0)
torch.set_num_threads(1)  # times are compared below
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# We train on 10,000 pictures, so that many runs take seconds.
# The last 5,000 training pictures are the [validation set](32_mnist_data.py), by which recipes and rates are chosen.
# The test pictures are looked at once, at the end.

# %%
data = cifar10()


def normalize(images):
    """Bytes from 0 to 255 as floats from -1 to 1."""
    return (images / 127.5 - 1).to(device)


train_images = normalize(data.train_images[:10_000])  # (10000, 3, 32, 32)
train_labels = data.train_labels[:10_000].to(device)
valid_images = normalize(data.train_images[-5_000:])
valid_labels = data.train_labels[-5_000:].to(device)
test_images, test_labels = normalize(data.test_images), data.test_labels.to(device)

# %% [markdown]
# What differs by less than two [standard errors](38_how_sure_can_we_be.py) is called equal here.

# %%
standard_error = math.sqrt(0.4 * (1 - 0.4) / len(valid_labels))
print(f"for 0.4 of 5,000 pictures {standard_error:.3f}")

# %% [markdown]
# ## The old network
#
# A picture is flattened to a row of 3072 numbers.
# A layer of 25 hidden units follows, then one output per class.
# The old tutorial calls this 25 hidden layers; it is one hidden layer of 25 units.
# Both layers end in a sigmoid, and the second sigmoid is the mistake to watch.


# %%
def network(activation, *after):
    """3072 inputs, 25 hidden units, 10 outputs; `after` acts on the outputs."""
    layers = nn.Linear(3072, 25), activation, nn.Linear(25, 10)
    return nn.Sequential(nn.Flatten(), *layers, *after).to(device)


num_parameters = sum(p.numel() for p in network(nn.ReLU()).parameters())
assert num_parameters == 77_085 == (3072 + 1) * 25 + (25 + 1) * 10

# %% [markdown]
# ## The old recipe
#
# Batches of 4, plain gradient descent with a learning rate of 0.1, and three epochs.
# Here are 5,000 pictures of it, where three epochs are thirty times as many.
# For each batch: logits, loss, gradients, step, and the next learning rate, if there is a schedule.


# %%
def train(model, optimizer, num_images, batch_size, num_epochs=1, schedule=None):
    """Train on the first pictures, in random order; return the losses."""
    losses = []
    for epoch in range(num_epochs):
        for batch in torch.randperm(num_images).split(batch_size):
            loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if schedule:
                schedule.step()
            losses.append(loss.detach())
    return torch.stack(losses).cpu()


@torch.no_grad()
def accuracy(model, images, labels):
    """Share of the pictures that a model gets right."""
    return (model(images).argmax(dim=1) == labels).float().mean().item()


# %% tags=["predict"] ask="How many steps is that?" answers=["3750 steps", "5000 steps", "1250 steps"] why="A step takes a batch of 4, and the 5,000 pictures pass once, as `num_epochs` is 1 unless told otherwise."
model = network(nn.Sigmoid(), nn.Sigmoid())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = train(model, optimizer, num_images=5_000, batch_size=4)
old_accuracy = accuracy(model, valid_images, valid_labels)
print(f"{len(losses)} steps, validation {old_accuracy:.2f}")
assert old_accuracy > 2 / (train_labels.max() + 1)  # twice as good as guessing

# %% [markdown]
# ## Larger batches
#
# Most of a small step is overhead: a step on 128 pictures costs far less than as many pictures in steps of 4.

# %%
seconds = {}
for batch_size in [4, 128]:
    started = time.process_time()
    train(model, optimizer, 2_560, batch_size)
    seconds[batch_size] = time.process_time() - started
assert seconds[128] < seconds[4] / 2
print("the same pictures in less than half of the time")

# %% [markdown]
# We spend the time that is saved on more pictures: all of them, twice.
#
# ## A step size for each weight, a schedule for all
#
# AdamW is [Adam](33_mnist_logistic_regression.py) with a little weight decay: it divides the step of each weight by the usual size of its recent gradients.
# A [one-cycle schedule](33_mnist_logistic_regression.py) raises the learning rate to its maximum and then lowers it to almost nothing: long steps first, fine ones last.
# We try each with and without the other, on a network with ReLU and raw logits.
# Each run starts from a seed, so that recipes are compared from equal starts.


# %%
def trained(layers, rate, seed=0, optimizer_class=torch.optim.AdamW, one_cycle=True):
    """A network, trained for two epochs in batches of 128."""
    torch.manual_seed(seed)
    model = network(*layers)
    optimizer = optimizer_class(model.parameters(), lr=rate)
    schedule = None
    if one_cycle:
        num_steps = 2 * math.ceil(len(train_images) / 128)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rate, num_steps, cycle_momentum=False
        )
    train(model, optimizer, len(train_images), 128, 2, schedule)
    return model


def sweep(layers, rates, *recipe):
    """The validation accuracy at each rate, from seed 0."""
    models = [trained(layers, rate, 0, *recipe) for rate in rates]
    return [accuracy(model, valid_images, valid_labels) for model in models]


# %% tags=["predict"] ask="What does gradient descent reach at its largest rate, 1.0?" answers=["0.00", "0.10", "0.45"] why="Steps that long throw the weights about, and what is left names one of ten classes no better than by guessing."
best, worst = {}, {}
for optimizer_class, rates in [
    (torch.optim.SGD, [0.03, 0.1, 0.3, 1.0]),
    (torch.optim.AdamW, [3e-4, 0.001, 0.003, 0.01, 0.03]),
]:
    name = optimizer_class.__name__
    worst[name] = 1.0
    print(*(f"{rate:6}" for rate in rates), f" {name}, learning rate")
    for schedule in ["constant", "one-cycle"]:
        recipe = optimizer_class, schedule == "one-cycle"
        scores = sweep([nn.ReLU()], rates, *recipe)
        best[name, schedule] = rates[scores.index(max(scores))], *recipe
        worst[name] = min(worst[name], *scores)
        print(*(f"{score:6.2f}" for score in scores), "", schedule)
assert worst["AdamW"] > worst["SGD"]

# %% [markdown]
# Each of the four rows at its best rate, from three other seeds:

# %%
fresh = {}
for (name, schedule), (rate, *recipe) in best.items():
    models = [trained([nn.ReLU()], rate, seed, *recipe) for seed in [1, 2, 3]]
    scores = [accuracy(model, valid_images, valid_labels) for model in models]
    fresh[name, schedule] = statistics.mean(scores)
    print(f"{fresh[name, schedule]:.2f} ± {statistics.stdev(scores):.2f}", end="")
    print(f"  {name}, {schedule}, {rate}")
gain = fresh["SGD", "one-cycle"] - fresh["SGD", "constant"]
assert gain > 2 * standard_error

# %% [markdown]
# The schedule leads gradient descent from 0.34 to 0.40, more than the pictures or the seeds explain.
# With the schedule it is the equal of AdamW, if its rate is right.
# AdamW is less particular about its rate, so we take it from here on.
#
# ## A mistake: a sigmoid on the logits
#
# Cross entropy contains a softmax, and a softmax wants logits: any numbers, as large as they need to be.
# After a sigmoid they lie between 0 and 1.
# Then even the best output, 1 for the right class and 0 for the other nine, gets little probability, and its loss is far from zero.

# %% tags=["predict"] ask="How sure can such a network be of the right class, at most?" answers=["0.23", "0.73", "0.10"] why="A lead of 1 makes a class only e times as likely as each of the nine others."
best_output = F.one_hot(torch.tensor(0), num_classes=10).float()
probability = best_output.softmax(dim=0)[0].item()
lowest_loss = F.cross_entropy(best_output, torch.tensor(0)).item()
print(f"highest probability {probability:.2f}, lowest loss {lowest_loss:.3f}")
assert math.isclose(lowest_loss, math.log(math.e + 9) - 1, rel_tol=1e-6)

# %% [markdown]
# The model can never be surer than 0.23.
# What does that cost?
# We train three networks by the same recipe, each at the best of four rates: the old one with both sigmoids, then without the second, then with ReLU in place of the first.
# A sigmoid is flat on both sides, and where it is flat hardly any gradient comes through; ReLU is flat on one side only.

# %%
networks = {
    "two sigmoids": [nn.Sigmoid(), nn.Sigmoid()],
    "raw logits": [nn.Sigmoid()],
    "ReLU": [nn.ReLU()],
}
rates = [0.001, 0.003, 0.01, 0.03]
best_rates = {}
print(*(f"{rate:5}" for rate in rates), " learning rate")
for name, layers in networks.items():
    scores = sweep(layers, rates)
    best_rates[name] = rates[scores.index(max(scores))]
    print(*(f"{score:5.2f}" for score in scores), "", name)

# %% [markdown]
# ## Result
#
# Now the test pictures, which had no part in this so far.
# Each network is trained anew from three seeds that had no part either; behind ± stands the **standard deviation** over them.

# %%
means = {}
for name, layers in networks.items():
    models = [trained(layers, best_rates[name], seed) for seed in [1, 2, 3]]
    runs = [accuracy(model, test_images, test_labels) for model in models]
    means[name] = statistics.mean(runs)
    print(f"{means[name]:.3f} ± {statistics.stdev(runs):.3f}  {name}")
test_accuracy = means["ReLU"]
assert test_accuracy > means["raw logits"] > means["two sigmoids"]

# %% [markdown]
# The second sigmoid, the mistake, costs almost three hundredths, and the first one costs more.
# All these differences are several standard errors, and larger than what the seeds do.
# The old tutorial reports 0.39, from seven and a half times as many pictures, and [run whole](56_were_they_right.py) its recipe gives that again.
#
# ## What it learned
#
# A hidden unit has one weight for each number of a picture, so its weights are a picture too.
# Where it is light red, more red in the picture means more activation.
# Look for shapes.

# %% alt="The weights of the 25 hidden units as small pictures: blurred blobs of colour"
model = models[0]
weights = model[1].weight.detach().cpu().unflatten(1, (3, 32, 32))  # (25, 3, 32, 32)
low, high = weights.amin((1, 2, 3), True), weights.amax((1, 2, 3), True)

fig, axes = plt.subplots(3, 9, figsize=(7, 2.5), layout="constrained")
for ax in axes.flat:
    ax.axis("off")
for ax, picture in zip(axes.flat, (weights - low) / (high - low)):
    ax.imshow(picture.permute(1, 2, 0).numpy())
plt.show()

# %% [markdown]
# They are templates of whole pictures: something wide and low, something upright, a bright thing in the middle.
# But each template is tied to its place: the same thing, further to the side, does not match it.
#
# ## Try it yourself
#
# **1.** Shift the pictures set aside to the right by 1, 2, 4 and 8 pixels (`torch.roll`).
# How many are still right?
# Put the accuracies into a dictionary `by_shift`, by the number of pixels.

# %% tags=["solution"]
by_shift = {}
for shift in [0, 1, 2, 4, 8]:
    shifted = valid_images.roll(shift, dims=3)
    by_shift[shift] = accuracy(model, shifted, valid_labels)
    print(f"shifted by {shift}: {by_shift[shift]:.2f}")
assert by_shift[8] < by_shift[1]

# %% [markdown]
# **2.** Can a network with a sigmoid on its logits get below the bound `lowest_loss`, if it learns ten pictures by heart?
# Train one on ten pictures until its `loss`, as PyTorch gives it, hardly falls any more.

# %% tags=["solution"]
model = network(nn.ReLU(), nn.Sigmoid())
optimizer = torch.optim.AdamW(model.parameters(), lr=0.003)
for step in range(300):
    loss = F.cross_entropy(model(train_images[:10]), train_labels[:10])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.2f}")
assert lowest_loss < loss.item() < lowest_loss + 0.2

# %% [markdown]
# ## What next
#
# The [next page](43_convolution.py) gives the network what it lacks: units that look at small regions, the same everywhere.
# The one-cycle schedule is from Smith and Topin's "Super-Convergence" (2018), AdamW from Loshchilov and Hutter's "Decoupled Weight Decay Regularization" (2019).
