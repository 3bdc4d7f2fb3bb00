# ---
# jupyter:
#   page:
#     teaches:
#       C2: Three steps
#     level: beginner
#     read_first: [14_linear_model_by_hand]
# ---

# %% [markdown]
# # Gradient descent by hand
#
# A weight can find its own way to the lowest loss: ask in which direction the loss falls, and step there.
# On the [page before](14_linear_model_by_hand.py) we tried 41 values of $w$ and kept the best; here $w$ moves.
# After 100 rounds over three points the model predicts 8 for the input 4, as it should.
# You need no PyTorch for this page, only the loss $(xw - y)^2$.

# %%
import matplotlib.pyplot as plt
import numpy as np

# %% [markdown]
# ## The data and the model
#
# Three points lie on the line $y = 2x$.
# The model multiplies its input by one weight.

# %%
inputs = [1.0, 2.0, 3.0]
targets = [2.0, 4.0, 6.0]


def predict(w, x):
    """The model: one weight."""
    return x * w


print(f"with w = 1 the model predicts {predict(w=1.0, x=4.0)} for 4")

# %% [markdown]
# The loss of a point is the squared distance to its target, the loss of the model their mean.


# %%
def loss(w, x, y):
    """Squared error of one point."""
    return (predict(w, x) - y) ** 2


def mean_loss(w):
    """Mean squared error over the three points; w may be an array."""
    return sum(loss(w, x, y) for x, y in zip(inputs, targets)) / len(inputs)


print(f"with w = 1 its loss is {mean_loss(1.0):.2f}")

# %% [markdown]
# ## The slope says which way to go
#
# Move $w$ a little to both sides, and see how fast the loss of one point rises.

# %% tags=["predict"] ask="As `w` grows from 1, does the loss of this point rise or fall: what is the slope?" answers=["+2.000", "-2.000"] why="With a larger `w` the prediction comes nearer to its target: the loss falls, and a fall is a negative rise."
nudge = 1e-4
rise = loss(1.0 + nudge, x=1.0, y=2.0) - loss(1.0 - nudge, x=1.0, y=2.0)
slope = rise / (2 * nudge)
print(f"{slope:.3f}")

# %% [markdown]
# That is the **slope** of the loss at $w = 1$: its rise, divided by the way from left to right.
# It is negative: the loss falls to the right, so $w$ should grow.
#
# Paper gives the slope for every $w$ at once, and calls it the **derivative**.
# Where $w$ grows by a small $h$, the inside of $(xw - y)^2$ grows by $xh$, and the square by
#
# $$(xw - y + xh)^2 - (xw - y)^2 = 2(xw - y) \cdot xh + x^2 h^2.$$
#
# Divide by $h$ and let $h$ go to 0: what is left is $2x(xw - y)$.
# A slope of the loss by which a model is trained is called its **gradient**.
# The three words mean one thing here; with many weights, the gradient is the slopes for all of them.


# %%
def gradient(w, x, y):
    """Derivative of (x w - y)² with respect to w."""
    return 2 * x * (predict(w, x) - y)


print(gradient(w=1.0, x=1.0, y=2.0))
assert abs(slope - gradient(w=1.0, x=1.0, y=2.0)) < 1e-6

# %% [markdown]
# ## Three steps
#
# A step moves $w$ against the gradient, by the gradient times the **learning rate**; doing so again and again is **gradient descent**.
# We take one step per point and look at each.
# Notice how the gradient grows with $x$, which is in it twice: in the error, and in the factor before it.

# %%
learning_rate = 0.01  # small enough for the steepest point, x = 3, as we will see
w = 1.0

for x, y in zip(inputs, targets):
    slope = gradient(w, x, y)
    w = w - learning_rate * slope
    print(f"x = {x:.0f}  gradient {slope:9.4f}  w is now {w:.4f}")
assert round(w, 2) == 1.26

# %% [markdown]
# The weight has moved from 1 to 1.26, a quarter of its way to 2, in one round.
# A round over all the data is an **epoch**.
#
# ## Training
#
# Now the same again, 100 times:
#
# 1. take the next point;
# 2. compute the gradient of its loss at the present $w$;
# 3. step against it;
# 4. at the end of each epoch, note $w$.

# %%
num_epochs = 100
w = 1.0
w_history = [w]

for epoch in range(num_epochs):
    for x, y in zip(inputs, targets):
        w = w - learning_rate * gradient(w, x, y)
    w_history.append(w)
    if epoch < 3 or epoch % 20 == 19:
        print(f"epoch {epoch + 1:3d}  w {w:.4f}  loss {mean_loss(w):.6f}")

# %% [markdown]
# ## Result
#
# The model has never seen the input 4.

# %%
prediction = predict(w, x=4.0)
print(f"prediction for 4: {predict(1.0, x=4.0)} before, {prediction:.4f} after")
assert abs(prediction - 8.0) < 1e-4 and len(w_history) == 101

