# ---
# jupyter:
#   page:
#     teaches:
#       E12: The old recipe
#     level: intermediate
#     read_first: [43_convolution]
#     result: test_accuracy
#     source_result: 0.45
# ---

# %% [markdown]
# # Pooling
#
# **Max pooling** keeps the largest of four neighbouring values and drops the other three.
# Behind a [convolution](43_convolution.py) it says that something was found, and only roughly where.
# An old tutorial reports the same accuracy with it, in less time.
# We measure both: the network needs about half of the multiplications, and gets more than 56 % of the [CIFAR-10](41_cifar10.py) test pictures right.

# %%
import math
import time

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn import functional as F

from load import CIFAR10_CLASSES, cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The largest of four
#
# A 4 × 4 map has four blocks of 2 × 2, and each leaves its largest value.

# %%
feature_map = torch.tensor(
    [[1.0, 0, 2, 3], [4, 1, 0, 1], [0, 0, 5, 2], [1, 2, 1, 0]]
)  # (4, 4)
pooled = F.max_pool2d(feature_map[None, None], 2)[0, 0]  # (2, 2)
print(pooled)

blocks = feature_map.unflatten(1, (2, 2)).unflatten(0, (2, 2))  # (2, 2, 2, 2)
assert torch.equal(pooled, blocks.amax(dim=(1, 3)))

# %% [markdown]
# Where in its block the largest value stood is forgotten.
# So a map that moves by one pixel may give the same answer as before.
# Here the 5 moves to the right, within its block.

# %%
moved = feature_map.clone()
moved[2] = torch.tensor([0.0, 0, 2, 5])
assert torch.equal(F.max_pool2d(moved[None, None], 2)[0, 0], pooled)

# %% [markdown]
# ## The network
#
# The network of the page before, with one layer more.
# `pool` may also be a layer that does nothing, to compare.


# %%
def network(pool, num_values=6 * 14 * 14, activation=nn.ReLU):
    """Convolution, pooling, two linear layers; picture (3, 32, 32) to 10 logits."""
    return nn.Sequential(
        nn.Conv2d(3, 6, kernel_size=5),  # (batch, 6, 28, 28)
        activation(),
        pool,  # (batch, 6, 14, 14)
        nn.Flatten(),  # (batch, 1176)
        nn.Linear(num_values, 120),
        activation(),
        nn.Linear(120, 10),
    )


with_pooling = network(nn.MaxPool2d(2))
without_pooling = network(nn.Identity(), num_values=6 * 28 * 28)
for name, model in [("without", without_pooling), ("with", with_pooling)]:
    num_values = model[:4](torch.zeros(1, 3, 32, 32)).shape[1]
    num_parameters = sum(p.numel() for p in model.parameters())
    print(f"{name:7} {num_values} values, {num_parameters:,} parameters")
assert model[4].in_features == 1176

# %% [markdown]
# ## Less work
#
# For one picture, a convolution multiplies with each of its weights once per place, a linear layer once.

# %%
convolution = 6 * 3 * 5 * 5 * 28 * 28
last = 120 * 10
multiplications = {
    name: convolution + model[4].weight.numel() + last
    for name, model in [("without", without_pooling), ("with", with_pooling)]
}
for name, count in multiplications.items():
    print(f"{name:7} {count:,} multiplications")
assert multiplications["with"] < 0.55 * multiplications["without"]

# %% [markdown]
# Does it take less time?
# We time steps with batches of four, as the old recipe takes them, for both networks in turn.
# Of several rounds the shortest counts, since other programs can only make a round longer.


# %%
def seconds_for(model, num_steps=40):
    """Time of so many training steps with batches of four, on the CPU."""
    images, labels = torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 3])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    started = time.perf_counter()
    for _ in range(num_steps):
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    return time.perf_counter() - started


rounds = [(seconds_for(with_pooling), seconds_for(without_pooling)) for _ in range(7)]
ratio = min(time_with for time_with, _ in rounds) / min(time for _, time in rounds)
assert ratio < 1
print("with pooling a step is faster")

# %% [markdown]
# ## The old recipe
#
# Sigmoids, batches of 4, a learning rate of 0.1; here for 4000 pictures instead of 150,000.
# Pictures are [standardized](43_convolution.py) from the start.

# %%
data = cifar10()
train_images, train_labels = data.train_images.to(device), data.train_labels.to(device)
test_images, test_labels = data.test_images.to(device), data.test_labels.to(device)

sample = train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(sample, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    return (images.float() - channel_mean) / channel_std


# %% [markdown]
# Training and testing as on the [page before](43_convolution.py).


# %%
def train(model, num_images, batch_size, optimizer, scheduler=None):
    """Train on so many of the training pictures, in random order."""
    model.train()
    order = torch.randperm(len(train_images))[:num_images].to(device)
    for batch in order.split(batch_size):
        logits = model(standardize(train_images[batch]))
        loss = F.cross_entropy(logits, train_labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()


@torch.no_grad()
def accuracy(model, images=test_images):
    """Share of test pictures, in their order, that a model gets right."""
    model.eval()
    correct = 0
    for batch, labels in zip(images.split(500), test_labels.split(500)):
        correct += (model(standardize(batch)).argmax(dim=1) == labels).sum().item()
    return correct / len(images)


# %% tags=["tolerance-0.1"]
torch.manual_seed(0)
model = network(nn.MaxPool2d(2), activation=nn.Sigmoid).to(device)
train(model, 4000, 4, torch.optim.SGD(model.parameters(), lr=0.1))
results = {"old recipe": accuracy(model)}
print(f"old recipe: {results['old recipe']:.3f}")

# %% [markdown]
# ## One change at a time
#
# Then the recipe of the page before, ReLU with batches of 128, AdamW and a one-cycle schedule, for 12,000 pictures.
# First without pooling, then with it.
# In the third network the mean of the four values takes the place of the largest.

# %% tags=["tolerance-0.1"]
for name, pool, num_values in [
    ("new recipe, no pooling", nn.Identity(), 4704),
    ("max pooling", nn.MaxPool2d(2), 1176),
    ("mean pooling", nn.AvgPool2d(2), 1176),
]:
    torch.manual_seed(0)
    model = network(pool, num_values).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.005)
    num_steps = math.ceil(12_000 / 128)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, num_steps)
    train(model, 12_000, 128, optimizer, scheduler)
    results[name] = accuracy(model)
    print(f"{name:22} {results[name]:.3f}")
