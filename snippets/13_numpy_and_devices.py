# ---
# jupyter:
#   page:
#     teaches:
#       D1: "From NumPy, with shared memory"
#     level: beginner
#     read_first: [12_shapes]
# ---

# %% [markdown]
# # NumPy and devices
#
# Much data comes as arrays of NumPy, and large models run on a GPU.
# This page brings a [tensor](11_tensors.py) to both and back.
# Each time we ask, as we did of a [view](12_shapes.py): is the result the same memory under another name, or a copy?
# NumPy is Python's older library for such tables of numbers, which it calls arrays; you need no GPU.

# %%
import numpy as np
import torch

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# Most pages of this site start with these two lines.
# The first makes random numbers the same each time; the second is explained further down.
#
# ## From NumPy, with shared memory
#
# `from_numpy` makes a tensor that uses the memory of the array.
# Nothing is copied, however large the array is.
# But a change to one of them is a change to both.

# %%
array = np.array([1.0, 2.0, 3.0])
shared = torch.from_numpy(array)

array[0] = 100
print("array: ", array)
print("tensor:", shared.tolist())
assert shared[0] == 100

# %% [markdown]
# ## From NumPy, with a copy
#
# `torch.tensor` always copies.
# What happens to the array later is no concern of the copy.

# %% tags=["predict"] ask="What does the copy hold?" answers=["copied: [1.0, 2.0, 3.0]", "copied: [100.0, 2.0, 3.0]", "copied: [100.0, 200.0, 3.0]"] why="It copies the array as it is at that moment: after the change to 100, before the change to 200."
copied = torch.tensor(array)

array[1] = 200
print("array: ", array)
print("shared:", shared.tolist())
print("copied:", copied.tolist())
assert shared[1] == 200 and copied[1] == 2

# %% [markdown]
# ## Back to NumPy
#
# The same two ways lead back.
# The method `numpy` shares memory; `copy`, called on its result, does not.

# %%
tensor = torch.zeros(3)
shared_array = tensor.numpy()
copied_array = tensor.numpy().copy()

tensor.add_(5)
print("tensor:", tensor.tolist())
print("shared:", shared_array)
print("copied:", copied_array)

# %% [markdown]
# There are more roads between the two.
# NumPy can tell whether two arrays share memory, and sorts the roads for us.

# %%
roads = {
    "torch.from_numpy(array)": (array, torch.from_numpy(array)),
    "torch.as_tensor(array)": (array, torch.as_tensor(array)),
    "torch.tensor(array)": (array, torch.tensor(array)),
    "tensor.numpy()": (tensor, tensor.numpy()),
    "np.asarray(tensor)": (tensor, np.asarray(tensor)),
    "tensor.numpy().copy()": (tensor, tensor.numpy().copy()),
}
for road, (start, end) in roads.items():
    shares = np.shares_memory(np.asarray(start), np.asarray(end))
    print(f"{road:24} {'shares' if shares else 'copies'}")

# %% [markdown]
# `as_tensor` and `asarray` share where they can, and copy where they must, for instance to change the dtype.
# When in doubt, copy: an array that changes behind your back is hard to find.
# A tensor whose gradient is recorded refuses `numpy()`, and needs `detach()` before it; [autograd](16_autograd.py) says why.
#
# ## Which dtype results
#
# A tensor made from an array keeps the array's dtype.
# A tensor made from a list is judged by what is in the list.

# %%
for values in [[1, 2], [1.0, 2.0], [True, False]]:
    print(values)
    print("  by way of an array:", torch.from_numpy(np.array(values)).dtype)
    print("  from the list:     ", torch.tensor(values).dtype)

# %% [markdown]
# The one in the middle is a trap.
# Unless told otherwise, NumPy's floating-point numbers have 64 bits, and those of PyTorch, also in a model, 32, which is exact enough for training and takes half the memory.
# A sum of the two has 64, without a word; a matrix product refuses them.

# %%
weights = torch.rand(3, 2)  # float32
data = torch.from_numpy(np.ones((4, 3)))  # float64
print((data[:3, :2] + weights).dtype)
try:
    data @ weights
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("float and double should not mix")

# %% [markdown]
# `float` and `double` are the names that the language C has for 32 and 64 bits.
# The method `float` converts to 32 bits, which is a copy, unless they have 32 already; so does naming the dtype.

# %%
product = data.float() @ weights  # (4, 3) @ (3, 2) -> (4, 2)
print(tuple(product.shape), product.dtype)

single = torch.as_tensor(array, dtype=torch.float32)
assert not np.shares_memory(array, single.numpy())

# %% [markdown]
# ## The device
#
# A tensor lies in the memory of one **device**, and that device computes with it.
# A new tensor lies on the CPU, unless `device=` says otherwise.
# `device`, from the top of the page, is a GPU that PyTorch can use through CUDA, or the CPU where there is none.

