# ---
# jupyter:
#   page:
#     teaches: [B3, C8, E7, E15]
#     level: beginner
#     read_first: [23_linear_regression]
# ---

# %% [markdown]
# # Batches
#
# So far, every step looked at all samples.
# With many samples a step looks at a few of them: a **mini-batch**, or batch.
# PyTorch's `Dataset` holds the samples, and its `DataLoader` hands out the batches.
# We train a linear layer on four rows in batches of two, once with labels of the right shape and once without: one learns the rows, the other answers 0.5 to everything.
# Then we write two data sets of our own, over a table and over a file.
# You should know [linear regression](23_linear_regression.py) the PyTorch way.

# %%
import multiprocessing
import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from load import diabetes_file

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A data set of tensors
#
# Four rows of four zeros and ones, and a label for each.
# A `TensorDataset` holds tensors of the same length and answers two questions: how many samples are there, and which is the $i$-th?

# %%
x = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1]]).float()
y = torch.tensor([[0], [1], [1], [0]]).float()
rows = TensorDataset(x, y)

features, label = rows[1]
print(f"{len(rows)} samples; number 1: {features.tolist()} -> {label.tolist()}")

# %% [markdown]
# ## A loader
#
# A `DataLoader` takes samples from a data set and stacks them to batches.
# With `shuffle=True` it does so in a new order each epoch.
# The order comes from a generator of its own, with a seed, so that we get the same order in every run.

# %%
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
# ## Training
#
# The loop gets an inner loop: one step per batch.
# The loss of an epoch is the mean over its batches, not the loss of the last one.
# Three epochs of two batches are six steps, and with this learning rate they change little.

# %%
learning_rate = 1e-4  # an old tutorial's, far too small
num_epochs = 3
model = nn.Linear(4, 1).to(device)
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

for epoch in range(num_epochs):
    total = 0.0
    for batch_x, batch_y in loader:
        batch_x, batch_y = batch_x.to(device), batch_y.to(device)
        optimizer.zero_grad()
        loss = criterion(model(batch_x), batch_y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch_x)  # back to a sum over samples
    print(f"epoch {epoch + 1}  mean loss {total / len(rows):.4f}")

# %% [markdown]
# ## A mistake: (2, 1) against (2,)
#
# The labels above have the shape (4, 1), one row per sample, like the outputs.
# It is tempting to write them as a flat list, with the shape (4,).
# Then a batch has outputs (2, 1) and labels (2,), and the difference of the two is not what one expects.

# %%
outputs = torch.tensor([[10.0], [20.0]])  # (2, 1)
flat_labels = torch.tensor([1.0, 2.0])  # (2,)
difference = outputs - flat_labels
print(f"{tuple(outputs.shape)} - {tuple(flat_labels.shape)}:", difference.tolist())
assert difference.shape == (2, 2)

# %% [markdown]
# [Broadcasting](11_tensors.py) has taken the labels for a row, and compared every output with every label.
# `nn.MSELoss` does the same, but it warns that the size of the target is not that of the input.

# %%
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    nn.MSELoss()(outputs, flat_labels)
first_words = str(caught[0].message).split(" (")[0]
print(f"{caught[0].category.__name__}: {first_words} ...")

# %% [markdown]
# What does it cost?
# We train twice, from the same start and with a learning rate that is large enough.
# Only the shape of the labels differs.
# After each epoch we note the four answers.


