# ---
# jupyter:
#   page:
#     teaches:
#       E13: The network
#       E14: The whole in one piece
#       E15: "The old recipe, and a ReLU too many"
#     level: intermediate
#     read_first: [44_pooling]
#     result: test_accuracy
#     source_result: 0.62
#     cites: {"25": the old recipe's epochs, "4": its batch size}
# ---

# %% [markdown]
# # A convolutional network
#
# One convolution finds edges and spots of colour.
# A second one behind it finds patterns of edges, and sees a larger part of the picture.
# An old tutorial trains two convolutions for 25 epochs on a GPU and reports 62 % of the [CIFAR-10](41_cifar10.py) test pictures.
# We take its network apart, measure a mistake in it, and pass its figure in five epochs.
# You should know [convolution](43_convolution.py) and [pooling](44_pooling.py).

# %%
import math
import statistics

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
# Of the [standardised](43_convolution.py) pictures 45,000 to train on, 5,000 to choose by, and the test pictures for the end.

# %%
data = cifar10()
pixels = data.train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(pixels, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return ((images - channel_mean) / channel_std).to(device)


train_images = standardize(data.train_images[:45_000])  # (45000, 3, 32, 32)
train_labels = data.train_labels[:45_000].to(device)
valid_images = standardize(data.train_images[-5_000:])
valid_labels = data.train_labels[-5_000:].to(device)
test_images, test_labels = standardize(data.test_images), data.test_labels.to(device)

# %% [markdown]
# `channels_last` is an order in memory: the three numbers of a pixel lie side by side, while the shape and the indices stay as they are.
# It changes results by rounding only; whether it is faster is not measured here.
# `stride()` says how many numbers further on the next picture, channel, row and column begin.

# %% tags=["predict"] ask="As it came, a picture has the strides (3072, 1024, 32, 1). Which has it in `channels_last`?" answers=["-> (3072, 1, 96, 3)", "-> (3072, 3, 96, 1)", "-> (3072, 32, 1, 1024)"] why="The next channel is the next number, the next pixel comes three later, and the next row 32 times three."
print(data.train_images.stride(), "->", train_images.stride())
assert train_images.is_contiguous(memory_format=torch.channels_last)

# %% [markdown]
# ## The network
#
# Twice the same three layers: convolution, ReLU, pooling.
# Each time there are more maps, and they are smaller.


# %%
def network(activation=nn.ReLU, *after):
    """Two convolutions, two linear layers; `after` acts on the logits."""
    return nn.Sequential(
        nn.Conv2d(3, 10, kernel_size=5),  # (batch, 10, 28, 28)
        activation(),
        nn.MaxPool2d(2),  # (batch, 10, 14, 14)
        nn.Conv2d(10, 20, kernel_size=5),  # (batch, 20, 10, 10)
        activation(),
        nn.MaxPool2d(2),  # (batch, 20, 5, 5)
        nn.Flatten(),  # (batch, 500)
        nn.Linear(500, 120),
        activation(),
        nn.Linear(120, 10),
        *after,
    )


x = torch.zeros(1, 3, 32, 32)
for layer in network():
    x = layer(x)
    num_parameters = sum(p.numel() for p in layer.parameters())
    print(f"{type(layer).__name__:9} {str(tuple(x.shape)):16} {num_parameters:6,}")
assert sum(p.numel() for p in network().parameters()) == 67_110

# %% [markdown]
# The whole network has 67,110 parameters, fewer than the [fully connected one](42_fully_connected.py).
#
# ## How much does one value see?
#
# A value behind the first convolution depends on 5 × 5 pixels.
# Each layer after it widens that, and gradients can tell how far: they are zero for all pixels that a value does not depend on.
# Mean pooling stands in for max pooling here, since the maximum lets only one of four gradients through.

# %%
layers = [nn.Conv2d(3, 10, 5), nn.AvgPool2d(2), nn.Conv2d(10, 20, 5), nn.AvgPool2d(2)]
widths = []
for depth in range(1, len(layers) + 1):
    pixels = torch.rand(1, 3, 32, 32, requires_grad=True)
    nn.Sequential(*layers[:depth])(pixels)[0, :, 2, 2].sum().backward()
    seen = pixels.grad[0].abs().sum(dim=0) > 0  # (32, 32)
    widths.append(seen.any(dim=0).sum().item())
    print(f"{type(layers[depth - 1]).__name__:9} sees {widths[-1]} pixels in a row")
assert widths == [5, 6, 14, 16]

# %% [markdown]
# At the end a value sees 16 × 16 pixels, half the picture in each direction.
#
# ## The old recipe, and a ReLU too many
#
# The old tutorial has batches of 4, plain gradient descent, a learning rate of 0.01 and 25 epochs; [run whole](56_were_they_right.py), it ends at about 0.6.
# From its network with one convolution to this one it changes five things at once: ten filters in place of six, a second convolution, ReLU in place of the sigmoids, the rate, and eight times as many epochs.
# It also puts a ReLU behind the last layer, where logits should be left as they are.
#
# Here we change the activations alone, by the recipe of the page before, on 4,000 pictures.
# The second convolution has its place [side by side](48_side_by_side.py) with the others, and more epochs come below.
# For each batch: logits, loss, gradients, step, next learning rate.


# %%
def trained(make, learning_rate, seed, num_images=4_000, num_epochs=2, batch_size=128):
    """A new network, trained from this seed on the first pictures."""
    torch.manual_seed(seed)
    model = make().to(device, memory_format=torch.channels_last)
    num_steps = num_epochs * math.ceil(num_images / batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, num_steps, cycle_momentum=False
    )
    for epoch in range(num_epochs):
        for batch in torch.randperm(num_images).split(batch_size):
            loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def predict(model, images):
    """The logits of pictures, (n, 10)."""
    return torch.cat([model(part) for part in images.split(500)])


def accuracy(logits, labels):
    """Share of the pictures whose highest logit is at their label."""
    return (logits.argmax(dim=1) == labels).float().mean().item()


# %%
networks = {
    "sigmoids": lambda: network(nn.Sigmoid),
    "ReLU": network,
    "ReLU, and one too many": lambda: network(nn.ReLU, nn.ReLU()),
}
rates = [0.001, 0.003, 0.01, 0.03]
best_rates = {}
print(*(f"{rate:5}" for rate in rates), " learning rate")
for name, make in networks.items():
    scores = []
    for rate in rates:
        logits = predict(trained(make, rate, seed=0), valid_images)
        scores.append(accuracy(logits, valid_labels))
    best_rates[name] = rates[scores.index(max(scores))]
    print(*(f"{score:5.2f}" for score in scores), "", name)

# %% [markdown]
# With sigmoids it hardly gets going in so few steps, at any of the four.
# The ReLU behind the logits costs some hundredths.
# Is that more than luck?
# Three other seeds for each, at its best rate; we also count the logits that are exactly 0.

# %%
means, zeros = {}, {}
for name in networks:
    runs = []
    for seed in [1, 2, 3]:
        logits = predict(trained(networks[name], best_rates[name], seed), valid_images)
        runs.append(accuracy(logits, valid_labels))
    means[name], zeros[name] = statistics.mean(runs), (logits == 0).float().mean()
    spread = statistics.stdev(runs)
    print(f"{means[name]:.2f} ± {spread:.3f}, {zeros[name]:.1f} at 0  {name}")
assert means["ReLU"] > means["ReLU, and one too many"]
assert zeros["ReLU, and one too many"] > 0.2  # for this seed
assert zeros["ReLU, and one too many"] > zeros["ReLU"] == 0

# %% [markdown]
# It is: 0.29 in place of 0.36, where a standard error is less than a hundredth.
# Most of the logits of its last run are exactly 0.
# A logit at 0 gets no gradient, so its class learns nothing from this picture, not even whether it was right.
# A class that is at 0 for all pictures has hardly a way back.
#
# ## The whole in one piece
#
# Data, network, loop and judge are all there.
# What is left is to let the loop see more: all pictures that are not set aside, five times.
# Then we look at the test pictures, for the first time.

# %%
more = {"num_images": len(train_images), "num_epochs": 5}
model = trained(network, best_rates["ReLU"], seed=1, **more)
logits = predict(model, test_images)
test_accuracy = accuracy(logits, test_labels)
standard_error = math.sqrt(test_accuracy * (1 - test_accuracy) / len(test_labels))
print(f"test accuracy {test_accuracy:.2f}, standard error {standard_error:.3f}")
assert test_accuracy > means["ReLU"] + 0.05 and test_accuracy > 0.635

# %% [markdown]
# More pictures and more epochs together bring it from 0.36, on pictures set aside, to 0.66, past the 62 % of the old tutorial after a fifth of its epochs; which of the two did more is not measured.
#
# How much of it is learned by heart?
# The accuracy on the training pictures tells: a large gap would mean that the network knows its pictures better than its classes.

# %%
seen_accuracy = accuracy(predict(model, train_images), train_labels)
print(f"seen in training {seen_accuracy:.2f}, not seen {test_accuracy:.2f}")
assert 0.038 < seen_accuracy - test_accuracy < 0.105

# %% [markdown]
# It knows the pictures that it has seen better than others: some of it is learned by heart.
# [Overfitting](47_overfitting.py) is about that, and about what helps.
#
# ## What it learned
#
# What does the network take for what?
# In the **confusion matrix** each row is a class, and each column an answer; a row adds up to 1.
# Look for bright squares off the diagonal.

# %% alt="Confusion matrix of ten classes, brightest along the diagonal"
answers = logits.argmax(dim=1).cpu()
pairs = (data.test_labels * 10 + answers).bincount(minlength=100)
confusion = pairs.view(10, 10) / data.test_labels.bincount()[:, None]

fig, ax = plt.subplots(figsize=(5, 4.3), layout="constrained")
image = ax.imshow(confusion.numpy(), vmin=0)
ax.set_xticks(range(10), CIFAR10_CLASSES, rotation=60, ha="right")
ax.set_yticks(range(10), CIFAR10_CLASSES)
ax.set(xlabel="answer", ylabel="class")
fig.colorbar(image, label="share of the class")
plt.show()

# %% [markdown]
# The brightest two off the diagonal belong to a pair of animals.
# How many of the wrong answers are an animal for an animal, or a vehicle for a vehicle?

# %% tags=["predict"] ask="Which two classes does the matrix show to be mixed up most often?" answers=["deer and horse", "bird and frog", "cat and dog"] why="Both are furry, of many colours and in any pose, so little in a small picture tells them apart."
mixed_up = (confusion + confusion.T).fill_diagonal_(0)
first, second = divmod(mixed_up.argmax().item(), 10)
print(f"most often mixed up: {CIFAR10_CLASSES[first]} and {CIFAR10_CLASSES[second]}")

vehicles = torch.tensor([0, 1, 8, 9])  # airplane, automobile, ship, truck
same_kind = torch.isin(answers, vehicles) == torch.isin(data.test_labels, vehicles)
share = same_kind[answers != data.test_labels].float().mean()
print(f"of the right kind: {share:.2f} of the wrong answers")

# %% [markdown]
# By chance it would be about half, since of nine wrong classes five are animals for an animal, and three are vehicles for a vehicle.
#
# ## Try it yourself
#
# **1.** Ask the network twice: for each picture set aside, and for its mirror image.
# Call the logits `once` and `mirrored`, and their sum `twice`.
# What does that bring?

# %% tags=["solution"]
once = predict(model, valid_images)
mirrored = predict(model, valid_images.flip(3))
twice = once + mirrored
print(
    f"once {accuracy(once, valid_labels):.2f}, twice {accuracy(twice, valid_labels):.2f}"
)
assert accuracy(twice, valid_labels) > accuracy(mirrored, valid_labels)
assert 2 * accuracy(twice, valid_labels) > (
    accuracy(once, valid_labels) + accuracy(mirrored, valid_labels)
)

# %% [markdown]
# **2.** For what share of the pictures set aside is the right class `among` the three highest logits?

# %% tags=["solution"]
best_three = once.topk(3).indices  # (5000, 3)
among = (best_three == valid_labels[:, None]).any(dim=1).float().mean().item()
print(f"first {accuracy(once, valid_labels):.2f}, among the first three {among:.2f}")
assert among > accuracy(predict(model, valid_images), valid_labels)

# %% [markdown]
# ## What next
#
# The [next page](46_lenet.py) trains the network that made this shape famous, keeps it in a file, and looks at each class.
# Three times convolution, ReLU and pooling instead of two, and more filters, is where one would go from here.
