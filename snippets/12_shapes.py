# ---
# jupyter:
#   page:
#     teaches:
#       C14: The same numbers, laid out anew
#     level: beginner
#     read_first: [11_tensors]
# ---

# %% [markdown]
# # Shapes
#
# Most errors in PyTorch are about shapes, and most lines of a model change one.
# Here we add [tensors](11_tensors.py) of different shapes, sum along a dimension, lay numbers out anew, join tensors, and pick elements by a condition.
# With four of the five we turn three small images into rows of a table, and keep those that are bright.

# %%
import torch

# %% [markdown]
# ## When shapes differ
#
# Two tensors of one shape are added element by element.
# If the shapes differ, PyTorch writes them below each other, aligned from the right, and compares them place by place.
# Where one of them has nothing, or the length 1, it repeats what is there; this is called **broadcasting**.
# Here it adds the row to every row of the table.

# %%
table = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
row = torch.tensor([1, 2, 3, 4])
print(table + row)  # (2, 4) + (4,) -> (2, 4)
assert torch.equal((table + row)[1], table[1] + row)

# %% [markdown]
# If need be, it repeats on both sides.
# A column of two rows and a flat tensor of two elements make a table of four.
# That is a trap as often as a convenience: did you expect two sums?

# %%
column = torch.tensor([[10], [20]])
pair = torch.tensor([1, 2])
print(column + pair)  # (2, 1) + (2,) -> (2, 2)
assert (column + pair).shape == (2, 2)

# %% [markdown]
# Lengths that differ, with neither of them 1, are refused.
# From the right, the 4 columns of the table meet the 2 elements of `pair`; that there are two rows does not help.

# %%
try:
    table + pair
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("4 columns should not fit 2 elements")

# %% [markdown]
# ## Summing along a dimension
#
# `sum`, `mean`, `max` and their like turn many numbers into few: they are **reductions**.
# Without an argument they reduce the whole tensor to one number.
# With `dim=` they run along that dimension, and it is gone from the shape.

# %%
print(table.sum())  # (2, 4) -> ()
print(table.sum(dim=0))  # down the rows: (2, 4) -> (4,)
print(table.sum(dim=1))  # along the columns: (2, 4) -> (2,)
assert table.sum(dim=1)[0] == 5 + 6 + 7 + 8

# %% [markdown]
# Remember it like this: the dimension that is named is the one that vanishes.
# To count from the end, use negative numbers: `dim=-1` is the last.
# Several dimensions may go at once.

# %%
images = torch.arange(18.0).reshape(3, 2, 3)  # (images, rows, columns)
brightness = images.mean(dim=(1, 2))  # (3, 2, 3) -> (3,)
print(brightness)
assert brightness[0] == (0 + 1 + 2 + 3 + 4 + 5) / 6
assert torch.equal(images.sum(dim=-1), images.sum(dim=2))

# %% [markdown]
# `max` along a dimension answers with two tensors: the largest values, and where they were.
# `argmax` gives the places alone.

# %% tags=["predict"] ask="Of `[[5, 6, 7, 8], [9, 10, 11, 12]]`, what are `largest` and `place`?" answers=["tensor([ 9, 10, 11, 12]) tensor([1, 1, 1, 1])", "tensor([ 8, 12]) tensor([3, 3])", "tensor([ 8, 12]) tensor([3, 7])"] why="The dimension that is named vanishes, so each row answers once, and counts its places from its own start."
largest, place = table.max(dim=1)
print(largest, place)
assert torch.equal(table.argmax(dim=1), place)

# %% [markdown]
# Now subtract from each row its mean.
# The means have the shape (2,), and from the right, 2 does not fit 4 columns.
# `keepdim=True` leaves the dimension in place, with the length 1, so that broadcasting can repeat it.
# (A mean needs numbers with a decimal point, and `float` makes them.)

# %%
means = table.float().mean(dim=1, keepdim=True)  # (2, 4) -> (2, 1)
print(table - means)  # (2, 4) - (2, 1) -> (2, 4)

# %% [markdown]
# ## The same numbers, laid out anew
#
# A new tensor keeps its numbers in one long line of memory, row after row; beside them it notes its shape, and how to find the next number in each dimension.
# `view` gives another shape to the same memory, a **view** of it.
# A length of −1 stands for "as many as there are".
# A model that expects one row per image gets its input in this way.

# %%
rows = images.view(3, -1)  # (3, 2, 3) -> (3, 6)
print(rows)
rows[0, 0] = 100
print(images[0, 0, 0])
assert images[0, 0, 0] == 100
rows[0, 0] = 0  # as it was: we need these images again

# %% [markdown]
# The **transpose**, `T`, swaps rows and columns, and is a view as well; with more than two dimensions, `mT` swaps the last two.
# Read in its own order, its numbers no longer stand one after the other in memory, and `view` refuses to make a line of it.
# (What its message calls `stride` is how far apart in memory the neighbours of a dimension lie.)
# `reshape` gives a view where it can and a copy where it must; `flatten` makes one dimension of several, in the same way.

