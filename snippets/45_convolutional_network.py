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
# ---

# %% [markdown]
# # A convolutional network
#
# One convolution finds edges and spots of colour.
# A second one behind it finds patterns of edges, and sees a larger part of the picture.
# An old tutorial trains two convolutions for 25 epochs on a GPU and gets 62 % of the [CIFAR-10](41_cifar10.py) test pictures right.
# We mend a mistake in its network, and pass 65 % in five epochs on one core.
# You should know [convolution](43_convolution.py) and [pooling](44_pooling.py).

# %%
import math

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
# Bytes in memory; each batch is [standardised](43_convolution.py) on its way into the model.
# One thing is new.
# The memory format `channels_last` keeps the shape of a tensor, and the order of its indices, but in memory the three numbers of a pixel lie side by side.
# Convolutions and pooling are often faster on tensors that are stored so.

# %%
data = cifar10()
train_images, train_labels = data.train_images.to(device), data.train_labels.to(device)
test_images, test_labels = data.test_images.to(device), data.test_labels.to(device)

sample = train_images[:10_000].float()
channel_std, channel_mean = torch.std_mean(sample, dim=(0, 2, 3), keepdim=True)


def standardize(images):
    """Bytes as floats with mean 0 and standard deviation 1 in each channel."""
    images = images.to(torch.float32, memory_format=torch.channels_last)
    return (images - channel_mean) / channel_std


batch = train_images[:4]
print(f"{tuple(batch.shape)}, steps in memory {batch.stride()}")
batch = standardize(batch)
print(f"{tuple(batch.shape)}, steps in memory {batch.stride()}")
assert batch.is_contiguous(memory_format=torch.channels_last)

# %% [markdown]
# ## The network
#
# Twice the same three layers: convolution, ReLU, pooling.
# Each time there are more maps, and they are smaller.


