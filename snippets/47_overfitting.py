# ---
# jupyter:
#   page:
#     teaches: {}
#     level: intermediate
#     read_first: [46_lenet]
#     result: test_accuracy
# ---

# %% [markdown]
# # Overfitting and what helps
#
# A network that sees few pictures often enough learns them by heart, and what it knows by heart is of little use with others.
# That is **overfitting**.
# We let it happen on 1,000 pictures of [CIFAR-10](41_cifar10.py), and try four remedies, one at a time: dropout, batch normalisation, weight decay, and changed pictures.
# One of them helps here by more than luck.
# You should know [convolutional networks](45_convolutional_network.py).

# %%
import math
import statistics
from functools import partial

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

from load import cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# [Standardised](43_convolution.py) pictures: 1,000 to train on, 5,000 to choose by, and the test pictures for the end.

# %%
data = cifar10()
pixels = data.train_images[:1_000].float()
channel_std, channel_mean = torch.std_mean(pixels, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    return ((images.float() - channel_mean) / channel_std).to(device)


train_images = standardize(data.train_images[:1_000])  # (1000, 3, 32, 32)
train_labels = data.train_labels[:1_000].to(device)
valid_images = standardize(data.train_images[-5_000:])
valid_labels = data.train_labels[-5_000:].to(device)
test_images, test_labels = standardize(data.test_images), data.test_labels.to(device)

# %% [markdown]
# ## The network
#
# The first convolution has a stride of 2, which leaves fewer places and less work.
# Two kinds of layers are new, and both are off at first.
#
# - **Dropout** sets a random part of its inputs to 0 in training, another one each time, and makes the rest larger to keep the sum, on average. No unit can rely on a single other one.
# - **Batch normalisation** subtracts from each channel its mean over the batch and divides by its standard deviation, then multiplies and adds learned numbers. It also remembers a running mean and deviation.


# %% tags=["predict"] ask="One layer has most of them: how many parameters in all, to within a twentieth?" why="The layer behind `Flatten` has 800 weights for each of its 120 units; a filter of a convolution has few."
def network(dropout=0.0, batch_norm=False):
    """Two convolutions, two linear layers; (batch, 3, 32, 32) to 10 logits."""
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=5, stride=2),  # (batch, 16, 14, 14)
        nn.BatchNorm2d(16) if batch_norm else nn.Identity(),
        nn.ReLU(),
        nn.MaxPool2d(2),  # (batch, 16, 7, 7)
        nn.Conv2d(16, 32, kernel_size=3),  # (batch, 32, 5, 5)
        nn.BatchNorm2d(32) if batch_norm else nn.Identity(),
        nn.ReLU(),
        nn.Flatten(),  # (batch, 800)
        nn.Dropout(dropout),
        nn.Linear(800, 120),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(120, 10),
    ).to(device)


print(f"{sum(p.numel() for p in network().parameters()):,} parameters")

# %% [markdown]
# Both do one thing in training and another in use: then dropout lets everything pass, and batch normalisation takes the remembered mean and deviation.
# A network cannot know which of the two it is in, so we say it: `model.train()` before an epoch, `model.eval()` before judging.


# %%
@torch.no_grad()
def judge(model, images, labels, batch_size=500):
    """Mean loss and accuracy, in the mode that the model is in."""
    logits = torch.cat([model(part) for part in images.split(batch_size)])
    hits = logits.argmax(dim=1) == labels
    return F.cross_entropy(logits, labels).item(), hits.float().mean().item()


# %% [markdown]
# ## Learning by heart
#
# The loop of the pages before, with a constant learning rate, and twenty epochs long.
# After each epoch we judge the network on the pictures that it trains on, and on those set aside.

# %%
num_epochs = 20
batch_size = 64
learning_rate = 0.003

model = network()
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
seen, unseen = [], []  # loss and accuracy after each epoch

