# ---
# jupyter:
#   page:
#     teaches:
#       C1: The sweep
#     level: beginner
#     read_first: [12_shapes]
# ---

# %% [markdown]
# # A linear model by hand
#
# A model makes predictions, and a **loss** says how wrong they are.
# Here the model is one multiplication: its answer to the input $x$ is $w$ times $x$.
# The number $w$, its **weight**, decides what it answers.
# We try 41 values of $w$, from 0 to 4, and keep the one with the smallest loss.
# It is 2, and its loss is 0.
# You need plain Python, and what we take from NumPy is explained; only the last exercise wants tensors and their [shapes](12_shapes.py).

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

# %% [markdown]
# ## The data
#
# Somebody has measured three points.
# To each input belongs a **target**, the answer that would be right.

# %%
inputs = [1.0, 2.0, 3.0]
targets = [2.0, 4.0, 6.0]

for x, y in zip(inputs, targets):
    print(f"input {x:.0f}  target {y:.0f}")

# %% [markdown]
# You may have seen the rule: each target is twice its input.
# The model does not know that yet.
#
# ## The model
#
# We begin with $w = 1$, and see what the model answers.


# %%
def predict(w, x):
    """The model: one weight."""
    return x * w


for x, y in zip(inputs, targets):
    print(f"input {x:.0f}  prediction {predict(1.0, x):.0f}  target {y:.0f}")

# %% [markdown]
# All three predictions are too small.
#
# ## The loss
#
# How wrong is a prediction?
# Take its distance to the target and square it.
# The square counts too large and too small alike.
# And one large error costs more than several small ones that add up to the same.


# %% tags=["predict"] ask="For 3 the model predicts 3 and the target is 6: what is the loss of that point?" answers=["input 3 loss 3", "input 3 loss 6", "input 3 loss 9"] why="The distance of 3 is squared, so the point that is farthest off counts more than its distance alone says."
def loss(w, x, y):
    """Squared error of one point."""
    return (predict(w, x) - y) ** 2


for x, y in zip(inputs, targets):
    print(f"input {x:.0f}  loss {loss(1.0, x, y):.0f}")

# %% [markdown]
# Three losses, but we want one number for the whole model.
# So we take their mean, the **mean squared error** (MSE).


# %%
def mean_loss(w):
    """Mean squared error over the three points."""
    losses = [loss(w, x, y) for x, y in zip(inputs, targets)]
    return sum(losses) / len(losses)


print(f"(1 + 4 + 9) / 3 = {mean_loss(1.0):.2f}")

# %% [markdown]
# ## The sweep
#
# Now 41 values of $w$, from 0.0 to 4.0 in steps of 0.1.
# Trying a whole row of values is called a **sweep**.
# `linspace` gives the two ends and evenly spaced numbers between them; `diff` takes the steps from each to the next, and `allclose` leaves room for rounding.

# %% tags=["predict"] ask="At w = 1 the loss was 4.67. What is it at w = 3?" answers=["w = 3.0 MSE 4.67", "w = 3.0 MSE 18.67", "w = 3.0 MSE 0.00"] why="At w = 3 each prediction is as far above its target as it was below at w = 1, and a square forgets the sign."
weights = np.linspace(0.0, 4.0, 41)
curve = [mean_loss(w) for w in weights]

for w, value in zip(weights[::5], curve[::5]):  # every fifth
    print(f"w = {w:.1f}  MSE {value:5.2f}")
assert np.allclose(np.diff(weights), 0.1)

# %% [markdown]
# ## Result
#
# The smallest loss is at $w = 2$.
# It is 0: the line goes through all three points.
# (`argmin` gives the place of the smallest number.)

# %%
best = weights[np.argmin(curve)]
print(f"{len(weights)} values tried, best w = {best:.1f} with MSE {min(curve):.2f}")
print(f"prediction for 4: {predict(best, 4.0):.1f}")
assert np.isclose(best, 2.0) and np.isclose(min(curve), 0.0)

# %% [markdown]
# The picture shows all 41 losses.
# Look at the shape, and at the two ends.

# %% alt="MSE against w: a parabola, equally high at both ends, lowest at w = 2"
fig, ax = plt.subplots(figsize=(6, 3.5))
ax.plot(weights, curve, "o-", markersize=4)
ax.plot(best, min(curve), "o", markersize=10, label=f"lowest at w = {best:.1f}")
ax.set(xlabel="w", ylabel="MSE", title=f"Mean squared error of {len(curve)} models")
ax.legend()
plt.show()

# %% [markdown]
# It is a parabola, the curve of a square, and its ends are equally high: $w = 0$ and $w = 4$ are equally far from 2.
# We can see why on paper.
# The loss of one point is $(xw - 2x)^2 = x^2 (w - 2)^2$, so the mean is $(w - 2)^2$ times the mean of $x^2$.