# %%
def network(*after):
    """Two convolutions, two linear layers; `after` acts on the logits."""
    return nn.Sequential(
        nn.Conv2d(3, 10, kernel_size=5),  # (batch, 10, 28, 28)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (batch, 10, 14, 14)
        nn.Conv2d(10, 20, kernel_size=5),  # (batch, 20, 10, 10)
        nn.ReLU(),
        nn.MaxPool2d(2),  # (batch, 20, 5, 5)
        nn.Flatten(),  # (batch, 500)
        nn.Linear(500, 120),
        nn.ReLU(),
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
torch.manual_seed(0)
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
# The old network ends in a ReLU, behind its last layer.
# Batches of 4, plain gradient descent, a learning rate of 0.01; 25 epochs there, 6000 pictures here.


# %%
def train(model, num_images, batch_size, optimizer, scheduler=None):
    """Train on so many of the training pictures, in random order."""
    model.train()
    for batch in torch.randperm(len(train_images))[:num_images].split(batch_size):
        images = standardize(train_images[batch.to(device)])
        loss = F.cross_entropy(model(images), train_labels[batch.to(device)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()


@torch.no_grad()
def predict(model, images=test_images):
    """The logits of pictures, (n, 10), on the CPU."""
    model.eval()
    return torch.cat([model(standardize(b)) for b in images.split(500)]).cpu()


def accuracy(logits):
    """Share of the test pictures whose highest logit is at their label."""
    return (logits.argmax(dim=1) == data.test_labels).float().mean().item()


# %% [markdown]
# Once with the ReLU at the end, once without.
# How much it costs depends on the first weights, so we take the mean of three starts.

# %%
results = {}
for name, after in [("old recipe", [nn.ReLU()]), ("raw logits", [])]:
    accuracies, zeros = [], []
    for seed in range(3):
        torch.manual_seed(seed)
        model = network(*after).to(device)
        train(model, 6000, 4, torch.optim.SGD(model.parameters(), lr=0.01))
        logits = predict(model)
        accuracies.append(accuracy(logits))
        zeros.append((logits == 0).float().mean().item())
    results[name] = sum(accuracies) / len(accuracies)
    print(f"{name}: test accuracy {results[name]:.2f}")
    assert max(zeros) < 0.01 if name == "raw logits" else min(zeros) > 0.05

# %% [markdown]
# With the ReLU many logits are exactly 0.
# Such a logit gets no gradient, so its class learns nothing from this picture, not even whether it was right.
# A class that is at 0 for all pictures has hardly a way back.
# Without the ReLU the same recipe does better.
#
# ## A better recipe
#
# Next, batches of 128 with AdamW and a one-cycle schedule, for twice as many pictures.

# %%
torch.manual_seed(0)
model = network().to(device)
optimizer = torch.optim.AdamW(model.parameters())  # the schedule sets its rate
num_steps = math.ceil(12_000 / 128)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.005, num_steps)
train(model, 12_000, 128, optimizer, scheduler)
results["new recipe"] = accuracy(predict(model))
print(f"new recipe: test accuracy {results['new recipe']:.3f}")
assert results["new recipe"] > results["old recipe"]

# %% [markdown]
# ## The whole in one piece
#
# Now the loop in the open, for five epochs and with mirrored pictures.
# For each batch:
#
# 1. standardise its pictures, and mirror half of them;
# 2. logits, loss;
# 3. gradients, step, next learning rate.

# %%
num_epochs = 5
batch_size = 128
max_learning_rate = 0.005

torch.manual_seed(0)
model = network().to(device, memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(model.parameters(), lr=max_learning_rate)
num_steps = num_epochs * math.ceil(len(train_images) / batch_size)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_learning_rate, num_steps)

for epoch in range(num_epochs):
    model.train()
    for batch in torch.randperm(len(train_images)).split(batch_size):
        images = standardize(train_images[batch.to(device)])
        mirror = torch.rand(len(batch), 1, 1, 1) < 0.5
        images = torch.where(mirror.to(device), images.flip(3), images)
        loss = F.cross_entropy(model(images), train_labels[batch.to(device)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    logits = predict(model)
    print(f"epoch {epoch + 1}  test accuracy {accuracy(logits):.3f}")

# %% [markdown]
# ## Result

# %%
test_accuracy = accuracy(logits)
results["five epochs"] = test_accuracy
for name, value in results.items():
    print(f"{name:11} {value:.2f}")
assert test_accuracy > 0.65

# %% [markdown]
# How much of it is learned by heart?
# The accuracy on the first 10,000 training pictures tells: a large gap would mean that the network knows its pictures, not its classes.

# %%
training_logits = predict(model, train_images[:10_000])
hits = training_logits.argmax(dim=1) == data.train_labels[:10_000]
print(f"seen in training {hits.float().mean():.2f}, not seen {test_accuracy:.2f}")

# %% [markdown]
# The gap is small: little is learned by heart.
#
# ## What it learned
#
# What does the network take for what?
# In the **confusion matrix** each row is a class, and each column an answer; a row adds up to 1.
# Look for bright squares off the diagonal.

# %% alt="Confusion matrix of ten classes, brightest along the diagonal"
answers = logits.argmax(dim=1)
pairs = (data.test_labels * 10 + answers).bincount(minlength=100)
confusion = pairs.view(10, 10) / data.test_labels.bincount()[:, None]

fig, ax = plt.subplots(figsize=(5, 4.3))
image = ax.imshow(confusion.numpy(), vmin=0)
ax.set_xticks(range(10), CIFAR10_CLASSES, rotation=60, ha="right")
ax.set_yticks(range(10), CIFAR10_CLASSES)
ax.set(xlabel="answer", ylabel="class")
fig.colorbar(image, label="share of the class")
plt.show()

# %% [markdown]
# The brightest two belong to a pair of animals.
# How many of the wrong answers are an animal for an animal, or a vehicle for a vehicle?

# %%
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
# **1.** Ask the network twice: for each test picture, and for its mirror image.
# Add the logits.
# What does that bring?

# %% tags=["solution"]
mirrored_logits = predict(model, test_images.flip(3))
both = accuracy(logits + mirrored_logits)
print(f"once {test_accuracy:.3f}, twice {both:.3f}")
assert both > test_accuracy - 0.005

# %% [markdown]
# **2.** How often is the right class among the first three answers?

# %% tags=["solution"]
best_three = logits.topk(3).indices  # (10000, 3)
among = (best_three == data.test_labels[:, None]).any(dim=1).float().mean().item()
print(f"first {test_accuracy:.2f}, among the first three {among:.2f}")
assert among > test_accuracy

# %% [markdown]
# ## What next
#
# The [next page](46_lenet.py) trains the network that made this shape famous, keeps it in a file, and looks at each class.
# Three times convolution, ReLU and pooling instead of two, and more filters, is where one would go from here.
