# ---
# jupyter:
#   page:
#     teaches:
#       C4: Training
#     level: beginner
#     read_first: [22_one_step_then_many]
# ---

# %% [markdown]
# # Linear regression
#
# Three points lie on the line $y = 2x$, as on the page where we did [gradient descent by hand](15_gradient_descent_by_hand.py).
# Here is the same task the PyTorch way: a **module** is the model, a **criterion** is the loss, an **optimizer** takes the steps.
# After 500 epochs the model predicts 7.98 for the input 4.
# You should know the loop from [one step, then many](22_one_step_then_many.py).

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# A layer expects one row per sample and one column per feature.
# We have three samples with one feature each, so $x$ has the shape (3, 1), and so has $y$.

# %%
x = torch.tensor([[1.0], [2.0], [3.0]]).to(device)  # (samples, features)
y = torch.tensor([[2.0], [4.0], [6.0]]).to(device)  # (samples, outputs)
print(tuple(x.shape), tuple(y.shape))

# %% [markdown]
# ## The model
#
# A model is a class derived from `nn.Module`, with two methods: `__init__` makes the layers, and `forward` sends the input through them.


# %%
class LinearRegression(nn.Module):
    def __init__(self):
        super().__init__()  # must come first: it prepares the module for layers
        self.linear = nn.Linear(1, 1)  # one feature in, one number out

    def forward(self, x):
        return self.linear(x)  # (samples, 1) -> (samples, 1)


model = LinearRegression().to(device)
print(model)

# %% [markdown]
# What do we gain over a bare layer?
# The module has found the layer's parameters by itself, and knows them by name.
# That is how the optimizer and `.to(device)` reach all of them, in a model of any size.

# %%
for name, parameter in model.named_parameters():
    print(
        f"{name:13}  shape {tuple(parameter.shape)!s:6}  value {parameter.item():.4f}"
    )

# %% [markdown]
# We call the model, not its `forward`: `model(x)` runs `forward`, and whatever else may be attached to the module.

# %%
new_x = torch.tensor([[4.0]]).to(device)  # (1, 1)
first_prediction, first_b = model(new_x).item(), model.linear.bias.item()
print(f"prediction for 4 before training: {first_prediction:.2f}")

# %% [markdown]
# ## A row is a sample
#
# An old tutorial lays the three numbers side by side, with the shape (1, 3).
# That is one sample with three features, and the layer was made for one feature.

# %%
try:
    model(torch.tensor([[1.0, 2.0, 3.0]]).to(device))
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("three features should not fit")

# %% [markdown]
# The message says: a matrix of 1×3 cannot be multiplied with one of 1×1.
# Numbers that lie side by side are turned into a column by `reshape`, where −1 stands for "as many as there are".

# %%
flat = torch.tensor([1.0, 2.0, 3.0]).to(device)  # (3,)
column = flat.reshape(-1, 1)  # (3,) -> (3, 1)
print(tuple(flat.shape), "->", tuple(column.shape))
assert torch.equal(column, x)

# %% [markdown]
# ## Criterion and optimizer
#
# The loss is the squared error, summed over the samples.
# The optimizer gets the parameters of the whole model.

# %%
learning_rate = 0.01  # small enough: the first exercise looks for the wall
num_epochs = 500
criterion = nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

# %% [markdown]
# ## Training
#
# All three samples go through the model at once, so an epoch is one step:
#
# 1. clear the old gradients;
# 2. forward: predictions, and their loss;
# 3. backward: gradients;
# 4. step.

# %%
losses = []
for epoch in range(num_epochs):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    if epoch < 3 or epoch % 100 == 99:
        print(f"epoch {epoch + 1:3d}  loss {loss.item():.5f}")

# %% [markdown]
# ## Result
#
# The model has never seen the input 4.
# We only want its answer, so `torch.no_grad()` saves the bookkeeping for gradients.

# %%
with torch.no_grad():
    prediction = model(new_x).item()
w, b = model.linear.weight.item(), model.linear.bias.item()

print(f"prediction for 4: {first_prediction:.2f} before, {prediction:.2f} after")
print(f"w {w:.3f}, b {b:.3f}")
assert abs(prediction - 8) < 0.1

# %% [markdown]
# The line that fits best has $w = 2$ and $b = 0$.
# It can be computed without any steps: `lstsq` solves for the smallest summed squared error.

