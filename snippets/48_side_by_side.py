# ---
# jupyter:
#   page:
#     teaches: {}
#     level: intermediate
#     read_first: [46_lenet, 47_overfitting]
#     result: test_accuracy
# ---

# %% [markdown]
# # Side by side
#
# Six networks of this chapter read the [CIFAR-10](41_cifar10.py) pictures.
# Here all of them get the same: the same 10,000 pictures, two epochs, the same recipe, and a learning rate that is near the best of each.
# A table of different recipes would compare nothing.

# %%
import math
import statistics

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
# [Standardised](43_convolution.py), and stored with the [channels last](45_convolutional_network.py).
# Nothing is chosen on this page, so no pictures are set aside.

# %%
data = cifar10()
pixels = data.train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(pixels, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return ((images - channel_mean) / channel_std).to(device)


train_images = standardize(data.train_images[:10_000])  # (10000, 3, 32, 32)
train_labels = data.train_labels[:10_000].to(device)
test_images, test_labels = standardize(data.test_images), data.test_labels.to(device)

# %% [markdown]
# ## The networks
#
# Each is a list of feature layers, then linear layers with ReLU between them.


# %% tags=["predict"] ask="Which network has the most parameters, 566,266?" answers=["566,266 two convolutions", "566,266 convolution", "566,266 LeNet"] why="Without pooling the layer behind the convolution has 4704 inputs; the filters themselves have few weights."
def make(features, sizes):
    """Feature layers, then linear layers of these sizes, to 10 logits."""
    layers = [nn.Flatten()]
    for size_in, size_out in zip(sizes, sizes[1:]):
        layers += [nn.Linear(size_in, size_out), nn.ReLU()]
    model = nn.Sequential(*features, *layers, nn.Linear(sizes[-1], 10))
    return model.to(device, memory_format=torch.channels_last)


def block(channels, filters):
    """Convolution, ReLU, pooling."""
    return [nn.Conv2d(channels, filters, 5), nn.ReLU(), nn.MaxPool2d(2)]


networks = {
    "25 units": lambda: make([], [3072, 25]),
    "120 units": lambda: make([], [3072, 120]),
    "convolution": lambda: make(block(3, 6)[:2], [4704, 120]),
    "with pooling": lambda: make(block(3, 6), [1176, 120]),
    "two convolutions": lambda: make(block(3, 10) + block(10, 20), [500, 120]),
    "LeNet": lambda: make(block(3, 6) + block(6, 16), [400, 120, 84]),
}
parameters = {}
for name, network in networks.items():
    parameters[name] = sum(p.numel() for p in network().parameters())
    print(f"{parameters[name]:7,}  {name}")
assert parameters["two convolutions"] == 67_110 and parameters["LeNet"] == 62_006

# %% [markdown]
# ## Training
#
# Batches of 128, AdamW, a one-cycle schedule: logits, loss, gradients, step, next learning rate.


# %%
def trained(network, learning_rate, seed, num_epochs=2, batch_size=128):
    """A new network, trained from this seed."""
    torch.manual_seed(seed)
    model = network()
    num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, num_steps, cycle_momentum=False
    )
    for epoch in range(num_epochs):
        for batch in torch.randperm(len(train_images)).split(batch_size):
            loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, images, labels):
    """Share of the pictures that a model gets right."""
    answers = torch.cat([model(part).argmax(dim=1) for part in images.split(500)])
    return (answers == labels).float().mean().item()


# %% [markdown]
# Each page before has tried several learning rates on the pictures set aside.
# For each network 0.01 was the best of them, or at most two points below it, so all of them get that.
# (Some were tried on half as many pictures as stand here, or fewer, so another rate may do a little better.)

# %%
learning_rate = 0.01

# %% [markdown]
# ## Result
#
# Three seeds for each, and the test pictures.
# In the picture a line is one standard deviation over the seeds to both sides.

# %% tags=["predict"] ask="How large is the standard error of one run, with 10,000 test pictures, about half of them right?" answers=["one run 0.050", "one run 0.005", "one run 0.0005"] why="It is the root of 0.5 times 0.5 over 10,000: half a point, so what differs by less may be luck." alt="Test accuracy of six networks against their number of parameters"
results = {}
for name, network in networks.items():
    models = [trained(network, learning_rate, seed) for seed in [1, 2, 3]]
    runs = [accuracy(model, test_images, test_labels) for model in models]
    results[name] = statistics.mean(runs), statistics.stdev(runs)
    print(f"{results[name][0]:.3f} ± {results[name][1]:.3f}  {name}")
test_accuracy, _ = results["with pooling"]
means = [mean for mean, _ in results.values()]
assert means[0] < means[1] < min(means[2], means[3])
standard_error = math.sqrt(test_accuracy * (1 - test_accuracy) / len(test_labels))
print(f"standard error of one run {standard_error:.3f}")

fig, ax = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
for name, (mean, deviation) in results.items():
    ax.errorbar(parameters[name], mean, deviation, fmt="o", capsize=3, label=name)
ax.set(xlabel="parameters", ylabel="test accuracy", xscale="log")
ax.legend()
plt.show()

# %% [markdown]
# More units and a convolution each gain more than seeds and pictures explain; pooling is ahead of the convolution by little more than they could.
# (Some of the second gain is owed to parameters: [on its page](43_convolution.py), linear layers with as many as the convolution's network come closer to it.)
# The second convolution has not paid here: two convolutions are the equal of one without pooling, and LeNet, with fewer filters and one layer more, is behind.
# It may with more steps: [on its own page](45_convolutional_network.py) more pictures and five epochs took the same network to 0.66.
# The table says which is best for this much training, and a longer one may order them otherwise.
#
# ## Try it yourself
#
# **1.** By how many standard errors do the convolution and the 120 units differ?
# The mean of three runs is off by the standard deviation over the square root of 3, and a difference by the root of the sum of both squares.
# Call by how much the mean of the convolution is higher `difference`, and by how much that is off `error`.

# %% tags=["solution"]
(a, a_deviation), (b, b_deviation) = results["convolution"], results["120 units"]
difference, error = a - b, math.hypot(a_deviation, b_deviation) / math.sqrt(3)
print(f"{difference:.3f} ± {error:.3f}")
assert difference > 0
assert math.isclose(
    3 * error**2, results["convolution"][1] ** 2 + results["120 units"][1] ** 2
)

# %% [markdown]
# **2.** Which network gets most right for each parameter that it has?
# Call it `thriftiest`, by its name in `results`.

# %% tags=["solution"]
shares = {name: mean / parameters[name] for name, (mean, _) in results.items()}
thriftiest = max(shares, key=shares.get)
print(thriftiest)
assert thriftiest in ["two convolutions", "LeNet"]

# %% [markdown]
# ## What next
#
# This was the last page of the chapter on images.
# The [next page](50_errors_you_will_meet.py) begins a chapter on what goes wrong in programs like these.