# %%
def train(labels, shuffle=False, learning_rate=0.1, num_epochs=200):
    """The answers for the four rows after each epoch: (epochs, 4)."""
    torch.manual_seed(0)
    model = nn.Linear(4, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    loader = DataLoader(TensorDataset(x, labels), batch_size=2, shuffle=shuffle)
    answers = []
    for _ in range(num_epochs):
        for batch_x, batch_y in loader:
            optimizer.zero_grad()
            criterion(model(batch_x.to(device)), batch_y.to(device)).backward()
            optimizer.step()
        with torch.no_grad():
            answers.append(model(x.to(device)).cpu()[:, 0])
    return torch.stack(answers)


right = train(y)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the warning that we have seen
    wrong = train(y[:, 0])  # (4,) instead of (4, 1)

# %%
print("labels             ", "  ".join(f"{value:.2f}" for value in y[:, 0]))
print("answers with (4, 1)", "  ".join(f"{abs(value):.2f}" for value in right[-1]))
print("answers with (4,)  ", "  ".join(f"{value:.2f}" for value in wrong[-1]))

right_errors = (right - y[:, 0]).square().mean(dim=1)  # (epochs,)
wrong_errors = (wrong - y[:, 0]).square().mean(dim=1)
print(f"mean squared error {right_errors[-1]:.2f} and {wrong_errors[-1]:.2f}")
assert right_errors[-1] < 0.001
assert abs(wrong_errors[-1] - 0.25) < 0.001

# %% [markdown]
# With flat labels every output is pulled towards both labels of its batch, a 0 and a 1, and stops half way.
# In the picture, see that more epochs would not help: the upper curve has come to rest.

# %% alt="Squared error against epoch: one curve falls to 0, the other stays at 0.25"
fig, ax = plt.subplots(figsize=(6, 3.2), layout="constrained")
ax.plot(right_errors, label="labels (4, 1)")
ax.plot(wrong_errors, label="labels (4,)")
ax.set(xlabel="epoch", ylabel="mean squared error", title="One dimension too few")
ax.legend()
plt.show()

# %% [markdown]
# ## A data set of one's own: a table
#
# Data often come as a pandas frame.
# Here are 120 rectangles; the label is 1 where the rectangle is wider than high.

# %%
sides = np.random.default_rng(0).uniform(1, 5, size=(120, 2))
frame = pd.DataFrame(sides, columns=["width", "height"])
frame["wide"] = (frame["width"] > frame["height"]).astype(float)
frame.head(3)

# %% [markdown]
# A class derived from `Dataset` needs two methods, for the two questions.
# A frame holds 64-bit numbers and a layer 32-bit weights, and a layer refuses to mix them.
# So we convert once, at the start.


# %%
class FrameDataset(Dataset):
    """Rows of a frame: features (columns,) and label (1,), both float32."""

    def __init__(self, frame, feature_names, label_name):
        self.features = torch.tensor(frame[feature_names].to_numpy("float32"))
        self.labels = torch.tensor(frame[[label_name]].to_numpy("float32"))

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.features[i], self.labels[i]


rectangles = FrameDataset(frame, ["width", "height"], "wide")
features, label = rectangles[0]
print(len(rectangles), features.dtype, tuple(features.shape), tuple(label.shape))

# %% [markdown]
# ## Workers
#
# A loader can prepare batches in other processes, its workers, while the model trains.
# That helps where a sample costs time, such as a picture to be read and decoded.
#
# On Linux, Python starts workers by fork: each is a copy of this process, and knows our class.
# On Windows and macOS a worker starts empty and runs this script from its top, which would start workers again.
# There a script must hide its work behind `if __name__ == "__main__":`, and a page like this one does without workers.

# %%
# two where they are forked and there are two processors to run them
can_fork = multiprocessing.get_start_method() == "fork"
num_workers = min(2, os.cpu_count()) if can_fork else 0


def load_epoch(dataset, batch_size, seed=0, num_workers=0):
    """All batches of one shuffled epoch, as a list."""
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(
        dataset, batch_size, shuffle=True, generator=order, num_workers=num_workers
    )
    with warnings.catch_warnings():  # Python 3.12 warns of forks beside threads
        warnings.simplefilter("ignore", DeprecationWarning)
        return list(loader)


batches = load_epoch(rectangles, batch_size=4, num_workers=num_workers)
print(len(batches), "batches; first:", [tuple(part.shape) for part in batches[0]])

# %% [markdown]
# The workers change nothing about the batches: the seed decides which samples they hold.
# Another seed gives another order, but each order shows every sample once.

# %%
alone = load_epoch(rectangles, batch_size=4)
other_seed = load_epoch(rectangles, batch_size=4, seed=1)
print("same without workers:", torch.equal(batches[0][0], alone[0][0]))
print("same with seed 1:    ", torch.equal(batches[0][0], other_seed[0][0]))
assert all(torch.equal(a[0], b[0]) for a, b in zip(batches, alone, strict=True))

everything = torch.cat([part for part, labels in alone])  # (120, 2)
assert torch.equal(everything.sort(dim=0)[0], rectangles.features.sort(dim=0)[0])

# %% [markdown]
# In batches of 50, the last one has what is left.
# `drop_last=True` would leave it out.

# %%
sizes = [len(labels) for features, labels in load_epoch(rectangles, batch_size=50)]
print(sizes)
assert sum(sizes) == len(rectangles)

# %% [markdown]
# ## A data set of one's own: a file
#
# The diabetes file is a compressed table without column names: eight features in each line, then the label.
# The class reads it once and answers the same two questions.


# %%
class DiabetesDataset(Dataset):
    """The file's rows: eight features (8,) and the label (1,), both float32."""

    def __init__(self, path):
        table = np.loadtxt(path, delimiter=",", dtype=np.float32)  # (rows, 9)
        self.features = torch.from_numpy(table[:, :-1])
        self.labels = torch.from_numpy(table[:, -1:])  # -1: keeps the dimension

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.features[i], self.labels[i]


patients = DiabetesDataset(diabetes_file())
batches = load_epoch(patients, batch_size=32)
print(len(patients), "rows in", len(batches), "batches")
print("first:", [tuple(part.shape) for part in batches[0]])
print("last: ", [tuple(part.shape) for part in batches[-1]])
assert sum(len(labels) for features, labels in batches) == len(patients)

# %% [markdown]
# The page on [diabetes](33_diabetes.py) trains on it, and the one on [MNIST](35_mnist_data.py) shows the data sets that torchvision has ready.
#
# ## Try it yourself
#
# **1.** Give a layer the rectangles as 64-bit numbers.
# What does it say?

# %% tags=["solution"]
wide_numbers = torch.tensor(frame[["width", "height"]].to_numpy())
print(wide_numbers.dtype)
try:
    nn.Linear(2, 1)(wide_numbers)
except RuntimeError as error:
    print(error)

# %% [markdown]
# **2.** Train with the flat labels again, but with `shuffle=True`.
# The answers are no longer one half.
# Take their mean over the last 100 epochs: where does it lie, and why?

# %% tags=["solution"]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    shuffled = train(y[:, 0], shuffle=True)
print("  ".join(f"{value:.2f}" for value in shuffled[-100:].mean(dim=0)))
print("  ".join(f"{value:.2f}" for value in shuffled[-1]))

# %% [markdown] tags=["solution"]
# A row with label 1 meets the other 1 in one of three batches, and a 0 in two.
# Half of its pull comes from its own label and half from its neighbour's, on average $(1 + 1/3) / 2 = 2/3$.
# The mistake is easy to miss: the model seems to learn, only badly.

# %% [markdown]
# ## What next
#
# These four rows return on the [next page](26_neural_network.py), where a network with a hidden layer learns them.
# Training on a random few samples at a time is the "stochastic" of stochastic gradient descent, an idea of Robbins and Monro from 1951.
