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
# Three points lie on the line $y = 2x$, and one weight [found it by hand](15_gradient_descent_by_hand.py).
# Here a model with a weight and a bias starts at random and sees all three points in each step: **linear regression**.
# After 500 epochs it predicts 7.98 for the input 4; by hand it was 8.0000 after 100, and we see where the difference comes from.
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
x = torch.tensor([[1.0], [2.0], [3.0]], device=device)  # (samples, features)
y = torch.tensor([[2.0], [4.0], [6.0]], device=device)  # (samples, outputs)
print(tuple(x.shape), tuple(y.shape))

# %% [markdown]
# ## The model
#
# As [before](20_one_piece_at_a_time.py), the model is a class derived from `nn.Module`: `__init__` makes the layers, `forward` sends the input through them.


# %%
class LinearRegression(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)  # one feature in, one number out

    def forward(self, x):
        return self.linear(x)  # (samples, 1) -> (samples, 1)


model = LinearRegression().to(device)
print(model)

# %% [markdown]
# With one layer we gain nothing yet: a layer is a module itself.
# But a module finds the parameters of all layers that are stored in it, and knows them by name.
# That is how the optimizer and `.to(device)` reach all of them, in a model of any size.

# %%
for name, parameter in model.named_parameters():
    print(f"{parameter.item():.4f}  {name}, shape {tuple(parameter.shape)}")

# %% [markdown]
# We call the model, not its `forward`: `model(x)` runs `forward`, and whatever else may be attached to the module.

# %% tags=["predict"] ask="The data lie on y = 2x: what does the model predict for 4, before any training?" answers=["0.00", "8.00", "0.51"] why="It knows nothing of the data: its weight came out near 0, so it answers with little else than its random bias."
new_x = torch.tensor([[4.0]], device=device)  # (1, 1)
first_prediction, first_b = model(new_x).item(), model.linear.bias.item()
print(f"prediction for 4 before training: {first_prediction:.2f}")

# %% [markdown]
# ## A row is a sample
#
# An old tutorial lays the three numbers side by side, with the shape (1, 3).
# That is one sample with three features, and the layer was made for one feature.

# %%
try:
    model(torch.tensor([[1.0, 2.0, 3.0]], device=device))
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("three features should not fit")

# %% [markdown]
# The message says: a matrix of 1×3 cannot be multiplied with one of 1×1.
# Numbers that lie side by side are turned into a column by `reshape`, where −1 stands for "as many as there are".

# %%
flat = torch.tensor([1.0, 2.0, 3.0], device=device)  # (3,)
column = flat.reshape(-1, 1)  # (3,) -> (3, 1)
print(tuple(flat.shape), "->", tuple(column.shape))
assert torch.equal(column, x)

# %% [markdown]
# ## Criterion and optimizer
#
# The loss is the squared error, summed over the three samples; all of them go through the model at once, so an epoch is one step.
# The gradient of the sum is the sum of the three gradients, so such a step goes about as far as three steps on single points.
# The mean would go a third as far.

# %%
learning_rate = 0.01  # small enough: the first exercise looks for the wall
num_epochs = 500  # the old tutorial's
criterion = nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

# %% [markdown]
# ## Training
#
# 1. forward: predictions, and their loss;
# 2. clear the old gradients;
# 3. backward: gradients;
# 4. step.

# %%
losses = []
for epoch in range(num_epochs):
    loss = criterion(model(x), y)
    optimizer.zero_grad()
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
# `eval()` tells the model that it is judged now, and `train()` would tell it that training goes on.
# Our layer does the same in both; others do not.
# `nn.Dropout`, for instance, replaces some of its inputs by 0 in training only, and draws which.

# %% tags=["predict"] ask="Eight ones go in: what comes out under `eval`?" answers=["eval: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]", "eval: [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]", "eval: [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]"] why="In `eval` nothing is dropped, and nothing needs doubling to make up for it: what goes in comes out."
dropout = nn.Dropout(0.5)  # each number with probability 0.5; the rest is doubled
print("train:", dropout(torch.ones(8)).tolist())
print("eval: ", dropout.eval()(torch.ones(8)).tolist())

