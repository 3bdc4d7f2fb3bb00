# ---
# jupyter:
#   page:
#     teaches:
#       B3: A table
#     level: beginner
#     read_first: [24_logistic_regression, 25_batches]
# ---

# %% [markdown]
# # Data sets of one's own
#
# Data seldom come as tensors.
# They come as tables, files, folders of pictures; a class of one's own turns them into a data set that a loader understands.
# We write one over a table, see why batches are shuffled, and let other processes prepare them.
# A model that sees a table in its sorted order gets 67 % of new rectangles right; one that sees it shuffled, 97 %.
# You should know [batches](25_batches.py) and [logistic regression](24_logistic_regression.py).

# %%
import multiprocessing
import os
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## A table
#
# Pandas reads a table into a **frame**, whose columns have names.
# This one holds 120 rectangles; the label is 1 where the rectangle is wider than high.
# It is sorted by label, as tables often are.

# %%
sides = np.random.default_rng(0).uniform(1, 5, size=(120, 2))
frame = pd.DataFrame(sides, columns=["width", "height"])
frame["wide"] = (frame["width"] > frame["height"]).astype(float)
frame = frame.sort_values("wide", kind="stable", ignore_index=True)
print(frame.iloc[[0, 1, -2, -1]])

# %% [markdown]
# A data set answers two questions: how many samples are there, and what is sample number $i$?
# So a class derived from `Dataset` needs two methods, `__len__` and `__getitem__`; Python calls them for `len(...)` and `[...]`.
# Our frame holds 64-bit numbers, a layer has 32-bit weights, and it refuses to mix them.
# We convert once, at the start.


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
assert torch.equal(features, rectangles.features[0])

# %% [markdown]
# Did that need a class? No: it only holds two tensors, and a `TensorDataset` of them answers the same.
# A class earns its place where there is work to do for each sample, as on the [next page](28_data_from_files.py).

# %%
plain = TensorDataset(rectangles.features, rectangles.labels)
assert len(plain) == len(rectangles)
assert all(torch.equal(plain[i][0], rectangles[i][0]) for i in range(len(plain)))

# %% [markdown]
# ## Which samples a batch holds
#
# The loader asks for the length, decides on an order, and asks for one sample after the other.
# Anything that answers the two questions will do, even a `range`.
# That shows us the numbers of the samples in each batch of four, in the table's order and shuffled.

# %% tags=["predict"] ask="In the table's order, how many of the 30 batches hold both labels?" answers=["15 of 30", "1 of 30", "30 of 30"] why="The table is sorted by label, so only one batch can have the end of the one and the start of the other."
batch_size = 4


def sample_numbers(shuffle):
    """The samples of each batch of one epoch: (batches, 4)."""
    order = torch.Generator().manual_seed(0)
    numbers = range(len(rectangles))
    loader = DataLoader(numbers, batch_size, shuffle=shuffle, generator=order)
    return torch.stack(list(loader))


numbers_of = {"in order": sample_numbers(False), "shuffled": sample_numbers(True)}
for name, numbers in numbers_of.items():
    # labels[numbers]: (batches, 4, 1); of each batch, the share of label 1
    share = rectangles.labels[numbers].mean(dim=(1, 2))
    mixed = ((share > 0) & (share < 1)).sum()
    print(f"{name}: first {numbers[0].tolist()}, {mixed} of {len(share)} batches mixed")
    assert numbers.flatten().sort()[0].tolist() == list(range(len(rectangles)))

# %% [markdown]
# Either way every sample comes once.
# But in the table's order a batch has both labels only where the one ends and the other begins.
# In the picture each dot is a sample; see which labels the model meets last.

# %% alt="Batch against sample number: a staircase in order, a scatter when shuffled"
fig, axes = plt.subplots(1, 2, figsize=(5.6, 3), layout="constrained", sharey=True)
for ax, (name, numbers) in zip(axes, numbers_of.items(), strict=True):
    batch_of = torch.arange(len(numbers)).repeat_interleave(batch_size)  # 0 0 0 0 1 …
    labels = rectangles.labels[numbers.flatten(), 0]
    for wide in (0, 1):
        mine = labels == wide
        shown = numbers.flatten()[mine], batch_of[mine]
        ax.plot(*shown, "os"[wide], markersize=3, label=f"label {wide}")
    ax.set(xlabel="sample", title=name)
axes[0].set(ylabel="batch")
axes[0].legend()
plt.show()

# %% [markdown]
# On the left, the second half of the epoch is label 1 alone.

