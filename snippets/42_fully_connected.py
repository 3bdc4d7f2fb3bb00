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
# An old tutorial trains a network with 25 hidden units on [CIFAR-10](41_cifar10.py) and gets 39 % of the test pictures right.
# We begin with its recipe, find a mistake in it, and then change one thing at a time.
# The same 25 units end above 46 %, after a few seconds of training.
# You should know the data and [cross entropy](31_softmax_and_cross_entropy.py).

# %%
import math
import time

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
# The pictures stay bytes in memory.
# Each batch becomes floats from −1 to 1 on its way into the model.

# %%
data = cifar10()
train_images, train_labels = data.train_images.to(device), data.train_labels.to(device)
test_images, test_labels = data.test_images.to(device), data.test_labels.to(device)


def normalize(images):
    """Bytes from 0 to 255 as floats from -1 to 1."""
    return images.float() / 127.5 - 1


@torch.no_grad()
def accuracy(model):
    """Share of the test pictures that a model gets right."""
    model.eval()
    correct = 0
    for images, labels in zip(test_images.split(1000), test_labels.split(1000)):
        correct += (model(normalize(images)).argmax(dim=1) == labels).sum().item()
    return correct / len(test_labels)


print(f"train {tuple(train_images.shape)}, test {tuple(test_images.shape)}")

# %% [markdown]
# ## The old network
#
# A picture is flattened to 3 · 32 · 32 = 3072 numbers.
# A layer of 25 hidden units follows, then one output per class.
# The old tutorial calls this 25 hidden layers; it is one hidden layer of 25 units.
# Both layers end in a sigmoid, and the second sigmoid is the mistake to watch.
# Each network that we make starts from the same seed, so that recipes are compared from equal starts.


# %%
def network(activation, *after):
    """3072 inputs, 25 hidden units, 10 outputs; `after` acts on the outputs."""
    torch.manual_seed(0)
    layers = nn.Linear(3072, 25), activation, nn.Linear(25, 10)
    return nn.Sequential(nn.Flatten(), *layers, *after).to(device)


model = network(nn.Sigmoid(), nn.Sigmoid())
num_parameters = sum(p.numel() for p in model.parameters())
print(f"{num_parameters:,} parameters; untrained accuracy {accuracy(model):.2f}")
assert num_parameters == (3072 + 1) * 25 + (25 + 1) * 10

# %% [markdown]
# ## The old recipe
#
# We will train many times, so the loop goes into a function, and what we change are its arguments.
# The last two, `scheduler` and `flips`, come into use further down.
# For each batch:
#
# 1. make floats of its pictures, and mirror some if asked to;
# 2. compute the outputs and their cross entropy with the labels;
# 3. clear the old gradients, and compute new ones;
# 4. let the optimizer step, and the learning rate change if it has a schedule.


# %%
def train(model, num_images, batch_size, optimizer, scheduler=None, flips=False):
    """Train on so many pictures in random order; return the losses of all steps."""
    model.train()
    losses = []
    order = torch.randperm(len(train_images))[:num_images].to(device)
    for batch in order.split(batch_size):
        images = normalize(train_images[batch])
        if flips:  # about half of the pictures, left to right
            mirror = torch.rand(len(batch), 1, 1, 1) < 0.5
            images = torch.where(mirror.to(device), images.flip(3), images)
        loss = F.cross_entropy(model(images), train_labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu()


# %% [markdown]
# The old tutorial takes batches of 4, plain gradient descent with a learning rate of 0.1, and three epochs.
# A tenth of an epoch is enough to compare recipes.

# %%
tenth = len(train_images) // 10
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
started = time.process_time()
losses = train(model, tenth, batch_size=4, optimizer=optimizer)
seconds_in_fours = time.process_time() - started

results = {"old recipe": accuracy(model)}
print(f"{len(losses):,} steps, test accuracy {results['old recipe']:.3f}")
assert results["old recipe"] > 2 / (train_labels.max() + 1)  # twice as good as guessing

# %% [markdown]
# ## A mistake: a sigmoid on the logits
#
# Cross entropy contains a softmax, and a softmax wants logits: any numbers, as large as they need to be.
# After a sigmoid they lie between 0 and 1.
# Then even the best output, 1 for the right class and 0 for the other nine, gets little probability, and its loss is far from zero.

# %%
best_output = F.one_hot(torch.tensor(0), num_classes=10).float()
probability = best_output.softmax(dim=0)[0].item()
lowest_loss = F.cross_entropy(best_output, torch.tensor(0)).item()
print(f"highest probability {probability:.3f}, lowest loss {lowest_loss:.3f}")
assert math.isclose(lowest_loss, math.log(math.e + 9) - 1, rel_tol=1e-6)

# %% [markdown]
# The model can never be surer than 23 %.
# Without the second sigmoid, and with everything else as before, it gets a little more right.
# A tenth of an epoch hides most of the difference: the second exercise measures it over a whole one.

# %%
model = network(nn.Sigmoid())
train(model, tenth, 4, torch.optim.SGD(model.parameters(), lr=0.1))
results["raw logits"] = accuracy(model)
print(f"test accuracy {results['raw logits']:.3f}")

# %% [markdown]
# ## ReLU, and a learning rate to go with it
#
# A sigmoid is flat on both sides, and where it is flat no gradient comes through.
# ReLU is flat on one side only.
# On the other side its outputs have no upper limit, and its gradients are larger: too large for the old learning rate.

# %%
relu_accuracy = {}
for learning_rate in [0.1, 0.01]:
    model = network(nn.ReLU())
    train(model, tenth, 4, torch.optim.SGD(model.parameters(), lr=learning_rate))
    relu_accuracy[learning_rate] = accuracy(model)
    print(f"rate {learning_rate}: test accuracy {relu_accuracy[learning_rate]:.3f}")
results["ReLU"] = relu_accuracy[0.01]
assert results["ReLU"] > max(0.15, relu_accuracy[0.1] + 0.05)

# %% [markdown]
# At the old rate it is little better than guessing: each step spoils what the steps before it achieved.
# A tenth of it is enough, and better than the sigmoid.
#
# ## Larger batches
#
# Most of a small step is overhead, so a step on 128 pictures costs far less than 32 steps on 4.
# A whole epoch, ten times as many pictures as above, takes less than three times as long.
# The gradient of a large batch is less noisy, and bears the larger learning rate again.

# %%
model = network(nn.ReLU())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
started = time.process_time()
train(model, len(train_images), 128, optimizer)
assert time.process_time() - started < 3 * seconds_in_fours

results["batches of 128"] = accuracy(model)
print(f"test accuracy {results['batches of 128']:.3f}")

# %% [markdown]
# ## A step size for each weight, a schedule for all
#
# AdamW scales the step of each weight by the size of its recent gradients.
# A **one-cycle** schedule raises the learning rate to its maximum and then lowers it to almost nothing: long steps first, fine ones last.

# %%
num_steps = math.ceil(len(train_images) / 128)
for one_cycle in [False, True]:
    model = network(nn.ReLU())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    scheduler = None
    if one_cycle:
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, num_steps)
    name = "AdamW, one-cycle" if one_cycle else "AdamW"
    train(model, len(train_images), 128, optimizer, scheduler)
    results[name] = accuracy(model)
    print(f"{name:17} {results[name]:.3f}")

