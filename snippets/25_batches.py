# ---
# jupyter:
#   page:
#     teaches:
#       E7: Training
#       E15: "A mistake: (2, 1) against (2,)"
#     level: beginner
#     read_first: [23_linear_regression]
# ---

# %% [markdown]
# # Batches
#
# By hand a step looked at one point, on the last pages at all of them.
# Between the two is the **mini-batch**, or batch: a step looks at a few samples.
# PyTorch's `Dataset` holds the samples, and its `DataLoader` hands out the batches.
# We train a linear layer on four rows in batches of two, first with labels of the right shape, then with labels of the wrong one.
# The first learns the rows; the second answers 0.40 where 0 is right and 0.65 where 1 is, and seems to learn, only badly.
# You should know [linear regression](23_linear_regression.py) the PyTorch way.

# %%
import warnings

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A data set of tensors
#
# Four rows of four zeros and ones, and a label for each.
# A `TensorDataset` holds tensors of the same length and answers two questions: how many samples are there, and what is sample number $i$?

# %% tags=["predict"] ask="What is sample number 1?" answers=["[0.0, 0.0, 1.0, 1.0] -> [0.0]", "[0.0, 1.0, 1.0, 0.0] -> [1.0]", "[0.0, 1.0, 1.0, 0.0] -> 1.0"] why="A data set counts from 0, like a list; and each label is a row of `y`, a tensor of one number."
x = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1]]).float()
y = torch.tensor([[0], [1], [1], [0]]).float()
rows = TensorDataset(x, y)

features, label = rows[1]
print(f"{len(rows)} samples; number 1: {features.tolist()} -> {label.tolist()}")

# %% [markdown]
# ## A loader
#
# A `DataLoader` takes samples from a data set and stacks them into batches.
# With `shuffle=True` it does so in a new order each epoch.
# The order comes from a generator with a seed, so every run of this page sees the same orders.

# %% tags=["predict"] ask="What shapes have the features and the labels of a batch?" answers=["(2, 4) (2,)", "(4, 4) (4, 1)", "(2, 4) (2, 1)"] why="The loader stacks two samples: two rows of four features, and two labels of one number each."
batch_size = 2
loader = DataLoader(
    rows, batch_size, shuffle=True, generator=torch.Generator().manual_seed(0)
)

for epoch in range(2):
    for batch_x, batch_y in loader:
        shapes = tuple(batch_x.shape), tuple(batch_y.shape)
        print(f"epoch {epoch + 1} ", *shapes, batch_x.int().tolist())

# %% [markdown]
# Every epoch shows each row once, two rows in each batch.
#
# ## What a batch knows
#
# A step on a batch follows the gradient of that batch alone.
# How far is it from the gradient of all rows?
# Here are the gradients of the weight, before any training.

# %%
model = nn.Linear(4, 1).to(device)
criterion = nn.MSELoss()


def weight_gradient(inputs, labels):
    """Gradient of the mean loss with respect to the four weights: (4,)."""
    model.zero_grad()
    criterion(model(inputs.to(device)), labels.to(device)).backward()
    return model.weight.grad[0].cpu()


of_batches = [weight_gradient(*batch) for batch in loader]
of_all = weight_gradient(x, y)
for name, gradient in [("batch 1", of_batches[0]), ("batch 2", of_batches[1])]:
    print(name, " ", "  ".join(f"{value:7.4f}" for value in gradient))
print("all rows ", "  ".join(f"{value:7.4f}" for value in of_all))
assert torch.allclose(torch.stack(of_batches).mean(dim=0), of_all, atol=1e-6)

# %% [markdown]
# Each batch is off, and their mean is right.
# A batch gives a rough gradient for a part of the work; over an epoch the errors nearly cancel, as long as the steps are small.
# The batches are drawn at random: that is the "stochastic" in stochastic gradient descent.
#
# ## Training
#
# The loop gets an inner loop: one step per batch.
# The loss of an epoch is the mean over all its rows, not the loss of the last batch; each was measured when its batch came, while the weights moved on.
# Three epochs of two batches are six steps, and with an old tutorial's learning rate they change little.

# %%
learning_rate = 1e-4  # the old tutorial's, far too small
num_epochs = 3
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

for epoch in range(num_epochs):
    total = 0.0
    for batch_x, batch_y in loader:
        batch_x, batch_y = batch_x.to(device), batch_y.to(device)
        loss = criterion(model(batch_x), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch_x)  # back to a sum over samples
    print(f"epoch {epoch + 1}  mean loss {total / len(rows):.4f}")

# %% [markdown]
# ## A mistake: (2, 1) against (2,)
#
# The labels above have the shape (4, 1), one row per sample, like the outputs.
# The old tutorial wrote them as a flat list, with the shape (4,).
# Then a batch has outputs (2, 1) and labels (2,), and their difference is not the two numbers that one expects.

# %%
outputs = torch.tensor([[10.0], [20.0]])  # (2, 1)
flat_labels = torch.tensor([1.0, 2.0])  # (2,)
difference = outputs - flat_labels
print(f"{tuple(outputs.shape)} - {tuple(flat_labels.shape)}:", difference.tolist())
assert difference.shape == (2, 2)