assert results["max pooling"] > results["old recipe"]

# %% [markdown]
# Short runs are noisy, and a difference of a few hundredths between the last three means little.
# Pooling is at least as good as no pooling, and cheaper.
#
# ## Training
#
# Three epochs with max pooling, with half of the pictures mirrored.

# %% tags=["tolerance-0.05"]
num_epochs = 3
batch_size = 128
max_learning_rate = 0.005

torch.manual_seed(0)
model = network(nn.MaxPool2d(2)).to(device)
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
    print(f"epoch {epoch + 1}  loss {torch.stack(losses[-300:]).mean():.2f}")

# %% [markdown]
# ## Result

# %% tags=["tolerance-0.1"]
test_accuracy = accuracy(model)
results["three epochs"] = test_accuracy
for name, value in results.items():
    print(f"{name:22} {value:.2f}")
assert test_accuracy > 0.56

# %% [markdown]
# ## What it learned
#
# One picture, its six feature maps, and below them the same after pooling.
# Look for what is still there at half the size.

# %% alt="A picture; its six feature maps; the same six maps, coarser, after pooling"
with torch.no_grad():
    maps = model[:2](standardize(test_images[1:2]))  # (1, 6, 28, 28)
    pooled_maps = model[2](maps)  # (1, 6, 14, 14)

fig, axes = plt.subplots(2, 7, figsize=(7, 2.3), layout="constrained")
axes[0, 0].imshow(data.test_images[1].permute(1, 2, 0).numpy())
axes[0, 0].set_title(CIFAR10_CLASSES[data.test_labels[1]])
for row, images in zip(axes, [maps, pooled_maps]):
    for ax, image in zip(row[1:], images[0].cpu()):
        ax.imshow(image.numpy(), cmap="gray")
for ax in axes.flat:
    ax.axis("off")
plt.show()

# %% [markdown]
# Nearly everything.
#
# The next picture tests what pooling promises: a small shift should do little harm.
# We move 2000 test pictures left and right and count how many are still right.

# %% alt="Accuracy against shift: highest around no shift, lower to both sides"
shifts = list(range(-8, 9, 2))
shifted = [accuracy(model, test_images[:2000].roll(s, dims=3)) for s in shifts]

fig, ax = plt.subplots(figsize=(6, 3))
ax.plot(shifts, shifted, "o-")
ax.set(xlabel="shift in pixels", ylabel="test accuracy", ylim=(0, None))
plt.show()

# %% [markdown]
# By two pixels it does little, by eight a lot: one layer of pooling forgives about as much as it forgets.
#
# ## Try it yourself
#
# **1.** Pool first and apply ReLU then.
# Are the outputs the same?
# Which order is less work?

# %% tags=["solution"]
swapped = nn.Sequential(model[0], model[2], model[1], *model[3:])
batch = standardize(test_images[:100])
with torch.no_grad():
    assert torch.equal(swapped(batch), model(batch))
print(f"{6 * 14 * 14} values go through ReLU instead of {6 * 28 * 28}")

# %% [markdown] tags=["solution"]
# They are the same, bit for bit: ReLU never changes which of four values is the largest.

# %% [markdown]
# **2.** Pool blocks of 4 × 4.
# How many values are left for the linear layer, and what does a short training reach?

# %% tags=["solution", "tolerance-0.1"]
torch.manual_seed(0)
coarse = network(nn.MaxPool2d(4), num_values=6 * 7 * 7).to(device)
optimizer = torch.optim.AdamW(coarse.parameters(), lr=0.005)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, 94)
train(coarse, 12_000, 128, optimizer, scheduler)
print(f"{coarse[4].in_features} values, test accuracy {accuracy(coarse):.3f}")

# %% [markdown]
# **3.** A convolution with `stride=2` moves by two pixels at a time, and needs no pooling to give 14 × 14 values.
# How many multiplications are left?

# %% tags=["solution", "tolerance-0.1"]
torch.manual_seed(0)
strided = network(nn.Identity())
strided[0] = nn.Conv2d(3, 6, kernel_size=5, stride=2)
strided = strided.to(device)
optimizer = torch.optim.AdamW(strided.parameters(), lr=0.005)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, 94)
train(strided, 12_000, 128, optimizer, scheduler)
left = multiplications["with"] - convolution * 3 // 4
print(f"{left:,} multiplications, test accuracy {accuracy(strided):.3f}")
assert left == 450 * 14 * 14 + 1176 * 120 + 120 * 10

# %% [markdown]
# ## What next
#
# Pooling makes maps small enough to put a second convolution behind the first, which sees larger parts of the picture.
# That is the [next page](45_convolutional_network.py).
# An early use of max pooling is in Riesenhuber and Poggio's model of the visual cortex (1999).
