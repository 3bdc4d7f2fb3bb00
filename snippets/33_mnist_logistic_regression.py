# ---
# jupyter:
#   page:
#     teaches:
#       D5: Training by the old recipe
#       D6: Old mistakes
#     level: beginner
#     read_first: [31_softmax_and_cross_entropy, 32_mnist_data]
#     result: test_accuracy
# ---

# %% [markdown]
# # Logistic regression on MNIST
#
# One linear layer gives a picture ten scores, and the highest score names the digit.
# We train it as an old tutorial did, for two epochs: it reads 87.7 % of the test digits.
# Then we change one thing at a time, each at the best of several learning rates, and see what each change brings: in as many epochs it reads 92.6 %.
# You should know [cross entropy](31_softmax_and_cross_entropy.py) and [the data](32_mnist_data.py).

# %%
import math

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
# The whole of MNIST fits in memory: each picture flattened to 784 numbers from 0 to 1.
# The last 5,000 training digits are [set aside](32_mnist_data.py): recipes are chosen on them.
# We look at the test digits once, at the end.

# %%
digits = mnist()
images = (digits.train_images.flatten(1) / 255).to(device)  # (60000, 784)
labels = digits.train_labels.to(device)  # (60000,)
train_images, valid_images = images.split([55_000, 5_000])
train_labels, valid_labels = labels.split([55_000, 5_000])
test_images = (digits.test_images.flatten(1) / 255).to(device)  # (10000, 784)
test_labels = digits.test_labels.to(device)  # (10000,)
print(f"train {tuple(train_images.shape)}, validation {tuple(valid_images.shape)}")

# %% [markdown]
# ## The model
#
# The model is one linear layer, from 784 pixels to ten scores, or logits.
# The digit with the highest is the answer.
# (`@torch.no_grad()` above a function does for all of it what `with torch.no_grad():` does for a block.)


# %% tags=["predict"] ask="How many parameters does the model have?" answers=["7840", "7841", "7850"] why="Each of the ten classes has its 784 weights, and a bias of its own."
@torch.no_grad()
def accuracy(model, images, labels):
    """Share of the images whose highest logit is at their label."""
    return (model.eval()(images).argmax(dim=1) == labels).float().mean().item()


model = nn.Linear(784, 10).to(device)
untrained = accuracy(model, valid_images, valid_labels)
print(f"{sum(p.numel() for p in model.parameters())} parameters")
print(f"untrained: validation accuracy {untrained:.3f}")
assert untrained < 0.22

# %% [markdown]
# ## Training by the old recipe
#
# The old tutorial takes 8 digits per step, a learning rate of 0.001, and five epochs.
# Two are enough to see where it goes.
# For each batch we compute logits and loss, clear the old gradients and compute new ones, let the optimizer step, and keep the loss and how many digits were right.
# After each epoch we measure the accuracy on the validation digits.

# %%
batch_size = 8
learning_rate = 1e-3
num_epochs = 2

optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
losses, correct = [], []