# %%
with_ones = torch.cat([x, torch.ones_like(x)], dim=1)  # (3, 2), a 1 for the bias
solution = torch.linalg.lstsq(with_ones, y).solution[:, 0]  # (2,)
print(f"exact: w {solution[0]:.3f}, b {abs(solution[1]):.3f}")  # abs: no -0.000
assert torch.allclose(solution, torch.tensor([2.0, 0.0]).to(device), atol=1e-4)
assert abs(w - 2) < 0.1
assert abs(b) < 0.2

# %% [markdown]
# Why then train at all?
# Because the loop still works when the model is no longer a line and no formula gives the answer.
#
# ## What it learned
#
# Above, the model before and after, with the three points.
# Below, the loss on a logarithmic scale: look for the place where it becomes slow.

# %% alt="Above, the line runs through the points. Below, the loss: steep, then slow"
fig, (above, below) = plt.subplots(2, 1, figsize=(5, 5.6), layout="constrained")
above.plot([0, 4], [first_b, first_prediction], "--", label="before")
above.plot([0, 4], [b, prediction], label="after")
above.plot(x.tolist(), y.tolist(), "o", label="data")
above.set(xlabel="x", ylabel="y", title=f"After: y = {w:.2f} x + {b:.2f}")
above.legend()
below.semilogy(losses)
below.set(xlabel="epoch", ylabel="summed squared error", title="Loss")
plt.show()

# %% [markdown]
# After the first dozen epochs the loss becomes a straight line: every epoch takes the same small share off it.
# By then the model is near the points.
# To come nearer, $w$ has to rise while $b$ falls, and each undoes most of what the other gains.

# %%
early, late = losses[1] / losses[0], losses[300] / losses[299]
print(f"an epoch leaves {early:.1%} of the loss at first, {late:.1%} later")
assert early < 0.6
assert 0.97 < late < 0.99

# %% [markdown]
# ## Try it yourself
#
# **1.** Train with the learning rates 0.02, 0.05 and 0.07, for 50 epochs each.
# Which one runs away?


# %% tags=["solution"]
def train(x, y, learning_rate, num_epochs, reduction="sum"):
    """The last loss, and the trained layer."""
    torch.manual_seed(0)
    layer = nn.Linear(1, 1).to(device)
    criterion = nn.MSELoss(reduction=reduction)
    optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)
    for _ in range(num_epochs):
        optimizer.zero_grad()
        loss = criterion(layer(x), y)
        loss.backward()
        optimizer.step()
    return loss.item(), layer


rates = [0.02, 0.05, 0.07]
final_losses = [train(x, y, rate, num_epochs=50)[0] for rate in rates]
for rate, final_loss in zip(rates, final_losses, strict=True):
    print(f"learning rate {rate}  loss {final_loss:.2g}")
assert final_losses[1] < final_losses[0] < 1 < final_losses[2]

# %% [markdown]
# **2.** Take the mean of the squared errors, not their sum.
# How near to 8 is the prediction for 4 now, and which learning rate makes up for it?

# %% tags=["solution"]
_, mean_layer = train(x, y, learning_rate, num_epochs, reduction="mean")
_, same_layer = train(x, y, 3 * learning_rate, num_epochs, reduction="mean")
print(f"{mean_layer(new_x).item():.2f} with the same rate")
print(f"{same_layer(new_x).item():.2f} with three times the rate")
assert abs(same_layer(new_x).item() - prediction) < 0.01

# %% [markdown]
# **3.** Subtract the mean from $x$ before training, and from 4 as well.
# What does that do to the loss?

# %% tags=["solution"]
final_loss, centred_layer = train(x - x.mean(), y, learning_rate, num_epochs)
centred_prediction = centred_layer(new_x - x.mean()).item()
print(f"loss {final_loss:.6f}, prediction for 4: {centred_prediction:.5f}")
assert final_loss < 1e-8
assert abs(centred_prediction - 8) < 1e-3

# %% [markdown] tags=["solution"]
# With inputs on both sides of 0, $w$ and $b$ no longer get in each other's way.

# %% [markdown]
# ## What next
#
# Here the answer was a number.
# On the [next page](24_logistic_regression.py) it is yes or no, and the model needs one function more.
# Least squares is from the early nineteenth century; PyTorch has split the work into module, criterion and optimizer from its beginnings.
