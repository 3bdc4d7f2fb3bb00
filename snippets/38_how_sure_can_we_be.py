# ---
# jupyter:
#   page:
#     teaches: {}
#     level: intermediate
#     read_first: [37_mnist_deep_classifier]
# ---

# %% [markdown]
# # How sure can we be?
#
# One network reads 98.0 % of 10,000 test digits, another 98.2 %: is the second better?
# Here we see how far such a figure may be off: with other digits, and with another seed.
# Then we ask a network itself how sure it is, and find that it is too sure.
# At the end stand the recipes of this chapter for MNIST in one table, under the same budget.
# You should know the [deep classifier](37_mnist_deep_classifier.py).

# %%
from itertools import pairwise

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
# ## Three sets
#
# The [training digits](32_mnist_data.py) fit the weights, the validation digits choose among recipes, and the test digits are looked at once, at the end.

# %%
digits = mnist()
images, labels = (digits.train_images / 255).to(device), digits.train_labels.to(device)
train_images, valid_images = images.split([55_000, 5_000])
train_labels, valid_labels = labels.split([55_000, 5_000])
test_images = (digits.test_images / 255).to(device)  # (10000, 28, 28)
test_labels = digits.test_labels.to(device)
print(f"train {tuple(train_images.shape)}, validation {tuple(valid_images.shape)}")

# %% [markdown]
# The two models of the chapter: the linear one on pixels from 0 to 1, the deep one on normalised pixels.


# %%
class Normalise(nn.Module):
    """Pixels from 0 to 1 with mean 0 and standard deviation 1, about."""

    def forward(self, images):
        return (images - 0.1307) / 0.3081