# %%
print("a new tensor lies on the", torch.zeros(3).device)
made_there = torch.zeros(3, device=device)
assert made_there.device.type == device.type
assert (device.type == "cuda") == (torch.cuda.device_count() > 0)

# %% [markdown]
# CUDA belongs to NVIDIA; PyTorch built for AMD's GPUs answers to the same name.
# Apple's GPUs are called `mps`, Intel's `xpu`.
# The pages of this site leave them idle, because their numbers were compared on the CPU and on CUDA, and nowhere else.
# To use yours, take `any_device` below for `device`; most pages then run as they are.
# Your numbers may then differ more than a page says, and Apple's GPUs have no floating-point numbers of 64 bits, which a few pages use.

# %%
accelerator = torch.accelerator.current_accelerator(check_available=True)
any_device = accelerator or torch.device("cpu")
print(tuple(torch.ones(2, 2, device=any_device).shape))
assert device.type in ("cpu", any_device.type)

# %% [markdown]
# ## There and back
#
# `to(device)` brings a tensor to the device, `cpu()` brings it back.
# What is computed from tensors on the device stays there; NumPy knows only the CPU, so the road to it is `cpu()` and then `numpy()`.
# Every device has a random generator of its own, and the same seed gives other numbers on each.
# So pages draw on the CPU and bring the numbers to the device, while constants are made there.

# %% tags=["predict"] ask="Which dtype has the array of NumPy that comes out at the end?" answers=["float32", "float64"] why="`numpy` shares the memory of the tensor, so its numbers stay what they are."
x = torch.rand(10, 20)
weights = torch.rand(20, 5)

x_there = x.to(device)
product_there = x_there @ weights.to(device)  # (10, 20) @ (20, 5) -> (10, 5)
product_back = product_there.cpu()
print(type(product_back.numpy()).__name__, product_back.numpy().dtype)

assert product_there.device.type == device.type
assert product_back.device.type == "cpu"

# %% [markdown]
# Did the device compute what the CPU computes?
# It may add in another order and round differently in the last digits.

# %%
difference = (product_back - x @ weights).abs().max().item()
print(f"largest difference {difference:.3f}")
assert difference < 1e-4

# %% [markdown]
# Both sides of an operation must lie on the same device; a single number without dimensions may stay on the CPU, and so may the numbers by which one picks elements.
# With a GPU, the product below is an error; without one, everything is on the CPU anyway.
# Hence the rule: whatever takes part, the model and all of its data, goes through `to(device)`.

# %%
try:
    x_there @ weights
    refused = False
except RuntimeError:
    refused = True
assert refused == (device.type != "cpu")

# %% [markdown]
# ## Is `to` a copy?
#
# If the tensor has to travel, yes.
# If it is on the device already, `to` gives back the very same tensor, and so does `cpu()`.
# That makes changes in place treacherous.
# We want to double a tensor on the device and keep the original.
# Without `copy=True`, the original would stay as it is where `device` is a GPU, and be doubled where it is the CPU.

# %%
assert (x.to(device) is x) == (device.type == "cpu")
assert product_back.cpu() is product_back

original = torch.ones(3)
doubled = original.to(device, copy=True)
doubled.mul_(2)
print("original:", original.tolist(), " doubled:", doubled.tolist())
assert original.tolist() == [1, 1, 1]

# %% [markdown]
# ## Try it yourself
#
# **1.** `array[::2]` is every second element of an array, and uses its memory.
# Does a tensor `every_second` that `from_numpy` makes of it share that memory, too?
# Write −1 into its element number 1, and look at `array`.

# %% tags=["solution"]
every_second = torch.from_numpy(array[::2])
every_second[1] = -1
print(array)
assert every_second[1] == -1 and array[2] == -1

# %% [markdown]
# **2.** An `image` is an array of dtype `uint8`, whole numbers from 0 to 255.
# Make one of shape (28, 28), and turn it into `pixels`, a tensor of `float32` between 0 and 1.

# %% tags=["solution"]
image = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)  # starts again after 255
pixels = torch.from_numpy(image).float() / 255
print(f"{pixels.dtype}, from {pixels.min():.1f} to {pixels.max():.1f}")
assert pixels.dtype == torch.float32 and pixels.max() <= 1
assert torch.equal((255 * pixels).round().byte(), torch.from_numpy(image))

# %% [markdown]
# ## What next
#
# On the [next page](14_linear_model_by_hand.py) a model makes its first predictions, and we measure how wrong they are.
# Libraries share memory by an agreement called DLPack; `torch.from_dlpack` takes arrays from any that keeps it.