for epoch in range(num_epochs):
    model.train()
    for batch in torch.randperm(len(train_images)).split(batch_size):
        loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    seen.append(judge(model, train_images, train_labels))
    unseen.append(judge(model, valid_images, valid_labels))

# %% [markdown]
# Look for the epoch at which the two losses part, and at what the accuracy does from there.

# %% alt="Two panels: the loss on unseen pictures rises while that on seen ones falls"
epochs = range(1, num_epochs + 1)
fig, axes = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
for i, (ax, name) in enumerate(zip(axes, ["loss", "accuracy"])):
    ax.plot(epochs, [pair[i] for pair in seen], label="seen in training")
    ax.plot(epochs, [pair[i] for pair in unseen], label="not seen")
    ax.set(xlabel="epoch", ylabel=name)
axes[0].legend()
plt.show()

# %%
unseen_losses = [loss for loss, accuracy in unseen]
print(f"accuracy seen {seen[-1][1]:.2f}, not seen {unseen[-1][1]:.2f}")
print(
    f"loss not seen: lowest {min(unseen_losses):.1f}, at last {unseen_losses[-1]:.1f}"
)
assert seen[-1][1] - unseen[-1][1] > 0.576  # a gap in accuracy
assert unseen_losses[-1] > 1.5 * min(unseen_losses)

# %% [markdown]
# In the end the network is right about nearly every picture that it has seen, and about four in ten of the others.
# The loss on those is lowest early, and then grows: the network becomes surer and surer, also where it is wrong.
# Its accuracy on them hardly falls, as the right panel shows; the first exercise compares.
#
# ## Four remedies
#
# - Dropout of 0.5, which means: of half of the values.
# - Batch normalisation behind both convolutions.
# - **Weight decay**: each step also makes all weights a little smaller. [AdamW](33_mnist_logistic_regression.py) has a weight decay of 0.01 by default; here it is 1.
# - Changed pictures: half of them mirrored, all shifted by up to four pixels. Each then has two times nine times nine forms, and fifteen epochs show at most fifteen of them.
#
# The recipe is that of the pages before, with a one-cycle schedule, and fifteen epochs for all.


# %%
def change(images):
    """Pictures, half of them mirrored, each shifted by up to four pixels."""
    mirror = torch.rand(len(images), 1, 1, 1) < 0.5
    images = torch.where(mirror.to(device), images.flip(3), images)
    places = torch.randint(0, 9, (len(images), 2)).tolist()
    padded = zip(F.pad(images, (4, 4, 4, 4)), places)
    return torch.stack(
        [p[:, row : row + 32, col : col + 32] for p, (row, col) in padded]
    )


