# ---
# jupyter:
#   page:
#     teaches:
#       D1: "Addition, three spellings"
#       E1: Three dimensions
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # Tensors
#
# PyTorch computes with tables of numbers, called **tensors**.
# If you have written a loop and a function in Python, you know enough to read this page.
# Here you make tensors, take parts out of them, add them, and multiply a table of 10 rows and 20 columns by one of 20 rows and 5 columns.
# At the end stands the smallest model there is: $y = x$.

# %%
import matplotlib.pyplot as plt
import torch

# %% [markdown]
# ## One dimension
#
# A list of numbers becomes a tensor with one dimension.
# Like a list, it counts its elements from 0.

# %% tags=["predict"] ask="What is the second line that is printed?" answers=["1 1", "tensor(1) 1"] why="An index gives a tensor again, here of a single number; `item` makes a number of Python's own of it."
x1 = torch.tensor([1, 2, 3, 4])
print(x1)
print(x1[0], x1[0].item())

# %% [markdown]
# An index gives a tensor again, here one that holds a single number.
# `item` turns it into a number of Python's own.
#
# A tensor knows its **shape**, how many elements there are along each **dimension**, and its **dtype**, the kind of its elements.
# All elements are of one kind: these are integers of 64 bits.
# A single decimal point among the numbers makes all of them floating-point numbers of 32 bits.

# %%
print(tuple(x1.shape), x1.dtype)
whole = torch.tensor([1.0, 2, 3, 4])
print(whole, whole.dtype)

# %% [markdown]
# ## Two dimensions
#
# A list of rows becomes a tensor with two dimensions, a matrix.
# Its shape says: two rows, four columns.

# %%
x2 = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
print(x2)
print(tuple(x2.shape))

# %% [markdown]
# With two dimensions there are two indices between the brackets: first the row, then the column.
# A colon in place of an index means "all of them".
# A part that is taken out in this way is a **slice**.
# Unlike that of a list, it is no copy: it shows the same numbers, and what is changed in it changes in the tensor.

# %% tags=["predict"] ask="What is the last line, all of column 2?" answers=["all of column 2: tensor([ 6, 10])", "all of column 2: tensor([[ 7], [11]])", "all of column 2: tensor([ 7, 11])"] why="Columns are counted from 0, and the index takes its dimension away: what is left has one dimension."
print("row 0, column 0: ", x2[0, 0])
print("row 0, all of it:", x2[0, :])
print("all of column 2: ", x2[:, 2])

# %% [markdown]
# ## Three dimensions
#
# Two matrices of the same shape, one behind the other, make a tensor with three dimensions.
# The first index now chooses the matrix, the second the row, the third the column.
# `arange` counts from 1 up to, but not including, 17; `reshape` lays those sixteen numbers out.

# %%
x3 = torch.arange(1, 17).reshape(2, 2, 4)  # (matrices, rows, columns)
print(x3)

# %% [markdown]
# A colon in one place runs along that dimension, while the others stay at index 0.

# %% tags=["predict"] ask="Which numbers does the second line take, `x3[:, 0, 0]`?" answers=["x3[:, 0, 0] tensor([1, 9])", "x3[:, 0, 0] tensor([1, 5])", "x3[:, 0, 0] tensor([1, 2, 3, 4])"] why="The first place chooses the matrix: the colon runs over both of them, while row and column stay at 0."
print("x3[0, 0, 0]", x3[0, 0, 0])
print("x3[:, 0, 0]", x3[:, 0, 0])
print("x3[0, :, 0]", x3[0, :, 0])
print("x3[0, 0, :]", x3[0, 0, :])

# %% [markdown]
# The picture shows the last three again.
# The two matrices of `x3` stand one above the other; look for the numbers in colour.