# %% tags=["predict"] ask="`table` holds 5 to 12, row after row: in which order does the last line list them?" answers=["[ 5, 9, 6, 10, 7, 11, 8, 12]", "[ 5, 6, 7, 8, 9, 10, 11, 12]"] why="`reshape` reads the transpose in the order of its own rows, however the numbers lie in memory."
turned = table.T  # (2, 4) -> (4, 2)
try:
    turned.view(8)
except RuntimeError as error:
    print(str(error).split(" (")[0])
else:
    raise AssertionError("a transpose should have no view of one line")
print(turned.reshape(8))
assert torch.equal(turned.reshape(8), turned.flatten())
assert torch.equal(images.flatten(start_dim=1), rows)  # all but the first

# %% [markdown]
# The numbers of a transposed table are in another order; a reshaped one only breaks its lines elsewhere.
# To confuse the two gives no error.

# %%
print(table.reshape(4, 2))
print(table.T)
assert not torch.equal(table.reshape(4, 2), table.T)

# %% [markdown]
# `unsqueeze` inserts a dimension of length 1, and `squeeze` takes it away.
# So a flat tensor becomes a column, and back.

# %%
as_column = row.unsqueeze(1)  # (4,) -> (4, 1)
print(tuple(row.shape), tuple(as_column.shape), tuple(as_column.squeeze(1).shape))
assert torch.equal(as_column, row.reshape(-1, 1))

# %% [markdown]
# ## Joining
#
# `stack` puts tensors of one shape side by side in a new dimension.
# `cat` puts them end to end along one that they have.

# %%
print(torch.stack([row, 10 * row]))  # (4,) and (4,) -> (2, 4)
print(torch.cat([row, 10 * row]))  # (4,) and (4,) -> (8,)
joined = torch.cat([table, table[:1]], dim=0)  # (2, 4) and (1, 4) -> (3, 4)
print(tuple(joined.shape))
assert torch.equal(joined[2], table[0])

# %% [markdown]
# ## Picking
#
# A comparison gives a tensor of true and false, a **mask**.
# In brackets, a mask picks the elements where it is true.
# As numbers, true is 1 and false is 0, so the mean of a mask is the share that is true.

# %%
is_bright = brightness > 5
print(is_bright)
print(tuple(images[is_bright].shape))  # (3, 2, 3) -> (bright ones, 2, 3)
print(f"{is_bright.float().mean():.2f} of the images are bright")

# %% [markdown]
# A tensor of whole numbers in brackets picks by number, in any order and as often as asked.
# That is how a few samples are taken from many.
# What is picked, by a mask or by number, is a copy.
# Two such tensors pick by row and column together: here one element from each row.

# %%
numbers = torch.tensor([2, 0, 2])
print(brightness[numbers])
print(table[torch.tensor([0, 1]), torch.tensor([3, 0])])
assert table[0, 3] == 8 and table[1, 0] == 9

# %% [markdown]
# ## Result
#
# All of it together: the bright images, as rows, with the mean of each taken from it.

# %%
bright_rows = images[is_bright].flatten(start_dim=1)  # (bright ones, 6)
centred = bright_rows - bright_rows.mean(dim=1, keepdim=True)
print(centred)
assert centred.shape == (len(images[is_bright]), 6)
assert torch.allclose(centred.mean(dim=1), torch.zeros(len(centred)))

# %% [markdown]
# ## Try it yourself
#
# **1.** What shape has the sum of tensors of the shapes (3, 1, 4) and (2, 1)?
# Say it first, as a tuple `shape`, then try.

# %% tags=["solution"]
shape = (3, 2, 4)
print(shape)
assert (torch.ones(3, 1, 4) + torch.ones(2, 1)).shape == shape

# %% [markdown]
# **2.** How far is each of three points from each of two others?
# Make tensors `points` (3, 2) and `others` (2, 2), and compute all six `distances` without a loop, a row for each of the three.

# %% tags=["solution"]
points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]])  # (3, 2)
others = torch.tensor([[0.0, 0.0], [3.0, 0.0]])  # (2, 2)
differences = points.unsqueeze(1) - others  # (3, 1, 2) - (2, 2) -> (3, 2, 2)
distances = differences.square().sum(dim=2).sqrt()  # (3, 2)
print(distances)
assert torch.allclose(distances.float(), torch.cdist(points.float(), others.float()))

# %% [markdown]
# **3.** The answers for six samples are `[0, 1, 2, 2, 1, 0]`, their labels `[0, 1, 1, 2, 1, 2]`.
# Which `share` of the answers is right, and what are the numbers of the samples that are `wrong`?

# %% tags=["solution"]
answers, labels = torch.tensor([0, 1, 2, 2, 1, 0]), torch.tensor([0, 1, 1, 2, 1, 2])
is_wrong = answers != labels
share = 1 - is_wrong.float().mean()
wrong = torch.arange(6)[is_wrong]
print(f"{share:.2f} are right")
print("wrong:", wrong)
assert abs(share - 4 / 6) < 1e-6 and list(wrong) == [2, 5]

# %% [markdown]
# ## What next
#
# Most data comes from elsewhere, often as arrays of NumPy, and large models run on a GPU.
# The [next page](13_numpy_and_devices.py) brings tensors there and back.
# Reductions, masks and broadcasting are older than PyTorch: the language APL had the first two in the 1960s, NumPy and its forerunners the third.