# %% [markdown]
# ## What it did
#
# The curve is the mean loss for every $w$; the dots are where $w$ stood at the start and after each of the first epochs.
# Watch the distance between the dots: the steps shrink as the slope does, though the learning rate stays the same.

# %% alt="Mean loss against w, a parabola; dots slide down its left side to w = 2"
grid = np.linspace(0.5, 3.5, 121)
path = np.array(w_history[:8])

fig, ax = plt.subplots(figsize=(6, 3.5))
ax.plot(grid, mean_loss(grid), label="mean loss")
ax.plot(path, mean_loss(path), "o", label=f"w, start and {len(path) - 1} epochs")
ax.set(xlabel="w", ylabel="loss", title=f"From w = {path[0]:.0f} to w = {path[-1]:.2f}")
ax.legend()
plt.show()

# %% [markdown]
# Each epoch takes about a quarter of the distance that is left.
# The curve is the mean of the three losses, but no step followed its slope: each followed that of one point, three to an epoch.
# The first exercise follows the mean.
#
# ## Too slow, too fast
#
# We chose the learning rate; what would another one do?
# With a tenth of it, ten epochs bring $w$ only a quarter of the way.
# With ten times as much it arrives sooner.
# At 0.25 the step for $x = 3$ overshoots so far that $w$ runs away.


# %%
def train(learning_rate, num_epochs):
    """Where w ends, from w = 1."""
    w = 1.0
    for epoch in range(num_epochs):
        for x, y in zip(inputs, targets):
            w = w - learning_rate * gradient(w, x, y)
    return w


for rate in [0.001, 0.01, 0.1, 0.25]:
    print(f"learning rate {rate:<5}  w {train(rate, num_epochs=10):9.4f}")

# %% [markdown]
# One step multiplies the distance to 2 by $1 - 2 \eta x^2$, where $\eta$ is the learning rate.
# An epoch multiplies it by the product of the three, and $w$ arrives if that product is between −1 and 1.
# Ten epochs multiply it by the tenth power of the product.

# %% tags=["predict"] ask="At the rate 0.1, by what does an epoch multiply the distance to 2?" answers=["an epoch -0.1280", "an epoch 0.1280", "an epoch 0.8000"] why="Of the three steps only that of the largest x jumps across 2, so one minus sign is left in the product."
for rate in [0.001, 0.01, 0.1, 0.25]:
    factor = np.prod([1 - 2 * rate * x**2 for x in inputs])
    distance = 2 - train(rate, num_epochs=10)
    print(f"rate {rate:<5}  an epoch {factor:7.4f}  ten {factor**10:9.4f}")
    assert np.isclose(distance, factor**10)

# %% [markdown]
# ## Play with it
#
# *Step* takes the next point, *Epoch* the rest of the three; the numbers are those of the code above.
# Try the four learning rates, then look for the one at which $w$ begins to run away.
#
# <div data-widget="gradient-descent">
# <p>On the page's own site, and with JavaScript, here are a slider for the learning rate, two buttons, and the curve of the loss with <var>w</var> on it.</p>
# </div>

# %% [markdown]
# ## Try it yourself
#
# **1.** Step once per epoch, with the mean gradient of the three points, from `w = 1.0` on.
# Is `w` nearer to 2 after ten epochs than with three steps per epoch, or further away?

# %% tags=["solution"]
w = 1.0
for epoch in range(10):
    mean_gradient = np.mean([gradient(w, x, y) for x, y in zip(inputs, targets)])
    w = w - learning_rate * mean_gradient
print(f"{w:.4f} with one step per epoch, {train(learning_rate, 10):.4f} with three")
assert 1.6 < w < train(learning_rate, 10)

# %% [markdown] tags=["solution"]
# Further away: one step along the mean goes about a third as far as three steps along single points.

# %% [markdown]
# **2.** Give the model a bias: $xw + b$, with targets on the line $y = 2x + 1$, and train `w` and `b` for 2000 epochs, again with a step for each point, at the same learning rate.
# What is the derivative of the loss with respect to $b$?

# %% tags=["solution"]
w, b = 1.0, 0.0
for epoch in range(2000):
    for x in inputs:
        error = x * w + b - (2 * x + 1)
        w = w - learning_rate * 2 * x * error
        b = b - learning_rate * 2 * error
print(f"w {w:.3f}, b {b:.3f}")
assert abs(w - 2) < 1e-3 and abs(b - 1) < 1e-3

# %% [markdown]
# **3.** Of the learning rates in steps of 0.01, which is the smallest with which $w$ runs away: `smallest`?

# %% tags=["solution"]
rates = np.arange(1, 100) / 100
factors = np.array([np.prod([1 - 2 * rate * x**2 for x in inputs]) for rate in rates])
smallest = rates[abs(factors) > 1][0]
print(f"runs away from {smallest:.2f} on")
assert round(smallest, 2) == 0.21

# %% [markdown]
# ## What next
#
# We derived the gradient on paper; on the [next page](16_autograd.py) PyTorch finds it, for this loss and for any other.
# Cauchy described such steps in 1847, to compute the orbits of heavenly bodies.