# %% [markdown]
# ## Training
#
# Now three epochs with all of that, and one thing more.
# A mirrored cat is still a cat, so each picture is flipped left to right half of the time.
# The network sees it in two forms, and has a harder time learning it by heart.

# %%
num_epochs = 3
batch_size = 128
max_learning_rate = 0.005  # found by trying a few

model = network(nn.ReLU())
optimizer = torch.optim.AdamW(model.parameters(), lr=max_learning_rate)
scheduler = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_learning_rate, total_steps=num_epochs * num_steps
)
for epoch in range(num_epochs):
    losses = train(model, len(train_images), batch_size, optimizer, scheduler, True)
    print(f"epoch {epoch + 1}  mean loss {losses.mean():.2f}")

# %% [markdown]
# ## Result

# %%
test_accuracy = accuracy(model)
results["three epochs, flips"] = test_accuracy
for name, value in results.items():
    print(f"{name:19} {value:.2f}")
assert test_accuracy > 0.465

# %% [markdown]
# Each line makes one change to the line above it, and sets the learning rate to go with it.
# From the fourth line on it is a whole epoch instead of a tenth.
# AdamW alone brought nothing; the schedule brought three hundredths.
# The last line is the same recipe for three times as long, with mirrored pictures.
#
# ## What it learned
#
# A hidden unit has one weight for each of the 3072 numbers, so its weights are a picture too.
# Where it is light red, more red in the picture means more activation.
# Look for shapes.

# %% alt="The weights of the 25 hidden units as small pictures: blurred blobs of colour"
weights = model[1].weight.detach().cpu().unflatten(1, (3, 32, 32))  # (25, 3, 32, 32)
low, high = weights.amin((1, 2, 3)), weights.amax((1, 2, 3))
pictures = (weights - low[:, None, None, None]) / (high - low)[:, None, None, None]

fig, axes = plt.subplots(3, 9, figsize=(7, 2.5), layout="constrained")
for ax in axes.flat:
    ax.axis("off")
for ax, picture in zip(axes.flat, pictures):
    ax.imshow(picture.permute(1, 2, 0).numpy())
plt.show()

# %% [markdown]
# They are templates of whole pictures: something wide and low, something upright, a bright thing in the middle.
# Left and right look alike, since mirrored pictures count the same.
# But each template is tied to its place: the same thing, further to the side, does not match it.
#
# ## Try it yourself
#
# **1.** Shift all test pictures to the right by 1, 2, 4 and 8 pixels (`torch.roll`).
# How many are still right?

# %% tags=["solution"]
original_images = test_images
for shift in [0, 1, 2, 4, 8]:
    test_images = original_images.roll(shift, dims=3)
    print(f"shifted by {shift}: {accuracy(model):.3f}")
test_images = original_images

# %% [markdown]
# **2.** Train the network with the sigmoid on its logits by the new recipe, for one epoch.
# How many does it get right, and does its loss ever fall below the bound that we computed?

# %% tags=["solution"]
model = network(nn.ReLU(), nn.Sigmoid())
optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, num_steps)
losses = train(model, len(train_images), 128, optimizer, scheduler)
print(f"{accuracy(model):.3f}, without the sigmoid {results['AdamW, one-cycle']:.3f}")
print(f"lowest loss {losses.min():.2f}")
assert losses.min() > lowest_loss

# %% [markdown]
# ## What next
#
# The [next page](43_convolution.py) gives the network what it lacks: units that look at small regions, the same everywhere.
# The one-cycle schedule is from Smith and Topin's "Super-Convergence" (2018), AdamW from Loshchilov and Hutter's "Decoupled Weight Decay Regularization" (2019).