# %%
model.eval()
with torch.no_grad():
    prediction = model(new_x).item()
w, b = model.linear.weight.item(), model.linear.bias.item()

print(f"prediction for 4: {first_prediction:.2f} before, {prediction:.2f} after")
print(f"w {w:.3f}, b {b:.3f}")
assert abs(prediction - 8) < 0.05

# %% [markdown]
# The line that fits best has $w = 2$ and $b = 0$.
# It can be computed without any steps: `lstsq` solves for the smallest summed squared error.

# %%
with_ones = torch.cat([x, torch.ones_like(x)], dim=1)  # (3, 2), a 1 for the bias
solution = torch.linalg.lstsq(with_ones, y).solution[:, 0]  # (2,)
print(f"exact: w {solution[0]:.3f}, b {abs(solution[1]):.3f}")  # abs: no -0.000
assert torch.allclose(solution, torch.tensor([2.0, 0.0], device=device), atol=1e-4)
assert abs(w - 2) < 0.03
assert abs(b) < 0.07

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

# %%
left = [losses[i + 1] / losses[i] for i in (0, 20, 299)]
print("an epoch leaves of the loss", ", ".join(f"{part:.1%}" for part in left))
assert left[0] < 0.46 and 0.978 < min(left[1:]) and max(left[1:]) < 0.99

# %% [markdown]
# By then the model is in the [valley](20_one_piece_at_a_time.py#a-bias-and-what-it-costs): to come nearer, $w$ has to rise while $b$ falls, and each undoes most of what the other gains.
# Is it the bias, or did the sum or the random start cost so much?
# We leave out the bias, and keep the sum and a random start; 100 epochs will do.

# %%
line = nn.Linear(1, 1, bias=False).to(device)
optimizer = torch.optim.SGD(line.parameters(), lr=learning_rate)
for epoch in range(100):
    optimizer.zero_grad()
    criterion(line(x), y).backward()
    optimizer.step()
print(f"without a bias, after 100 epochs: {line(new_x).item():.4f}")
assert abs(line(new_x).item() - 8) < 1e-4

# %% [markdown]
# ## Try it yourself
#
# **1.** Train with the learning rates 0.02, 0.05 and 0.07, for 50 epochs each.
# Which one runs away?
# Put the three last losses into a list `final_losses`.


# %% tags=["solution"]
def train(x, learning_rate, num_epochs):
    """The last loss, and the trained layer."""
    layer = nn.Linear(1, 1).to(device)
    optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)
    for _ in range(num_epochs):
        loss = criterion(layer(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item(), layer


# %% tags=["solution"]
final_losses = [train(x, rate, num_epochs=50)[0] for rate in (0.02, 0.05, 0.07)]
print("losses", ", ".join(f"{value:.2g}" for value in final_losses))
assert final_losses[0] < 1 and final_losses[1] < 1 < final_losses[2]  # for every seed

# %% [markdown]
# **2.** Subtract the mean from $x$ and from 4, and train a new layer, with the rate and for as many epochs as on the page.
# What does that do to the last loss, `final_loss`, and to the prediction, `centred_prediction`?

# %% tags=["solution"]
final_loss, centred_layer = train(x - x.mean(), learning_rate, num_epochs)
centred_prediction = centred_layer(new_x - x.mean()).item()
print(f"loss {final_loss:.6f}, prediction for 4: {centred_prediction:.5f}")
assert final_loss < 1e-8  # around 0, w and b no longer make up for each other
assert abs(centred_prediction - 8) < 1e-3

# %% [markdown]
# ## What next
#
# Here the answer was a number.
# On the [next page](24_logistic_regression.py) it is yes or no, and the model needs one function more.
# Least squares is from the early nineteenth century, from the search for the orbits of comets and planets.
