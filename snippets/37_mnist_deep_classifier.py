# ---
# jupyter:
#   page:
#     teaches:
#       C10: Training by the old recipe
#     level: intermediate
#     read_first: [33_mnist_logistic_regression]
#     result: test_accuracy
# ---

# %% [markdown]
# # A deep classifier for MNIST
#
# Four hidden layers stand between the pixels and the ten scores.
# An old recipe trains such a network for nine epochs; we run two of them, to see how it goes.
# Then we change the recipe one thing at a time, until four epochs are enough to read more than 98.2 % of the test digits.
# You should know the [linear model](33_mnist_logistic_regression.py) for the same digits.

# %%
import math

import matplotlib.pyplot as plt
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
# The inputs are normalised with the mean and the standard deviation of the training pixels, which we computed [with the data](32_mnist_data.py).

# %%
pixel_mean, pixel_std = 0.1307, 0.3081


def normalise(images):
    """Bytes (n, 28, 28) as floats with mean 0 and standard deviation 1, about."""
    return ((images / 255 - pixel_mean) / pixel_std).to(device)


digits = mnist()
train_images = normalise(digits.train_images)  # (60000, 28, 28)
train_labels = digits.train_labels.to(device)  # (60000,)
test_images = normalise(digits.test_images)  # (10000, 28, 28)
test_labels = digits.test_labels.to(device)  # (10000,)
print(f"train {tuple(train_images.shape)}, test {tuple(test_images.shape)}")
assert abs(train_images.mean()) < 0.3 and abs(train_images.std() - 1) < 0.3

# %% [markdown]
# ## The model
#
# Each hidden layer is linear and followed by a ReLU, which sets what is negative to zero.
# The last layer gives ten logits, raw: the softmax is part of the loss.
# `nn.Flatten` turns a picture into a row of 784 numbers before the first layer.

# %%
sizes = [28 * 28, 520, 320, 240, 120]


def make_model(activation=nn.ReLU):
    """The untrained classifier, on the device."""
    hidden = []
    for size_in, size_out in zip(sizes, sizes[1:]):
        hidden += [nn.Linear(size_in, size_out), activation()]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(sizes[-1], 10)).to(device)


model = make_model()
print(model)
num_parameters = sum(p.numel() for p in model.parameters())
print(f"{num_parameters:,} parameters")
assert num_parameters == 682_090

# %% [markdown]
# We judge a model by its mean loss and its accuracy on the test digits.
# Untrained, it gives each digit nearly the same chance, and the loss of that is $\ln 10$.


# %%
@torch.no_grad()
def evaluate(model):
    """Test loss and test accuracy."""
    model.eval()
    logits = model(test_images)  # (10000, 10)
    loss = F.cross_entropy(logits, test_labels).item()
    correct = (logits.argmax(dim=1) == test_labels).sum().item()
    return loss, correct / len(test_labels)


def report(epoch, loss, accuracy):
    print(f"epoch {epoch}: test loss {loss:.3f}, accuracy {accuracy:.3f}")


test_loss, test_accuracy = evaluate(model)
report(0, test_loss, test_accuracy)
assert abs(test_loss - math.log(10)) < 0.008

# %% [markdown]
# ## Training by the old recipe
#
# Batches of 64, SGD with a learning rate of 0.01 and a **momentum** of 0.5: each step adds half of the one before.
# Per batch: logits, loss, gradients, step; per epoch: a look at the test digits.

# %%
num_epochs = 2  # the old recipe goes on to nine
batch_size = 64
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
old_accuracies = []

for epoch in range(num_epochs):
    model.train()
    order = torch.randperm(len(train_images)).to(device)
    for rows in order.split(batch_size):
        loss = F.cross_entropy(model(train_images[rows]), train_labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    test_loss, test_accuracy = evaluate(model)
    report(epoch + 1, test_loss, test_accuracy)
    old_accuracies.append(test_accuracy)
assert old_accuracies[1] > 0.93

# %% [markdown]
# It learns, and slowly.
#
# ## One change at a time
#
# Here is the same loop as a function, with what we are going to change as its parameters.
# `peak_rate` turns on the [one-cycle schedule](33_mnist_logistic_regression.py), `change` is a function for the images of a batch; both come further down.
# Until the last change we look at one epoch only, always from the same first weights.


# %%
def train(momentum=0.5, peak_rate=None, batch_size=64, change=None, num_epochs=1):
    """A model trained by SGD, and its test accuracy."""
    torch.manual_seed(0)
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=momentum)
    schedule = None
    if peak_rate:
        num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
        schedule = one_cycle(optimizer, peak_rate, num_steps)
    for epoch in range(num_epochs):
        model.train()
        for rows in torch.randperm(len(train_images)).to(device).split(batch_size):
            images = train_images[rows]  # (batch, 28, 28)
            logits = model(change(images) if change else images)  # (batch, 10)
            optimizer.zero_grad()
            F.cross_entropy(logits, train_labels[rows]).backward()
            optimizer.step()
            if schedule:
                schedule.step()
        test_loss, test_accuracy = evaluate(model)
        report(epoch + 1, test_loss, test_accuracy)
    return model, test_accuracy


# %% [markdown]
# **More momentum.**
# Where the gradient keeps its direction, a momentum of $m$ makes steps grow to $1/(1-m)$ times their length: twice with the old 0.5, ten times with 0.9.
# With 0.9 an epoch leaves fewer than six tenths of the mistakes that it leaves with 0.5.

# %%
_, with_momentum = train(momentum=0.9)
assert 1 - with_momentum < 0.6 * (1 - old_accuracies[0])

# %% [markdown]
# **A schedule.**
# The learning rate rises to 0.05, five times the old one, in the first fifth of the steps, and then falls to nearly nothing.
# Fewer mistakes are left again.