def trained(make, max_rate, seed, weight_decay=0.01, change=None):
    """A new network after fifteen epochs, ready to be judged."""
    torch.manual_seed(seed)
    model = make()
    num_steps = 15 * math.ceil(len(train_images) / 64)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_rate, num_steps, cycle_momentum=False
    )
    for epoch in range(15):
        for batch in torch.randperm(len(train_images)).split(64):
            images = change(train_images[batch]) if change else train_images[batch]
            loss = F.cross_entropy(model(images), train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


# %%
remedies = {
    "none": partial(trained, network),
    "dropout": partial(trained, partial(network, dropout=0.5)),
    "batch normalisation": partial(trained, partial(network, batch_norm=True)),
    "weight decay": partial(trained, network, weight_decay=1.0),
    "changed pictures": partial(trained, network, change=change),
}

# %% [markdown]
# Each gets its own learning rate, the best of four on the pictures set aside.
# How many pictures, how many epochs, and how strong each remedy is, was settled on the same pictures, in trials that are not shown; at other strengths another remedy may be ahead.

# %%
rates = [0.001, 0.003, 0.01, 0.03]
best_rates = {}
print(*(f"{rate:5}" for rate in rates), " learning rate")
for name, train in remedies.items():
    models = [train(rate, 0) for rate in rates]
    scores = [judge(model, valid_images, valid_labels)[1] for model in models]
    best_rates[name] = rates[scores.index(max(scores))]
    print(*(f"{score:5.2f}" for score in scores), "", name)

# %% [markdown]
# ## Result
#
# Then three other seeds for each, and the test pictures, for the first time.

# %% tags=["predict"] ask="With which remedy does the network know all its pictures by heart?" answers=["1.00 batch normalisation", "1.00 dropout", "1.00 weight decay"] why="Dropout and weight decay stand in the way of learning by heart; batch normalisation makes learning easier, also by heart."
finished, means, by_heart = {}, {}, {}
print("test           seen")
for name, train in remedies.items():
    models = [train(best_rates[name], seed) for seed in [1, 2, 3]]
    runs = [judge(model, test_images, test_labels)[1] for model in models]
    known = [judge(model, train_images, train_labels)[1] for model in models]
    finished[name], means[name] = models[0], statistics.mean(runs)
    by_heart[name] = statistics.mean(known)
    spread = statistics.stdev(runs)
    print(f"{means[name]:.3f} ± {spread:.3f}  {by_heart[name]:.2f}  {name}")
test_accuracy = means["changed pictures"]
standard_error = math.sqrt(test_accuracy * (1 - test_accuracy) / len(test_labels))
print(f"standard error of one run {standard_error:.3f}")
assert max(means.values()) > means["none"]
assert by_heart["changed pictures"] < by_heart["none"] - 0.1

# %% [markdown]
# Look at the right column first, the accuracy on the pictures that were trained on.
# With dropout, weight decay and changed pictures the network knows fewer of them than the 0.94 without a remedy; with batch normalisation it knows all.
# But what counts is the left column, and there one remedy is better than none by more than luck: the changed pictures, with 0.429 in place of 0.400.
# The other three differ from none by no more than their seeds do from each other.
# None of this is settled for other networks, more pictures or more epochs: there it has to be measured again.
#
# ## A forgotten eval()
#
# What if we judge with the networks still in training mode?

# %%
cost = {}
for name, batch_size in [("dropout", 500), ("batch normalisation", 4)]:
    model = finished[name]
    right = judge(model.eval(), valid_images, valid_labels, batch_size)[1]
    wrong = judge(model.train(), valid_images, valid_labels, batch_size)[1]
    cost[name] = right - wrong
    print(f"eval {right:.2f}, train {wrong:.2f}  {name}, batches of {batch_size}")
assert min(cost.values()) > 0  # for every seed

# %% [markdown]
# Dropout goes on dropping, and batch normalisation takes the mean of four pictures for that of all.
# Nothing warns: the figures are only worse, and those with dropout differ each time.
# The batch normalisation has also gone on averaging: what it remembers now comes from the pictures that it was judged on.
#
# ## Try it yourself
#
# **1.** Stop early: at which epoch, `best_epoch` (counted from 0), was the first network's loss on the pictures set aside lowest, and what was its accuracy then?

# %% tags=["solution"]
best_epoch = unseen_losses.index(min(unseen_losses))
early, late = unseen[best_epoch][1], unseen[-1][1]
print(f"accuracy {early:.2f} there, {late:.2f} at the end")
assert unseen_losses[best_epoch] == min(unseen_losses) and best_epoch < num_epochs / 2

# %% [markdown]
# **2.** Does `model.eval()` also turn off the gradients?
# Compute a `loss` in this mode, and look.

# %% tags=["solution"]
loss = F.cross_entropy(finished["none"].eval()(valid_images[:4]), valid_labels[:4])
print(f"the loss has a graph: {loss.requires_grad}")
assert loss.requires_grad

# %% [markdown]
# ## What next
#
# The [next page](48_side_by_side.py) puts all networks of the chapter side by side.
# Dropout is from Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), batch normalisation from Ioffe and Szegedy (2015), and weight decay taken apart from the gradient from Loshchilov and Hutter (2019).