# %% [markdown]
# [Broadcasting](12_shapes.py) has taken the labels for a row, and compared every output with every label.
# `nn.MSELoss` does the same, but it warns that the size of the target is not that of the input.

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    nn.MSELoss()(outputs, flat_labels)
first_words = str(caught[0].message).split(" (")[0]
print(f"{caught[0].category.__name__}: {first_words} ...")

# %% [markdown]
# What does it cost?
# We train from the same start on the same batches; only the shape of the labels differs.

# %%
learning_rate = 0.1  # half of 1/5, the wall for the row of four ones
num_epochs = 200  # ample: with the right shape the error is 0 long before


def train(labels, shuffle):
    """The answers for the four rows after each epoch: (epochs, 4)."""
    torch.manual_seed(0)
    model = nn.Linear(4, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    loader = DataLoader(TensorDataset(x, labels), batch_size, shuffle=shuffle)
    answers = []
    for _ in range(num_epochs):
        for batch_x, batch_y in loader:
            optimizer.zero_grad()
            criterion(model(batch_x.to(device)), batch_y.to(device)).backward()
            optimizer.step()
        with torch.no_grad():
            answers.append(model(x.to(device)).cpu()[:, 0])
    return torch.stack(answers)


# %%
flat_y = y[:, 0]  # (4,) instead of (4, 1)
right = train(y, shuffle=True)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the warning that we have seen
    wrong = train(flat_y, shuffle=True)
    unshuffled = train(flat_y, shuffle=False)

runs = {"labels (4, 1)": right, "labels (4,)": wrong, "(4,), unshuffled": unshuffled}
for name, answers in runs.items():
    last = answers[-1].tolist()
    print("  ".join(f"{value:z.2f}" for value in last), name)  # z: no -0.00

# %% [markdown]
# With flat labels every output is pulled towards both labels of its batch, its own and its neighbour's.
# In the order of the rows each batch has a 0 and a 1, so every answer stops half way, at 0.5: that one notices.
# Shuffled, a row meets another neighbour each time, and the answers follow: lower where 0 is right, higher where 1 is.
# This is the treacherous result, since it looks like learning.
#
# Where would they come to rest?
# A row with label 1 meets the other 1 in one of three batches, and a 0 in two.
# Half of its pull comes from its own label and half from its neighbour's, on average towards $(1 + 1/3) / 2 = 2/3$; likewise a row with label 0 towards $1/3$.

# %%
means = wrong[-100:].mean(dim=0)  # (4,)
print("last 100 epochs, mean ", "  ".join(f"{value:.2f}" for value in means))
assert torch.allclose(means, (1 + flat_y) / 3, atol=0.1)
assert torch.allclose(right[-1], flat_y, atol=0.01)
assert torch.allclose(unshuffled[-1], torch.full((4,), 0.5), atol=0.01)

# %% [markdown]
# In the picture, see that more epochs would not help: with flat labels one curve rests at a quarter, and the other goes up and down without falling.

# %% alt="Squared error against epoch: one falls to 0, one rests at 0.25, one is restless"
fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
for name, answers in runs.items():
    ax.plot((answers - flat_y).square().mean(dim=1), label=name)
ax.set(xlabel="epoch", ylabel="mean squared error", ylim=(-0.02, 0.42))
ax.set_title("One dimension too few")
ax.legend(loc="upper right")
plt.show()

# %% [markdown]
# ## Try it yourself
#
# **1.** Let a loader make batches of three of the four rows, in their order.
# Is the mean loss of `model` over the four rows, `all_rows`, the mean of its two batch losses, `plain`?
# If it is not, find the mean of the two that it is: `weighted`.

# %% tags=["solution"]
uneven = DataLoader(rows, batch_size=3)
with torch.no_grad():
    losses = [criterion(model(a.to(device)), b.to(device)).item() for a, b in uneven]
    all_rows = criterion(model(x.to(device)), y.to(device)).item()
sizes = [len(batch_y) for batch_x, batch_y in uneven]
plain = sum(losses) / len(losses)
weighted = sum(value * n for value, n in zip(losses, sizes)) / sum(sizes)
print(f"batches of {sizes}: plain mean {plain:.4f}, weighted {weighted:.4f}")
print(f"all rows at once: {all_rows:.4f}")
assert abs(weighted - all_rows) < 1e-5 < abs(plain - all_rows)

# %% [markdown] tags=["solution"]
# Only the weighted mean agrees, so the loop above multiplies each loss by the length of its batch.

# %% [markdown]
# **2.** Set `batch_size` to 4 and train with the flat labels again: what will the four answers be at the end?
# Keep them, the last row of what `train` gives, as `together`.

# %% tags=["solution"]
batch_size = 4
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    together = train(flat_y, shuffle=True)[-1]
print("  ".join(f"{value:.2f}" for value in together))  # the mean of all labels
assert torch.allclose(together, flat_y.mean().expand(4), atol=0.01)

# %% [markdown]
# ## What next
#
# These four rows return on the [next page](26_neural_network.py), and so do four that no linear layer can learn.
# Data that are not tensors yet need a [data set of one's own](27_data_sets.py).
# Following a rough gradient that is right on average goes back to Robbins and Monro, 1951.