# %%
mean_square = sum(x**2 for x in inputs) / len(inputs)
formula = mean_square * (weights - 2) ** 2
print(f"w = 0: MSE {curve[0]:.2f}, w = 4: MSE {curve[-1]:.2f}")
assert np.allclose(curve, formula)

# %% [markdown]
# ## A curve that says nothing
#
# An old tutorial draws this curve and gets a flat line.
# When it adds up the losses of the three points, it adds the number 1 instead of the loss.
# That slips in easily where the loss is called `l`: can you tell `l` from `1` at a glance?


# %%
def mean_loss_with_mistake(w):
    """What the mean becomes when 1 is added instead of the loss."""
    total = 0.0
    for x, y in zip(inputs, targets):
        loss(w, x, y)  # computed, then thrown away
        total += 1
    return total / len(inputs)


flat = [mean_loss_with_mistake(w) for w in weights]
print(f"smallest {min(flat):.2f}, largest {max(flat):.2f}")
assert min(flat) == max(flat) == 1

# %% [markdown]
# Here are both curves.
# Where does the flat one tell you to set $w$?

# %% alt="The parabola, and a level line at 1 that is the same for every w"
fig, ax = plt.subplots(figsize=(6, 3.5))
ax.plot(weights, curve, label="the loss is added")
ax.plot(weights, flat, "--", label="1 is added")
ax.set(xlabel="w", ylabel="MSE", title=f"The mistake gives {flat[0]:.0f} for every w")
ax.legend()
plt.show()

# %% [markdown]
# Nowhere, and yet nothing fails: the program runs, and a curve appears.
# A loss that does not change with $w$ cannot tell a good model from a bad one.
# Two habits catch such a mistake: name things by whole words, and work out one value on paper, as we did with $14 / 3$.

# %%
by_hand = (1 + 4 + 9) / 3
assert np.isclose(mean_loss(1.0), by_hand)
assert not np.isclose(mean_loss_with_mistake(1.0), by_hand)

# %% [markdown]
# ## Try it yourself
#
# **1.** Take the distance itself, without its sign, instead of its square.
# Compute the mean of the three for each of `weights`: `distances`.
# Does the best $w$ change?
# What does the curve look like?

# %% tags=["solution"]
distances = [np.mean([abs(predict(w, x) - 2 * x) for x in inputs]) for w in weights]
print(f"best w = {weights[np.argmin(distances)]:.1f}, at the ends {distances[0]:.2f}")
assert np.argmin(distances) == np.argmin(curve) and np.isclose(distances[0], 4)

# %% [markdown] tags=["solution"]
# The best $w$ stays, and the curve is a V: two straight lines that meet at 2.

# %% [markdown]
# **2.** Let the targets lie on the line $y = 2x + 1$, and call the new curve `moved`.
# Which of the 41 values is best now, and why is its loss not 0?

# %% tags=["solution"]
moved = [np.mean([loss(w, x, 2 * x + 1) for x in inputs]) for w in weights]
print(f"best w = {weights[np.argmin(moved)]:.1f} with MSE {min(moved):.2f}")
assert min(moved) > 0.1 and np.isclose(weights[np.argmin(moved)], 2.4)

# %% [markdown] tags=["solution"]
# The line $y = wx$ goes through the origin for every $w$, and these points are on a line that does not.
# The model lacks a **bias**, a number that it adds.

# %% [markdown]
# **3.** For a model with two numbers, $xw + b$, we would try 41 values of each, in all combinations.
# How many are there for two numbers and for three, and how many `combinations` for nine?

# %% tags=["solution"]
for count in [1, 2, 3, 9]:
    combinations = 41**count
    print(f"numbers in the model: {count}  combinations: {combinations:,}")
assert combinations == len(weights) ** 9

# %% [markdown]
# **4.** Compute the whole curve with tensors and no loop: `curve_of_tensors`.
# Weights of shape (41, 1) times inputs of shape (3,) give all predictions at once, with the shape (41, 3).

# %% tags=["solution"]
w_column = torch.linspace(0.0, 4.0, 41).reshape(41, 1)
errors = w_column * torch.tensor(inputs) - torch.tensor(targets)  # (41, 3)
curve_of_tensors = (errors**2).mean(dim=1)  # (41,)
print(
    f"{curve_of_tensors[0]:.2f}, {curve_of_tensors[20]:.2f}, {curve_of_tensors[40]:.2f}"
)
assert np.allclose(curve_of_tensors, curve, atol=1e-5)

# %% [markdown]
# ## What next
#
# One weight can be found by trying.
# Real models have millions of them, and nobody can try all combinations.
# On the [next page](15_gradient_descent_by_hand.py) the weight finds its own way.
# The square of the distance is Legendre's and Gauss's idea, from their work on the orbits of comets and planets.