# %%
def show(ax, name, taken):
    """Write out x3, the numbers that were taken in colour."""
    for row in range(4):
        for column in range(4):
            number = x3[row // 2, row % 2, column].item()
            color, weight = ("C1", "bold") if number in taken else ("gray", "normal")
            ax.text(column, row + row // 2 / 2, number, c=color, weight=weight, size=16)
    ax.set(xlim=(-0.5, 4.2), ylim=(4, -0.5), title=name)
    ax.axis("off")


# %% alt="Three copies of x3; each has the numbers of one slice in colour"
fig, axes = plt.subplots(1, 3, figsize=(7, 2.4), layout="constrained")
show(axes[0], "x3[:, 0, 0]", x3[:, 0, 0].tolist())
show(axes[1], "x3[0, :, 0]", x3[0, :, 0].tolist())
show(axes[2], "x3[0, 0, :]", x3[0, 0, :].tolist())
plt.show()

# %% [markdown]
# The first colon goes from matrix to matrix, the second down the rows, the third along the columns.
#
# ## Tensors without a list
#
# Large tensors are not typed in.
# `empty` reserves memory and leaves in it whatever was there before.
# Such a tensor is **uninitialised**: it has a shape, but its numbers mean nothing, so we do not print them.

# %%
blank = torch.empty(5, 3)
print(tuple(blank.shape), blank.dtype)

# %% [markdown]
# `rand` draws random numbers between 0 and 1.
# They come from a generator that starts from a **seed**: the same seed gives the same numbers each time.

# %%
torch.manual_seed(0)
a = torch.rand(5, 3)
print(a)
assert 0 <= a.min() and a.max() < 1  # for every seed

# %% [markdown]
# ## Addition, three spellings
#
# Two tensors of the same shape are added element by element.
# The plus sign, the function `torch.add` and the method `add` do the same.

# %%
b = torch.ones(5, 3)
total = a + b
print(total[0])
assert torch.equal(torch.add(a, b), total)
assert torch.equal(a.add(b), total)

# %% [markdown]
# Each of the three makes a new tensor.
# With `out=`, the sum goes into a tensor that exists already.
# This is what an uninitialised tensor is for: every one of its elements is about to be overwritten.

# %%
torch.add(a, b, out=blank)
print(blank[0])
assert torch.equal(blank, total)

# %% [markdown]
# A method whose name ends in an underscore works **in place**: it changes the tensor that it is called on.
# That saves memory, and the old numbers are gone.

# %%
print("before:", b[0])
b.add_(a)
print("after: ", b[0])
assert torch.equal(b, total)

# %% [markdown]
# ## Multiplication, two kinds
#
# The star multiplies element by element, as plus adds.

# %%
print(x1 * x1)

# %% [markdown]
# The at sign is the **matrix product**.
# It takes a row of the left matrix and a column of the right one, multiplies them number by number, and adds up the products.
# So the rows of the left must be as long as the columns of the right: 20 here.

# %%
left, right = torch.rand(10, 20), torch.rand(20, 5)
product = left @ right  # (10, 20) @ (20, 5) -> (10, 5)
print(tuple(left.shape), "@", tuple(right.shape), "->", tuple(product.shape))

# %% [markdown]
# One element by hand: row 3 with column 2; `isclose` leaves room for rounding.

# %%
by_hand = sum(left[3, k] * right[k, 2] for k in range(20))
print(f"{product[3, 2]:.4f} by @, {by_hand:.4f} by hand")
assert torch.isclose(product[3, 2], by_hand)

# %% [markdown]
# Where the lengths do not agree, PyTorch refuses; look at the two numbers in the middle of its message.

# %%
try:
    left @ left
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("rows of 20 should not fit columns of 10")

# %% [markdown]
# ## The smallest model
#
# A **model** is a function that takes a tensor and answers with a tensor.
# The smallest one answers with what it was given: $y = x$.
# It has nothing to learn; the models on the pages to come have.


# %%
def model(x):
    """The identity: the answer is the input."""
    return x


y = model(x1)
print(y)
assert torch.equal(y, x1)

# %% [markdown]
# ## Try it yourself
#
# **1.** Take the numbers 8 and 16 out of `x3` with one pair of brackets, and call them `corner`.
# What shape does the slice have?

# %% tags=["solution"]
corner = x3[:, 1, 3]
print(corner, tuple(corner.shape))
assert corner.tolist() == [8, 16]

# %% [markdown]
# **2.** Write a model `line` that answers $y = 2x + 1$, and give it `x3`.


# %% tags=["solution"]
def line(x):
    """Twice the input and one more."""
    return 2 * x + 1


print(line(x3))
assert torch.equal(line(x3), x3 + x3 + 1)

# %% [markdown]
# ## What next
#
# The [next page](12_shapes.py) adds tensors of different shapes, sums along dimensions, and lays out, joins and picks.
# The plus, the star and the slices are NumPy's, which took them from the array languages that came before it.
