# ---
# jupyter:
#   page:
#     teaches:
#       C5: Class by class
#     level: intermediate
#     read_first: [45_convolutional_network]
#     result: test_accuracy
# ---

# %% [markdown]
# # LeNet on CIFAR-10
#
# In 1998 a network with two convolutions and three linear layers, LeNet-5, read the digits on bank cheques.
# Old tutorials train a relative of it on [CIFAR-10](41_cifar10.py), four pictures at a time.
# We begin as they do, change the recipe one thing at a time, and pass 60 % of the test pictures in four epochs.
# Then we do what one does with a trained model: save it, load it, ask it, and see which classes it knows well.
# You should know [convolutional networks](45_convolutional_network.py).

# %%
import math
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

from load import CIFAR10_CLASSES, cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# The old recipe maps the bytes to [−1, 1].

# %%
data = cifar10()
train_images, train_labels = data.train_images.to(device), data.train_labels.to(device)
test_images, test_labels = data.test_images.to(device), data.test_labels.to(device)


def scale(images):
    """Bytes from 0 to 255 as floats from -1 to 1."""
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return images / 127.5 - 1


print(f"train {tuple(train_images.shape)}, test {tuple(test_images.shape)}")

# %% [markdown]
# ## The model
#
# It is written as a class: the layers are made in `__init__` and used in `forward`.
# A layer without weights, such as pooling, can be used twice.