# %%
def one_cycle(optimizer, peak_rate, num_steps):
    """A learning rate that rises to its peak for a fifth of the steps, then falls."""
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, peak_rate, num_steps, pct_start=0.2, cycle_momentum=False
    )


_, with_schedule = train(momentum=0.9, peak_rate=0.05)
assert with_schedule > with_momentum

# %% [markdown]
# **Larger batches.**
# Batches of 128 need half as many steps for the same digits, which takes less time.
# To go about as far, each step is made twice as long.

# %%
_, with_large_batches = train(momentum=0.9, peak_rate=0.1, batch_size=128)
assert abs(with_large_batches - with_schedule) < 0.007

# %% [markdown]
# **Moving the digits.**
# A digit stays what it is when it lies a pixel further up or to the left.
# So we move each batch by a random offset of up to one pixel, and the network seldom sees the same picture twice.
# What leaves on one side comes back on the other, and is background.
# In a single epoch no digit comes twice, so the gain is for later; we check that it does no harm.


# %%
def move(images):
    """The images, all moved by the same random offset of up to one pixel."""
    offset = torch.randint(-1, 2, (2,)).tolist()  # rows, columns
    return images.roll(offset, dims=(1, 2))


settings = {"momentum": 0.9, "peak_rate": 0.1, "batch_size": 128, "change": move}
_, with_moves = train(**settings)
assert with_moves > with_momentum

# %% [markdown]
# ## Result
#
# **More epochs** are the last change: four of them, with all the others.

# %%
num_epochs = 4  # fewer than half of the old recipe's nine
model, test_accuracy = train(**settings, num_epochs=num_epochs)
print(f"test accuracy {test_accuracy:.1%}")
assert test_accuracy > 0.982 and test_accuracy > old_accuracies[1] + 0.01

# %% [markdown]
# ## What it learned
#
# The last hidden layer describes each digit by 120 numbers.
# A picture has room for two, so we take the two directions in which the digits differ most, their **principal components**.
# The same is done to the 784 pixels, for comparison.
# Look at how much the colours mix.


# %%
def principal_plane(rows):
    """Coordinates of rows (n, m) along their two main directions, (n, 2)."""
    centred = rows - rows.mean(dim=0)
    _, directions = torch.linalg.eigh(centred.T @ centred)  # rising order
    return centred @ directions[:, -2:]


def spread_between(rows, labels):
    """Share of the variance of rows (n, m) that lies between the class means."""
    means = torch.stack([rows[labels == digit].mean(dim=0) for digit in range(10)])
    within = (rows - means[labels]).square().sum()
    return (1 - within / (rows - rows.mean(dim=0)).square().sum()).item()


pixels = test_images[:500].flatten(1)  # (500, 784)
with torch.no_grad():
    hidden = model[:-1](test_images[:500])  # (500, 120)

# %% alt="Two scatter plots: pixels, colours mixed; last hidden layer, colours apart"
labels = test_labels[:500]
fig, axes = plt.subplots(1, 2, figsize=(5.5, 3.4), layout="constrained")
for ax, rows, name in zip(axes, [pixels, hidden], ["pixels", "last hidden layer"]):
    places = principal_plane(rows).cpu()  # (500, 2)
    for digit in range(10):
        x, y = places[labels.cpu() == digit].T.numpy()
        ax.plot(x, y, "o", markersize=3, label=digit)
    ax.set(title=name, xticks=[], yticks=[])
handles = ax.get_legend_handles_labels()
fig.legend(*handles, loc="outside lower center", ncols=5, markerscale=2)
plt.show()

# %% [markdown]
# In the pixels the digits lie in one cloud.
# The hidden layers have gathered each digit in a place of its own; two directions of 120 are too few to part them all.
# A number that counts all directions is the share of the spread that lies between the classes, not within them.

# %%
spread_pixels = spread_between(pixels, labels)
spread_hidden = spread_between(hidden, labels)
print("share of the spread between the classes:")
print(f"pixels {spread_pixels:.2f}, last hidden layer {spread_hidden:.2f}")
assert spread_hidden > 1.5 * spread_pixels

# %% [markdown]
# The last layer can only draw straight borders, and now that is easy work.
#
# ## Try it yourself
#
# **1.** Leave the ReLUs out, so that the layers are linear all the way, and train for an epoch.
# Compare with the [linear model](33_mnist_logistic_regression.py).

# %% tags=["solution"]
linear = make_model(activation=nn.Identity)
optimizer = torch.optim.SGD(linear.parameters(), lr=0.01, momentum=0.5)
for rows in torch.randperm(len(train_images)).to(device).split(batch_size):
    loss = F.cross_entropy(linear(train_images[rows]), train_labels[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
test_loss, linear_accuracy = evaluate(linear)
report(1, test_loss, linear_accuracy)
assert linear_accuracy < old_accuracies[1] - 0.02

# %% [markdown] tags=["solution"]
# A chain of linear layers is one linear layer: for all its parameters it can say no more than logistic regression.

# %% [markdown]
# **2.** What share of the spread lies between the classes after each of the hidden layers?

# %% tags=["solution"]
spreads = []
for depth in [1, 3, 5, 7, 9]:  # flattened pixels, then after each ReLU
    with torch.no_grad():
        spreads.append(spread_between(model[:depth](test_images[:500]), labels))
print("pixels, then layers:", *[f"{spread:.2f}" for spread in spreads])
assert spreads == sorted(spreads)

# %% [markdown]
# ## What next
#
# This network sees a digit as 784 numbers in a row; that some of them are neighbours it has to find out.
# Chapter four begins with [harder pictures](41_cifar10.py), and then builds networks that know of neighbours from the start.
