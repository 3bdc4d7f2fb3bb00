# ---
# jupyter:
#   page:
#     teaches:
#       B8: A file from its start to its end
#       C8: Any line of a file
#     level: beginner
#     read_first: [27_data_sets]
# ---

# %% [markdown]
# # Data from files
#
# A file may be larger than the memory, and training does not need all of it at once.
# We read the same 759 patients in three ways: all of them, one after the other from the start, and any one when it is asked for.
# All three give the same rows; they differ in what they hold in memory and in whether they can be shuffled.
# You should know [data sets of one's own](27_data_sets.py).

# %%
import gzip
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from load import diabetes_file

# %%
torch.manual_seed(0)
batch_size = 32  # any would do: nothing is trained here

# %% [markdown]
# ## All of a file
#
# The diabetes file is a table without column names: eight features in each line, then the label.
# It is small, and then nothing is better than to read it whole and to make tensors of it.
# No class is needed.

# %% tags=["predict"] ask="What shapes have `features` and `label`, the two parts of one sample?" answers=["(8,) (1,)", "(8,) ()", "(1, 8) (1, 1)"] why="Index 0 takes the dimension of the rows away; that of the columns stays, for `-1:` is a slice, not an index."
path = diabetes_file()
table = torch.from_numpy(np.loadtxt(path, delimiter=",", dtype=np.float32))
in_memory = TensorDataset(table[:, :-1], table[:, -1:])  # -1: keeps the dimension

features, label = in_memory[0]
print(tuple(table.shape))
print(len(in_memory), "rows;", tuple(features.shape), tuple(label.shape))
assert torch.equal(features, table[0, :-1])

# %% [markdown]
# ## A file from its start to its end
#
# The file is compressed, and its middle cannot be found without what comes before.
# So who does not want all of it in memory reads it from its start, line after line.
# That is a **stream**, and an `IterableDataset` answers one question about it: what comes next?
# Python asks it through the method `__iter__`; `yield` hands out a row and waits until the next is wanted.


# %% tags=["predict"] ask="How many batches of 32 do the 759 rows make?" answers=["23 batches", "24 batches"] why="What is left over makes a last, smaller batch, which a loader leaves out only when told to."
class DiabetesStream(IterableDataset):
    """The file's rows in their order: eight features (8,) and the label (1,)."""

    def __iter__(self):
        with gzip.open(path, "rt") as lines:
            for line in lines:
                row = torch.tensor([float(value) for value in line.split(",")])
                yield row[:-1], row[-1:]


stream = DataLoader(DiabetesStream(), batch_size)
sizes = [len(labels) for features, labels in stream]
print(f"{len(sizes)} batches, the last of {sizes[-1]} rows")
assert sum(sizes) == len(in_memory)

# %% [markdown]
# Only one batch of rows is in memory at a time.
# The price: a stream has no length, and no order but its own, so the loader refuses to shuffle it.
# And each [worker](27_data_sets.py#workers) would walk the whole stream: with two of them every row comes twice, unless `__iter__` asks `torch.utils.data.get_worker_info()` which worker it is, and skips the rows of the others.

# %%
try:
    DataLoader(DiabetesStream(), batch_size, shuffle=True)
except ValueError as error:
    print(str(error).split(",")[0])
else:
    raise AssertionError("a stream should not be shuffled")

# %% [markdown]
# ## Any line of a file
#
# Unpacked, the file can be entered anywhere.
# This class notes once where each line begins, and reads a line when it is asked for.
# It works for files that are larger than the memory, and can be shuffled: here the class earns its place.


# %%
class DiabetesLines(Dataset):
    """The lines of a file, read when asked for: features (8,) and label (1,)."""

    def __init__(self, path):
        self.path = path
        with path.open("rb") as file:
            lengths = [len(line) for line in file]
        self.starts = np.cumsum([0, *lengths[:-1]])  # where each line begins

    def __len__(self):
        return len(self.starts)

    def __getitem__(self, i):
        with self.path.open("rb") as file:
            file.seek(self.starts[i])
            row = torch.tensor([float(value) for value in file.readline().split(b",")])
        return row[:-1], row[-1:]


# %%
folder = tempfile.TemporaryDirectory()
unpacked = Path(folder.name) / "diabetes.csv"
unpacked.write_bytes(gzip.decompress(path.read_bytes()))

on_demand = DiabetesLines(unpacked)
loader = DataLoader(on_demand, batch_size, shuffle=True)
features, labels = next(iter(loader))
print(len(on_demand), "rows; a shuffled batch:", tuple(features.shape))
print(f"held in memory: {on_demand.starts.nbytes:,} bytes of {table.nbytes:,}")

# %% [markdown]
# The rows are those of the table, whichever way they come.
# Reading a line costs more time than taking a row from a tensor, so this is work for the workers of a loader.

# %%
for i, streamed in enumerate(DiabetesStream()):
    for features, label in [in_memory[i], on_demand[i]]:
        assert torch.equal(features, streamed[0]) and torch.equal(label, streamed[1])
print(f"{i + 1} rows are the same three times")

# %% [markdown]
# So: what fits into memory goes into tensors.
# What does not is read when asked for, if the file can be entered anywhere; else it is streamed.
# A folder of pictures is of the second kind, one file per sample.
#
# ## Try it yourself
#
# **1.** Write a stream `Positive` that hands out the rows with label 1 only.
# What share of the rows is that?


# %% tags=["solution"]
class Positive(IterableDataset):
    """The rows whose label is 1."""

    def __iter__(self):
        for features, label in DiabetesStream():
            if label == 1:
                yield features, label


count = sum(1 for row in Positive())
print(f"{count / len(in_memory):.1%}")
assert sum(1 for row in Positive()) == table[:, -1].sum()

# %% [markdown]
# **2.** A stream can be shuffled a little: keep 100 rows, and hand out a random one of them each time a new one comes.
# Does every row come once?
# Stack the features of all that come: `rows`.


# %% tags=["solution"]
class ShuffledStream(IterableDataset):
    """A stream through a buffer of 100 rows."""

    def __iter__(self):
        buffer = []
        for row in DiabetesStream():
            buffer.append(row)
            if len(buffer) == 100:
                yield buffer.pop(torch.randint(100, ()).item())
        for i in torch.randperm(len(buffer)):
            yield buffer[i]


rows = torch.stack([features for features, label in ShuffledStream()])
print("first row moved:", not torch.equal(rows[0], in_memory[0][0]))
assert torch.allclose(rows.sum(dim=0), table[:, :-1].sum(dim=0), atol=1e-2)
assert len(rows) == len(in_memory) and not torch.equal(rows, table[:, :-1])

# %%
folder.cleanup()

# %% [markdown]
# ## What next
#
# Chapter 2 ends here, with one answer per sample; the [next chapter](31_softmax_and_cross_entropy.py) begins with ten classes to choose from.
# It also has pages that train on the [diabetes](36_diabetes.py) file and on [MNIST](32_mnist_data.py), one of the data sets that torchvision has ready.
# The methods are those of Python's own sequences and iterators; that is why a `range` would do as a data set.