for epoch in range(num_epochs):
    model.train()
    order = torch.randperm(len(train_images)).to(device)
    for rows in order.split(batch_size):
        logits = model(train_images[rows])  # (batch, 10)
        loss = F.cross_entropy(logits, train_labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        correct.append((logits.argmax(dim=1) == train_labels[rows]).sum())
    valid_accuracy = accuracy(model, valid_images, valid_labels)
    print(f"epoch {epoch + 1}: validation accuracy {valid_accuracy:.3f}")
assert valid_accuracy > untrained

# %% [markdown]
# A single batch of eight says little, so we look at means over 2,750 batches.

# %%
losses, correct = torch.stack(losses), torch.stack(correct).float()
print(f"{len(losses):,} steps")
for part, hits in zip(losses.split(2750), correct.split(2750)):
    print(f"loss {part.mean():.2f}, accuracy {hits.mean() / batch_size:.2f}")
assert losses[:2750].mean() > losses[-5500:-2750].mean() > losses[-2750:].mean()

# %% [markdown]
# Most of it happens early, and at the end the loss is still falling.
#
# ## Old mistakes
#
# The old tutorial divides the number of right digits by the batch size, both integers.
# In its day that rounded down, so the accuracy was 0 unless all eight were right.
# Today `/` between integers gives a float; `//` still rounds down.
# It also calls `loss.cpu()` on a line of its own, to bring the loss back from the GPU.
# But such a method does not change its tensor: it returns another one, which nobody keeps here.
# `double()` is of the same family, and shows it without a GPU.
# The tutorial's `loss.data[0]` is an old spelling of `loss.item()`, and fails today; its `volatile=True` is now `torch.no_grad()`.

# %%
right, total = torch.tensor(7), 8
print(f"rounded down {right // total}, divided {right / total}")
assert right // total == 0 and right / total == 0.875

loss.double()
print(f"still {loss.dtype}, still with its graph: {loss.requires_grad}")
assert loss.dtype == torch.float32 and loss.requires_grad
try:
    loss.data[0]
except IndexError as error:
    print(f"IndexError: {str(error).split('.')[0]}")
assert loss.item() == loss.detach() and not loss.detach().requires_grad

# %% [markdown]
# To keep a loss, take `loss.item()`, a Python number, or `loss.detach()`, a tensor without the graph.
# The first makes the program wait for the GPU at every step, so the loop above uses the second.
#
# ## Longer steps, larger batches
#
# The loss of the old recipe was still falling, so we try larger learning rates.
# To compare recipes, the loop stands in a function, without the record keeping.
# It makes two epochs, as above, of the first 20,000 digits: enough to compare, and soon done.
# `one_cycle` is for later.


# %%
def train(kind, rate, batch_size=128, one_cycle=False, n=20_000, seed=0):
    """A linear model after two epochs of the first n training digits."""
    torch.manual_seed(seed)
    model = nn.Linear(784, 10).to(device)
    # fused: all parameters in one call, which is faster
    optimizer = kind(model.parameters(), lr=rate, fused=True)
    num_steps = 2 * math.ceil(n / batch_size)
    if one_cycle:
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, rate, num_steps, cycle_momentum=False
        )
    for _ in range(2):
        for rows in torch.randperm(n).to(device).split(batch_size):
            loss = F.cross_entropy(model(train_images[rows]), train_labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if one_cycle:
                schedule.step()
    return model


def score(*recipe, **options):
    """Validation accuracy of a recipe."""
    return accuracy(train(*recipe, **options), valid_images, valid_labels)


# %% [markdown]
# A step over 128 digits takes much less than 16 times as long as one over 8, and an epoch has a sixteenth of them.
# To move as far in an epoch, a step of the larger batch needs 16 times the rate.
# So each row has a rate for batches of 8, and 16 times as much for batches of 128.

# %%
small, large = {}, {}  # validation accuracy by learning rate
for rate in [0.001, 0.01, 0.03]:
    small[rate] = score(torch.optim.SGD, rate, batch_size=8)
    large[rate] = score(torch.optim.SGD, 16 * rate)
    print(f"8 at {rate:<5}  {small[rate]:.3f}", end="   ")
    print(f"128 at {16 * rate:<5.3f}  {large[rate]:.3f}")
assert small[0.03] > small[0.001] + 0.03
assert abs(small[0.001] - large[0.001]) < 0.1 * (small[0.03] - small[0.001])

# %% [markdown]
# The rate of 0.001 was too small: longer steps are the whole gain, and the longest of these were the best.
# The batch decides little at these rates, once the rate grows with it, and the large batches need a sixteenth of the steps.
# From here on a batch has 128 digits.
#
# ## Another optimizer, and a schedule
#
# SGD uses one learning rate for all weights.
# **Adam** keeps an average of each weight's past gradients, and divides it by their usual size.
# So every weight has a step length of its own, and weights of rarely inked pixels move too.
#
# A **one-cycle** schedule starts with a low rate, rises to the one that we give it, and falls to almost nothing at the end.
# By default it also changes the optimizer's momentum, which [a later page](37_mnist_deep_classifier.py) explains; `cycle_momentum=False` keeps it to one change.
#
# Each of the four combinations gets four learning rates; Adam's are of another size.

# %%
sgd, adam = torch.optim.SGD, torch.optim.Adam
recipes = {"SGD": (sgd, False), "SGD, one cycle": (sgd, True)}
recipes |= {"Adam": (adam, False), "Adam, one cycle": (adam, True)}
best_rate = {}
for name, (kind, one_cycle) in recipes.items():
    rates = [0.2, 0.5, 2.0, 5.0] if kind is sgd else [0.001, 0.003, 0.03, 0.1]
    scores = {rate: score(kind, rate, one_cycle=one_cycle) for rate in rates}
    best_rate[name] = max(scores, key=scores.get)
    print(f"{name}:", "  ".join(f"{r} {scores[r]:.3f}" for r in rates))

# %% [markdown]
# None is best at its first rate, or at its last.
# A schedule allows larger rates here, as its last steps are short anyway.
# We run each at its best rate, with three seeds that had no part in the choice.
# Beside them stands the **standard error** of an accuracy $p$ on $n$ digits, $\sqrt{p(1-p)/n}$: with other digits it would differ by about that much.
# A [later page](38_how_sure_can_we_be.py) takes this up.

# %% tags=["predict"] ask="With p = 0.93 on 5,000 digits, how large is the standard error?" answers=["0.0651", "0.0036", "0.000013"] why="It is the root of p(1-p)/n: more digits make it smaller, but only by the root of their number."
means = {}
for name, (kind, one_cycle) in recipes.items():
    rate = best_rate[name]
    runs = [score(kind, rate, one_cycle=one_cycle, seed=seed) for seed in (1, 2, 3)]
    means[name] = np.mean(runs)
    print(f"{means[name]:.3f} ± {np.std(runs, ddof=1):.3f}  {name} at {rate}")
p, n = means["Adam"], len(valid_images)
standard_error = math.sqrt(p * (1 - p) / n)
print(f"standard error {standard_error:.4f}")
assert means["Adam, one cycle"] > means["SGD"] + 0.005

# %% [markdown]
# Together Adam and the schedule lead from 0.922 to 0.936, about four times the standard error of one of them.
# Each alone gains about as much as plain SGD's own seeds differ, so three seeds do not tell what it is worth.
#
# ## Result
#
# Now both recipes with all training digits, two epochs each, and the test digits for the first time.

# %%
new_model = train(adam, best_rate["Adam, one cycle"], one_cycle=True, n=55_000)
old_accuracy = accuracy(model, test_images, test_labels)
test_accuracy = accuracy(new_model, test_images, test_labels)
p, n = test_accuracy, len(test_labels)
print(f"old recipe: test accuracy {old_accuracy:.1%} after {len(losses):,} steps")
print(f"new recipe: test accuracy {p:.1%} after {2 * math.ceil(55_000 / 128)} steps")
print(f"standard error {math.sqrt(p * (1 - p) / n):.1%}")
assert test_accuracy > 0.923 and test_accuracy > old_accuracy + 0.03

# %% [markdown]
# ## What it learned
#
# A class has as many weights as there are pixels, so they can be shown as a picture.
# Orange is where ink speaks for the digit, purple where ink speaks against it.
# Look at the middle of the 0 and of the 1.

# %% alt="Ten images of weights, one per digit; some show a smudged trace of the digit"
weights = new_model.weight.detach().cpu().unflatten(1, (28, 28)).numpy()
limit = abs(weights).max() / 2

fig, axes = plt.subplots(2, 5, figsize=(5.5, 2.8), layout="constrained")
for digit, ax in enumerate(axes.flat):
    ax.imshow(weights[digit], cmap="PuOr_r", vmin=-limit, vmax=limit)
    ax.set_title(digit)
    ax.axis("off")
middle = weights[:, 12:16, 13:15].mean(axis=(1, 2))
assert middle[0] < 0 < middle[1]  # for every seed
plt.show()

# %% [markdown]
# Ink in the middle speaks against a 0 and for a 1.
# The strong colours along the border belong to pixels that few digits reach: perhaps Adam has moved their weights far on little evidence.
#
# Which digits does it take for which?
# A **confusion matrix** counts, for each true digit, what the model said; off its diagonal stand the mistakes.
# We add both directions of each pair of digits, and print the two pairs with the most.

# %% tags=["predict"] ask="Which of these pairs of digits does it mix up most?" answers=["1 and 7", "0 and 6", "4 and 9"] why="A 9 is an open 4 with a stroke across its top: most of the ink lies in the same pixels."
with torch.no_grad():
    probabilities = new_model(test_images).softmax(dim=1).cpu()  # (10000, 10)
truth, guess = digits.test_labels, probabilities.argmax(dim=1)
# Truth and guess are the tens and the ones of a number from 0 to 99.
confusion = (truth * 10 + guess).bincount(minlength=100).unflatten(0, (10, 10))
pairs = (confusion + confusion.T).triu(diagonal=1).flatten()  # each pair once
assert pairs.sum() == (truth != guess).sum()
for place in pairs.argsort(descending=True)[:2].sort().values.tolist():
    print(f"{place // 10} and {place % 10}: {pairs[place]} mistakes")

# %% [markdown]
# ## Try it yourself
#
# **1.** Many programs use `AdamW`: with each step it also pulls each weight a little towards 0, which is called **weight decay**.
# Does it read more than Adam, with the schedule, at the same rate and for the same three seeds?
# Call the mean of its validation accuracies less that of Adam `gain`.

# %% tags=["solution"]
rate = best_rate["Adam, one cycle"]
decayed = [score(torch.optim.AdamW, rate, one_cycle=True, seed=s) for s in (1, 2, 3)]
gain = np.mean(decayed) - means["Adam, one cycle"]
print(f"AdamW {np.mean(decayed):.3f}, Adam {means['Adam, one cycle']:.3f}")
assert abs(gain) < standard_error

# %% [markdown] tags=["solution"]
# The two are equal here: in so few steps the default decay of 0.01 makes no difference that one could see.

# %% [markdown]
# **2.** Which are the ten mistakes of which the model was surest?
# Put their places in the test set into a tensor `surest`.
# Would you have read those digits right?

# %% tags=["solution"] alt="Ten misread digits, each with its label and the guess"
sureness = probabilities.amax(dim=1) * (guess != truth)
surest = sureness.argsort(descending=True)[:10]
fig, axes = plt.subplots(2, 5, figsize=(5.5, 2.8), layout="constrained")
for ax, i in zip(axes.flat, surest):
    ax.imshow(digits.test_images[i].numpy(), cmap="gray")
    ax.set_title(f"{truth[i]} → {guess[i]}")
    ax.axis("off")
plt.show()
assert len(surest) == 10 and (guess[surest] != truth[surest]).all()
assert torch.equal(
    probabilities[surest].amax(dim=1).sort(descending=True).values,
    probabilities[guess != truth].amax(dim=1).topk(10).values,
)

# %% [markdown]
# ## What next
#
# However it is trained, one linear layer sees each pixel by itself, and has no way to say "these two together".
# [Four hidden layers](37_mnist_deep_classifier.py) do, and read more.
# The [next page](34_several_labels.py) first asks what to do where several answers are right at once.