def linear():
    """The model of logistic regression, untrained."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).to(device)


def deep():
    """The deep classifier, untrained."""
    layers, sizes = [Normalise(), nn.Flatten()], [784, 520, 320, 240, 120]
    for size_in, size_out in pairwise(sizes):
        layers += [nn.Linear(size_in, size_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 10)).to(device)


@torch.no_grad()
def predict(model, images):
    """Logits (n, 10) in eval mode."""
    return model.eval()(images)


# %% [markdown]
# ## Knowing by heart
#
# We give the deep classifier 500 digits only, 30 times each.
# After each epoch we measure the loss on them, and on validation digits.
# Look for the epoch from which the two curves part, and what the second does then.

# %%
few_images, few_labels = train_images[:500], train_labels[:500]
model = deep()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
curves, hits = [], []

for epoch in range(30):
    model.train()
    for rows in torch.randperm(len(few_images)).to(device).split(50):
        loss = F.cross_entropy(model(few_images[rows]), few_labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    few = F.cross_entropy(predict(model, few_images), few_labels)
    logits = predict(model, valid_images[:1000])
    valid = F.cross_entropy(logits, valid_labels[:1000])
    curves.append([few.item(), valid.item()])
    hits.append((logits.argmax(dim=1) == valid_labels[:1000]).float().mean().item())

# %% alt="Training loss falls to zero; validation loss falls, then rises again"
losses_by_epoch = np.array(curves)  # (30, 2)
fig, ax = plt.subplots(figsize=(5.5, 3), layout="constrained")
ax.plot(
    range(1, 31), losses_by_epoch, label=["500 training digits", "validation digits"]
)
ax.set(xlabel="epoch", ylabel="loss", ylim=(0, 2))
ax.legend()
plt.show()

# %%
few_right = (predict(model, few_images).argmax(dim=1) == few_labels).float()
valid_logits = predict(model, valid_images)  # (5000, 10)
right = (valid_logits.argmax(dim=1) == valid_labels).double().cpu()  # (5000,)
p = right.mean().item()
print(f"accuracy {few_right.mean():.1%} in training, {p:.1%} in validation")
valid_losses = losses_by_epoch[:, 1]
lowest = valid_losses.argmin()
print(
    f"validation loss: lowest {valid_losses[lowest]:.2f}, last {valid_losses[-1]:.2f}"
)
print(f"accuracy at the lowest loss {hits[lowest]:.2f}, at last {hits[-1]:.2f}")
assert few_right.mean() > p + 0.05 and valid_losses[-1] > valid_losses.min()

# %% [markdown]
# The network knows all of the 500 digits by heart, and reads far fewer of the others.
# That is **overfitting**.
# Past the lowest point of the validation curve its loss on others rises, though it still learns to read a few more of them: it grows surer, also where it is wrong.
# So an accuracy on training digits says little about new ones.
#
# ## The standard error of an accuracy
#
# How much would the validation accuracy change with other digits?
# We can see it on a smaller scale: shuffle the 5,000, cut them into 50 parts of 100, and take the accuracy of each part.
# If each digit is read with probability $p$, like the toss of a coin, theory has a formula for how far the parts spread, the **standard error** of an accuracy on $n$ digits: $\sqrt{p(1-p)/n}$.


# %% tags=["predict"] ask="Shuffled, the parts spread by 0.030. And parts in the order of the file?" answers=["in order 0.012", "in order 0.030", "in order 0.051"] why="Neighbours in the file are alike, so a part is easy or hard as a whole, and the parts differ more."
def standard_error(p, n):
    """Of an accuracy p that was measured on n digits."""
    return (p * (1 - p) / n) ** 0.5


def spread(right):
    """Standard deviation of the accuracies of parts of 100."""
    return right.view(-1, 100).mean(dim=1).std().item()


shuffled = right[torch.randperm(len(right))]
print(f"formula {standard_error(p, 100):.3f}")
print(f"parts of 100, shuffled {spread(shuffled):.3f}, in order {spread(right):.3f}")
ink = valid_images.sum(dim=(1, 2)).cpu()
alike = np.corrcoef(ink[:-10], ink[10:])[0, 1]
print(f"amount of ink, ten places apart: correlation {alike:.2f}")
assert 0.7 < spread(shuffled) / standard_error(p, 100) < 1.35

# %% [markdown]
# Shuffled, the parts spread about as the formula says.
# In the order of the file they spread wider: digits that are near each other in the file are alike, as the amount of their ink shows, perhaps because one hand wrote them.
# So the tosses are not independent.
# The formula counts digits; with other writers the figure may move further.
#
# For all 5,000 there are no other parts to compare with.
# The **bootstrap** makes some: draw 5,000 of the answers with replacement, so that some come twice and some never, and take the accuracy; do so 500 times.

# %% tags=["predict"] ask="At 98% the standard error is 0.20% on 5,000. What is it on 10,000?" answers=["0.10% on 10,000", "0.14% on 10,000", "0.05% on 10,000"] why="The number of digits stands under the root: with twice as many the error shrinks by the root of 2 only."
draws = torch.randint(len(right), (500, len(right)))
resampled = right[draws].mean(dim=1).std().item()
print(f"bootstrap {resampled:.4f}, formula {standard_error(p, len(right)):.4f}")
for share in [0.98, 0.92]:
    errors = [f"{standard_error(share, n):.2%} on {n:,}" for n in (10_000, 5_000)]
    print(f"at {share:.0%}: {', '.join(errors)}")
by_chance = 2**0.5 * standard_error(0.981, 10_000)
print(f"{0.98:.1%} and {0.982:.1%} of 10,000: {by_chance:.2%} apart by chance")
assert 0.9 < resampled / standard_error(p, len(right)) < 1.08

# %% [markdown]
# Two networks differ by chance by $\sqrt{2}$ times the standard error of one, if their mistakes have nothing to do with each other.
# So 98.0 % and 98.2 % of 10,000 may change places with other digits; we call them equal.
#
# ## How sure is the network?
#
# Softmax gives the answer a probability, the network's **confidence**.
# If it is honest, then of all answers given with a confidence of seven in ten, seven in ten are right.
# A **reliability diagram** sorts answers by confidence into bins and shows, per bin, the share that was right.
# On the dashed line a network would be honest.
#
# One number mends much of what is wrong: divide all logits by a **temperature** above 1 before the softmax, and every confidence falls, while no answer changes.
# We choose it on the first half of the validation digits, and draw the second half.


# %%
def reliability(logits, labels):
    """Mean confidence and accuracy in each of ten bins, all with equally many digits."""
    confidence, answer = logits.softmax(dim=1).max(dim=1)  # (n,)
    order = confidence.argsort()
    hits = (answer == labels).float()
    return [
        values[order].view(10, -1).mean(dim=1).cpu() for values in (confidence, hits)
    ]


first, second = valid_logits.split(2500)
temperatures = torch.linspace(0.5, 5, 91)
losses = [F.cross_entropy(first / t, valid_labels[:2500]).item() for t in temperatures]
temperature = temperatures[np.argmin(losses)].item()
print(f"temperature {temperature:.2f}")

# %% alt="Share right against confidence: below the diagonal raw, near it with temperature"
fig, ax = plt.subplots(figsize=(4.5, 3.6), layout="constrained")
gap = {}
for name, divisor in [("raw", 1.0), ("with temperature", temperature)]:
    confidence, hits = reliability(second / divisor, valid_labels[2500:])
    ax.plot(confidence, hits, "o-", label=name)
    gap[name] = (confidence - hits).mean().item()
    loss = F.cross_entropy(second / divisor, valid_labels[2500:])
    print(f"{name}: loss {loss:.2f},", end=" ")
    print(f"confidence {confidence.mean():.2f}, right {hits.mean():.2f}")
assert gap["raw"] > 0.065 and abs(gap["with temperature"]) < gap["raw"] / 3
ax.plot([0, 1], [0, 1], "--", color="gray")
ax.set(xlabel="confidence", ylabel="share right")
ax.legend()
plt.show()

# %% [markdown]
# Raw, the dots lie below the line: it is right less often than it is sure.
# It was trained until its few digits had probabilities near 1, and is nearly as sure of digits that it has never seen.
# With a temperature of about three the mean confidence is the share that is right, and the loss is half of what it was.
#
# ## The chapter's recipes, side by side
#
# Now all recipes for MNIST under the same budget: the first 10,000 training digits, twice each.
# Three seeds set other first weights and another order.
# The rates of the old recipes are those of the tutorials.
# Those of the new ones were chosen on validation digits, for [the linear model](33_mnist_logistic_regression.py) and for [the deep one](37_mnist_deep_classifier.py), under other budgets, and for the linear one with a schedule that rises a little longer, so another rate may do a little better here.
# The test digits have chosen nothing.


# %%
def move(images):
    """The images, all moved by the same random offset of up to one pixel."""
    down, right = torch.randint(3, (2,)).tolist()
    return F.pad(images, (1, 1, 1, 1))[:, down : down + 28, right : right + 28]


def fit(model, optimizer, batch_size, one_cycle=False, change=None):
    """Train for two epochs of 10,000 digits."""
    rate, num_steps = optimizer.param_groups[0]["lr"], 2 * -(-10_000 // batch_size)
    if one_cycle:
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rate, num_steps, pct_start=0.2, cycle_momentum=False
        )
    for _ in range(2):
        for rows in torch.randperm(10_000).to(device).split(batch_size):
            images = change(train_images[rows]) if change else train_images[rows]
            loss = F.cross_entropy(model(images), train_labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if one_cycle:
                schedule.step()


SGD, Adam = torch.optim.SGD, torch.optim.Adam
recipes = {
    "linear, old": (linear, SGD, {"lr": 1e-3}, 8),
    "linear, new": (linear, Adam, {"lr": 0.03}, 128, True),
    "deep, old": (deep, SGD, {"lr": 0.01, "momentum": 0.5}, 64),
    "deep, new": (deep, SGD, {"lr": 0.08, "momentum": 0.9}, 64, True, move),
}

# %% [markdown]
# The first row has no steps and no seed: the digit whose [mean image](31_softmax_and_cross_entropy.py) is nearest.

# %% tags=["predict"] ask="The mean images read 81.0%. What does the old deep recipe read?" answers=["93.7%", "86.2%", "59.5%"] why="Its steps are so short that the budget ends before it has arrived: layers are worth what their recipe makes of them."
budget = train_images[:10_000].flatten(1), train_labels[:10_000]
means = torch.stack([budget[0][budget[1] == k].mean(dim=0) for k in range(10)])
nearest = torch.cdist(test_images.flatten(1), means).argmin(dim=1)
p = (nearest == test_labels).float().mean().item()
print(f"{p:.1%}         nearest mean ({standard_error(p, 10_000):.1%})")

answers, table = {}, {}
for name, (make_model, kind, settings, *rest) in recipes.items():
    for seed in (1, 2, 3):
        torch.manual_seed(seed)
        model = make_model()
        fit(model, kind(model.parameters(), **settings), *rest)
        hits = predict(model, test_images).argmax(dim=1) == test_labels
        answers.setdefault(name, []).append(hits.double().cpu())
    accuracies = torch.stack(answers[name]).mean(dim=1)
    p = accuracies.mean().item()
    error = standard_error(p, len(test_labels))
    print(f"{p:.1%} ± {accuracies.std():.1%}  {name} ({error:.1%})")
    table[name] = p
assert table["deep, new"] > table["linear, new"] + 0.01
assert table["linear, new"] > table["linear, old"] + 0.05

# %% [markdown]
# In brackets stands the standard error.
# After ± stands what three seeds differ by: it has nothing to do with the digits, which are the same for all.
# Where a recipe has arrived, both are parts of a point, and both count.
# The old deep recipe has not arrived after two epochs of 10,000 digits: there the seed decides about five points, ten times the standard error, and a single run says little.
#
# With this budget the old deep network reads fewer digits than the mean images do.
# That is its recipe, not its layers: the same layers with the new one read the most.
#
# ## Try it yourself
#
# **1.** Two runs are judged on the same test digits, so what is hard for both tells nothing about their difference.
# Only the digits that exactly one of them reads do: with $k$ of them, the standard error of the difference is $\sqrt{k}/n$.
# Compare the first two seeds of the new deep recipe, with numbers `k` and `n`.

# %% tags=["solution"]
one, other, _ = answers["deep, new"]
difference = (one - other).mean().item()
k, n = (one != other).sum().item(), len(one)
print(f"difference {difference:+.2%}, {k:.0f} digits read by one of them only")
print(f"standard error {k**0.5 / n:.2%}, of two unpaired {2**0.5 * error:.2%}")
assert k**0.5 / n < 2**0.5 * error
assert n == len(test_labels)
assert k == (answers["deep, new"][0] != answers["deep, new"][1]).sum()

# %% [markdown] tags=["solution"]
# Seen in this way the two networks differ by more than two standard errors: one of them does read more, here the second.
# But the recipe is the same for both, so the difference is one of seeds, not of recipes.

# %% [markdown]
# **2.** How many test digits, `n`, would tell 98.0 % from 98.2 %, if the difference of two unpaired networks is to be three standard errors?
# Take 98.1 % as the accuracy of both.

# %% tags=["solution"]
p, difference = 0.981, 0.002
n = round(2 * p * (1 - p) * (3 / difference) ** 2)
print(f"{n:,} digits")
assert abs(3 * 2**0.5 * standard_error(0.981, n) - 0.002) < 1e-5

# %% [markdown]
# ## What next
#
# Chapter four begins with [harder pictures](41_cifar10.py).
# That networks are too sure, and that one temperature mends it, was shown by Chuan Guo and others in 2017.
# The bootstrap is Bradley Efron's, of 1979.