# %%
class LeNet(nn.Module):
    """Two convolutions and three linear layers: (batch, 3, 32, 32) to (batch, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, kernel_size=5)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.pool = nn.MaxPool2d(2)
        self.linear1 = nn.Linear(16 * 5 * 5, 120)
        self.linear2 = nn.Linear(120, 84)
        self.linear3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(self.conv1(x).relu())  # (batch, 6, 14, 14)
        x = self.pool(self.conv2(x).relu())  # (batch, 16, 5, 5)
        x = x.flatten(1)  # (batch, 400)
        x = self.linear1(x).relu()  # (batch, 120)
        x = self.linear2(x).relu()  # (batch, 84)
        return self.linear3(x)  # (batch, 10)


model = LeNet().to(device)
num_parameters = sum(p.numel() for p in model.parameters())
print(f"{num_parameters:,} parameters")
assert num_parameters == 62_006
assert model(scale(test_images[:4])).shape == (4, 10)

# %% [markdown]
# We judge it as on the page before, by the share of the test pictures that it gets right.


# %%
@torch.no_grad()
def predict(model, images=test_images, prepare=scale):
    """The logits of pictures, (n, 10), on the CPU."""
    model.eval()
    return torch.cat([model(prepare(batch)) for batch in images.split(500)]).cpu()


def accuracy(logits):
    """Share of the test pictures whose highest logit is at their label."""
    return (logits.argmax(dim=1) == data.test_labels).float().mean().item()


# %% [markdown]
# ## The old recipe
#
# Batches of 4, plain gradient descent with a learning rate of 0.001 and a momentum of 0.9, two epochs.
# The loss of a single batch jumps, so one prints the **running loss**: the mean since the last print.
# The old tutorial does so every 2000 batches; we train on the first 10,000 pictures, 2500 batches, and print every 500.

# %%
batch_size = 4
optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
running_loss = 0.0
model.train()

for step, batch in enumerate(torch.randperm(10_000).split(batch_size), start=1):
    logits = model(scale(train_images[batch.to(device)]))
    loss = F.cross_entropy(logits, train_labels[batch.to(device)])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    running_loss += loss.item()
    if step % 500 == 0:
        print(f"step {step}  loss {running_loss / 500:.2f}")
        running_loss = 0.0

results = {"old recipe": accuracy(predict(model))}
print(f"test accuracy {results['old recipe']:.3f}")

# %% [markdown]
# ## One change at a time
#
# All with the same 10,000 pictures, each seen once.
#
# 1. Batches of 64: sixteen times fewer steps, so at the old learning rate the network hardly leaves its start.
# 2. A learning rate thirty times as large.
# 3. AdamW in place of gradient descent with momentum.


# %%
def short_run(optimizer_class, **settings):
    """Test accuracy after 10,000 pictures in batches of 64, from the same start."""
    torch.manual_seed(0)
    model = LeNet().to(device)
    optimizer = optimizer_class(model.parameters(), **settings)
    for batch in torch.randperm(10_000).to(device).split(64):
        logits = model(scale(train_images[batch]))
        optimizer.zero_grad()
        F.cross_entropy(logits, train_labels[batch]).backward()
        optimizer.step()
    return accuracy(predict(model))


results["batches of 64"] = short_run(torch.optim.SGD, lr=0.001, momentum=0.9)
results["learning rate 0.03"] = short_run(torch.optim.SGD, lr=0.03, momentum=0.9)
results["AdamW"] = short_run(torch.optim.AdamW, lr=0.004)

for name, value in results.items():
    print(f"{name:18} {value:.2f}")
assert results["AdamW"] > results["batches of 64"] + 0.1

# %% [markdown]
# ## Training
#
# With sixteen times fewer steps, the larger learning rate does as well as the old recipe, and AdamW does better.
#
# Now the whole set for four epochs, with what the pages before have brought: a one-cycle schedule, mirrored pictures, and pixels [standardised](43_convolution.py) per channel.

# %%
sample = train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(sample, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return (images - channel_mean) / channel_std


# %% [markdown]
# For each batch: standardise its pictures and mirror half of them, logits, loss, gradients, step, next learning rate.

# %%
num_epochs = 4
batch_size = 64
max_learning_rate = 0.004

torch.manual_seed(0)
model = LeNet().to(device, memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(model.parameters(), lr=max_learning_rate)
num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_learning_rate, num_steps)
losses = []

for epoch in range(num_epochs):
    for batch in torch.randperm(len(train_images)).split(batch_size):
        images = standardize(train_images[batch.to(device)])
        mirror = torch.rand(len(batch), 1, 1, 1) < 0.5
        images = torch.where(mirror.to(device), images.flip(3), images)
        loss = F.cross_entropy(model(images), train_labels[batch.to(device)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.detach())
    print(f"epoch {epoch + 1}  loss {torch.stack(losses[-500:]).mean():.2f}")

# %% [markdown]
# ## Result

# %%
logits = predict(model, prepare=standardize)
test_accuracy = accuracy(logits)
print(f"test accuracy {test_accuracy:.3f}")
assert test_accuracy > 0.61

# %% [markdown]
# ## Save and load
#
# The state of a model is a dictionary of named tensors.
# We save that, not the model object, since a file of tensors can be read without running anyone's code.
# `weights_only=True`, the default since PyTorch 2.6, refuses a file that would run any.
# To load it one needs the class, and makes a new model.

# %%
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "lenet.pt"
    torch.save(model.state_dict(), path)
    state = torch.load(path, weights_only=True, map_location=device)

loaded = LeNet().to(device, memory_format=torch.channels_last)
loaded.load_state_dict(state)
print(*(f"{name} {tuple(value.shape)}" for name, value in state.items()), sep="\n")
difference = (predict(loaded, prepare=standardize) - logits).abs().max()
assert difference < 0.01 and torch.equal(loaded.conv1.weight, model.conv1.weight)

# %% [markdown]
# ## Ask it
#
# Eight test pictures, with their class, and below it the probability that the model gives to it.
# Look at the pictures with a low one: could you have told?

# %% alt="Eight test pictures, each with its class and the probability given to it"
probabilities, answers = logits.softmax(dim=1).max(dim=1)

fig, axes = plt.subplots(2, 4, figsize=(6, 4), layout="constrained")
for i, ax in enumerate(axes.flat):
    ax.imshow(data.test_images[i].permute(1, 2, 0).numpy())
    label = data.test_labels[i]
    share = logits[i].softmax(dim=0)[label].item()
    ax.set_title(f"{CIFAR10_CLASSES[label]}\n{share:.2f}", fontsize=10)
    ax.axis("off")
plt.show()

# %% [markdown]
# ## Class by class
#
# The share of right answers within each class.
# An old program counts them in a loop over batches, and breaks if a batch has not four pictures.
# No loop is needed: count the right ones of each class, and divide by how many there are.

# %% alt="Bars: accuracy of each class, and a line at the mean"
right = answers == data.test_labels
class_counts = data.test_labels.bincount(minlength=10)
class_accuracies = data.test_labels[right].bincount(minlength=10) / class_counts
for name, value in zip(CIFAR10_CLASSES, class_accuracies):
    print(f"{name:10} {value:.2f}")
assert class_accuracies.min() > 0.36 and class_accuracies.max() > test_accuracy

fig, ax = plt.subplots(figsize=(5.5, 3.2))
ax.bar(range(10), class_accuracies.numpy())
ax.axhline(test_accuracy, color="tab:orange", label=f"all: {test_accuracy:.2f}")
ax.set(ylabel="test accuracy", ylim=(0, 1))
ax.set_xticks(range(10), CIFAR10_CLASSES, rotation=45, ha="right")
ax.legend()
plt.show()

# %% [markdown]
# Vehicles, which keep their shape, are known well, and so are frogs and horses.
# Birds, cats and dogs, which bend and turn, are known worst.
#
# ## Try it yourself
#
# **1.** When the model is sure, is it right?
# Compare its mean probability with its accuracy, for the answers above and below 90 %.

# %% tags=["solution"]
sure = probabilities > 0.9
for name, part in [("sure", sure), ("not sure", ~sure)]:
    said, was = probabilities[part].mean(), right[part].float().mean()
    print(f"{name:8} says {said:.2f}, is right {was:.2f}")
assert right[sure].float().mean() > right[~sure].float().mean()

# %% [markdown]
# **2.** Save the model as half-precision numbers, `value.half()`.
# How much smaller is the file, and what does it cost in accuracy?

# %% tags=["solution"]
half_state = {name: value.half() for name, value in model.state_dict().items()}
with tempfile.TemporaryDirectory() as folder:
    whole_file, half_file = Path(folder) / "whole.pt", Path(folder) / "half.pt"
    torch.save(model.state_dict(), whole_file)
    torch.save(half_state, half_file)
    smaller = whole_file.stat().st_size / half_file.stat().st_size
    loaded.load_state_dict(torch.load(half_file, weights_only=True))
half_accuracy = accuracy(predict(loaded, prepare=standardize))
print(f"{smaller:.1f} times smaller, test accuracy {half_accuracy:.3f}")
assert abs(half_accuracy - test_accuracy) < 1e-3

# %% [markdown]
# ## What next
#
# This was the last page of the chapter on images.
# The [next page](51_mistakes.py) collects what goes wrong most often in programs like these.
# The network is a relative of LeNet-5, from LeCun, Bottou, Bengio and Haffner's "Gradient-Based Learning Applied to Document Recognition" (1998).
