# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
#     result: test_loss
# ---

# %% [markdown]
# # A model page
#
# Here a line is fitted to forty noisy points, to a loss below 0.02 on points that it has not seen.
# You should know what a slope is.

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
# The points lie around the line $y = 2x + 1$.
# Random numbers are drawn on the CPU and then moved, so that every device sees the same.

# %%
x = torch.rand(50, 1)
y = (2 * x + 1 + 0.1 * torch.randn(50, 1)).to(device)
x = x.to(device)
train_x, test_x = x[:40], x[40:]
train_y, test_y = y[:40], y[40:]
print(f"train {tuple(train_x.shape)}, test {tuple(test_x.shape)}")

# %% [markdown]
# ## The model
#
# A layer with one input and one output.

# %% tags=["predict"] ask="How many numbers has it to learn?" answers=["2 parameters", "1 parameters", "40 parameters"] why="A weight for the input, and a bias; how many points there are does not matter."
model = nn.Linear(1, 1).to(device)
print(sum(parameter.numel() for parameter in model.parameters()), "parameters")

# %% [markdown]
# ## Training
#
# Each of the steps
#
# 1. predicts all training points and takes the mean squared error;
# 2. forgets the gradients of the step before and computes new ones;
# 3. moves the parameters against them.

# %%
learning_rate = 0.5  # at 1 the loss grows
num_steps = 200
loss_function = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

for step in range(num_steps):
    loss = loss_function(model(train_x), train_y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"training loss {loss:.4f}")

# %% [markdown]
# ## Result
#
# The loss on the ten points that training has not seen:

# %%
model.eval()
with torch.no_grad():
    test_loss = loss_function(model(test_x), test_y).item()
print(f"test loss {test_loss:.4f}")
assert test_loss < 0.02

# %% [markdown]
# ## What it learned
#
# The line should pass through the middle of the points.

# %% alt="Forty points around a rising line"
fig, ax = plt.subplots(figsize=(5, 3))
ax.scatter(train_x.cpu(), train_y.cpu(), s=12)
ends = torch.tensor([[0.0], [1.0]])
ax.plot(ends, model.cpu()(ends).detach(), color="C1")
ax.set_xlabel("x")
ax.set_ylabel("y")
plt.show()

# %% [markdown]
# It does.

# %% [markdown]
# ## Try it yourself
#
# **1.** How near are `weight` and `bias` to 2 and 1?

# %% tags=["solution"]
weight, bias = model.weight.item(), model.bias.item()
print(f"weight {weight:.2f}, bias {bias:.2f}")
assert abs(weight - 2) < 0.2 and abs(bias - 1) < 0.2

# %% [markdown]
# **2.** What is the smallest mean squared error that any line can reach on the training points: `smallest`?

# %% tags=["solution"]
columns = torch.cat([train_x, torch.ones_like(train_x)], dim=1).cpu()  # (40, 2)
best = torch.linalg.lstsq(columns, train_y.cpu()).solution  # (2, 1)
smallest = ((columns @ best - train_y.cpu()) ** 2).mean()
print(f"{smallest:.4f}, and training ended at {loss:.4f}")
assert loss < 1.01 * smallest

# %% [markdown]
# ## What next
#
# Say which page comes next, link to its script, and say where the idea comes from.