# %%
in_order = rectangles.labels[numbers_of["in order"].flatten(), 0]
print(f"label 1 in the second half: {in_order[len(in_order) // 2 :].mean():.0%}")
assert in_order[len(in_order) // 2 + 12 :].min() == 1

# %% [markdown]
# ## What the order costs
#
# We train a linear layer twice, from the same start, and judge it on 1000 rectangles that it has not seen.
# The loop knows only the loader, so it is the same for every data set.

# %%
learning_rate = 0.1  # with any from 0.01 to 1 shuffling wins as well
num_epochs = 5  # 150 steps: enough when shuffled
criterion = nn.BCEWithLogitsLoss()


def train(shuffle):
    """A layer trained on the rectangles, from the same start each time."""
    torch.manual_seed(0)
    layer = nn.Linear(2, 1).to(device)
    optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)
    loader = DataLoader(rectangles, batch_size, shuffle=shuffle)
    for _ in range(num_epochs):
        for x, y in loader:
            loss = criterion(layer(x.to(device)), y.to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return layer.eval()


# %%
fresh = torch.empty(1000, 2).uniform_(1, 5)
fresh_wide = fresh[:, 0] > fresh[:, 1]
accuracies = []
for name, shuffle in [("in order", False), ("shuffled", True)]:
    layer = train(shuffle)
    with torch.no_grad():
        answers = layer(fresh.to(device)).cpu()[:, 0] > 0
    accuracies.append((answers == fresh_wide).float().mean().item())
    print(f"{name}: accuracy {accuracies[-1]:.2f}")
assert accuracies[0] < 0.82 and accuracies[1] > 0.88

# %% [markdown]
# A model follows what it saw last, and in the table's order that is half an epoch of steps that all say "wide".
#
# ## Workers
#
# A loader can prepare batches in other processes, its workers, while the model trains.
# That helps where a sample costs time, such as a picture to be read and decoded.
#
# On Linux, up to Python 3.13, workers are **forked**: each is a copy of this process, and knows our class.
# Elsewhere a worker starts empty and runs this script from its top; it would come to the line that starts workers, and there Python stops with an error.
# There a script must put its work behind `if __name__ == "__main__":`, and a page like this one does without workers.
#
# The loader puts the samples of a batch together with its `collate_fn`, in the worker.
# Ours answers with the number of the process that it runs in, and so tells us who works.

# %% tags=["predict"] ask="Two workers load 120 samples in batches of four. How many batches has an epoch?" answers=["30 batches", "60 batches", "15 batches"] why="The workers share out the batches of one epoch; each does not bring all of them."
num_workers = 0
if multiprocessing.get_start_method() == "fork":
    num_workers = min(2, len(os.sched_getaffinity(0)))  # at most one per processor


def load_epoch(dataset, batch_size, seed=0, **options):
    """All batches of one shuffled epoch, as a list."""
    order = torch.Generator().manual_seed(seed)
    loader = DataLoader(dataset, batch_size, shuffle=True, generator=order, **options)
    with warnings.catch_warnings():  # Python 3.12 warns of forks beside threads
        warnings.simplefilter("ignore", DeprecationWarning)
        return list(loader)


helped = load_epoch(rectangles, batch_size, num_workers=num_workers)
print(len(helped), "batches; first:", [tuple(part.shape) for part in helped[0]])

options = {"num_workers": num_workers, "collate_fn": lambda samples: os.getpid()}
processes = set(load_epoch(rectangles, batch_size, **options))
assert len(processes) == max(1, num_workers)
assert (os.getpid() in processes) == (num_workers == 0)

# %% [markdown]
# The workers change nothing about these batches: the seed decides which samples they hold.
# (Where `__getitem__` draws at random, each worker has a seed of its own, and its draws differ.)

# %%
alone = load_epoch(rectangles, batch_size)
other_seed = load_epoch(rectangles, batch_size, seed=1)
print("same without workers:", torch.equal(helped[0][0], alone[0][0]))
print("same with seed 1:    ", torch.equal(helped[0][0], other_seed[0][0]))
assert all(torch.equal(a[0], b[0]) for a, b in zip(helped, alone, strict=True))

# %% [markdown]
# In batches of 50, the last one holds the 20 that are left; `drop_last=True` leaves it out.

# %%
for options in [{}, {"drop_last": True}]:
    batches = load_epoch(rectangles, batch_size=50, **options)
    print([len(labels) for features, labels in batches], options)

# %% [markdown]
# ## Try it yourself
#
# **1.** Give a layer the rectangles as 64-bit numbers: what does its message say?
# Keep it as a string `message`.

# %% tags=["solution"]
wide_numbers = torch.tensor(frame[["width", "height"]].to_numpy())
try:
    nn.Linear(2, 1)(wide_numbers)
    message = "nothing"
except RuntimeError as error:
    message = str(error)
print(message)
assert "double" in message.lower()  # 64 and 32 bits do not mix

# %% [markdown]
# **2.** `random_split` cuts a data set in two: hold back a fifth of the rectangles as `test_set`, and show that no row is in it and in the rest, `train_set`.

# %% tags=["solution"]
train_set, test_set = random_split(rectangles, [0.8, 0.2])
print(len(train_set), "+", len(test_set), "rows")
assert len(train_set) == 4 * len(test_set)
assert not set(train_set.indices) & set(test_set.indices)

# %% [markdown]
# ## What next
#
# The [next page](28_data_from_files.py) reads files that need not fit into memory.
# The two methods are those of any Python sequence; that is why a `range` would do.
