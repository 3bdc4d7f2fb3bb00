# ---
# jupyter:
#   page:
#     teaches:
#       E4: The gradients
#       E5: One step
#       E6: Three steps
#     level: beginner
#     read_first: [21_linear_layer]
# ---

# %% [markdown]
# # One step, then many
#
# A [linear layer](21_linear_layer.py) with four inputs answers the numbers 1, 2, 3, 4 with −2.37, and we want it to answer 0.
# We let PyTorch compute the gradients and take one step, with a learning rate that is too large: the output jumps past 0, to 12.30.
# Three steps with one that is too small hardly move it.
# Then we work out which learning rates arrive, and which one in a single step, and try sixty.
# You should know what [autograd](16_autograd.py) and an [optimizer](20_one_piece_at_a_time.py) do.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## Where we start
#
# Input, layer and loss are those of the page before.
# We keep this layer as it is, train copies of it, and for once ask for the gradient of the input as well.

# %%
x = torch.tensor([1.0, 2.0, 3.0, 4.0], device=device, requires_grad=True)  # (4,)
target = torch.zeros(1, device=device)  # (1,)
start_layer = nn.Linear(4, 1).to(device)
criterion = nn.MSELoss()

output = start_layer(x)  # (1,)
loss = criterion(output, target)
print(f"output {output[0]:.4f}, loss {loss:.4f}")

# %% [markdown]
# ## The gradients
#
# The parameters of a layer require gradients from the start.
# Their `grad` is `None` until `backward` fills it, and so is that of the input.

# %% tags=["predict"] ask="The inputs are 1, 2, 3, 4, the output is -2.37: what are the weights' gradients?" answers=["-4.73 -9.47 -14.20 -18.93", "-4.73 -4.73 -4.73 -4.73", "4.73 9.47 14.20 18.93"] why="Each is twice the error times the weight's own input; the error is negative, as the output is too low."
weight, bias = start_layer.weight, start_layer.bias
print("before:", weight.grad, bias.grad, x.grad)

loss.backward()
print("weight:", "  ".join(f"{g:7.2f}" for g in weight.grad[0]))
print("bias:  ", f"{bias.grad[0]:7.2f}")
print("input: ", "  ".join(f"{g:7.2f}" for g in x.grad))

# %% [markdown]
# We can check them on paper.
# The loss is $y^2$, where $y$ is the output, so it changes by $2y$ per unit of $y$.
# The output changes by $x_i$ per unit of the weight $w_i$, by 1 per unit of the bias, and by $w_i$ per unit of the input $x_i$.

# %%
assert torch.allclose(weight.grad[0], 2 * output * x)
assert torch.allclose(bias.grad, 2 * output)
assert torch.allclose(x.grad, 2 * output * weight[0])

# %% [markdown]
# The larger the input, the larger the gradient of its weight.
# The input is given and stays as it is, so it needs a gradient no longer.
# We detach it: otherwise every `backward` to come would add to `x.grad`, which no optimizer clears.
#
# ## One step
#
# The optimizer gets the four weights and the bias.
# Each moves against its gradient, by the gradient times the learning rate.
# SGD is short for stochastic gradient descent; the page on [batches](25_batches.py) says what is stochastic about it.

# %%
x = x.detach()
learning_rate = 0.1  # too large, as we will see
layer = copy.deepcopy(start_layer)  # with parameters of its own
optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)

criterion(layer(x), target).backward()
optimizer.step()

for name, model in [("before", start_layer), ("after ", layer)]:
    print(name, *(f"{p:6.3f}" for p in [*model.weight[0], *model.bias]))
print(f"output {output[0]:.2f} before, {layer(x)[0]:.2f} after")
assert torch.allclose(layer(x), -5.2 * output, rtol=1e-4)

# %% [markdown]
# The step was in the right direction, and far too long.
# The output was 2.37 too low and is now 12.30 too high, 5.2 times as far away: it overshot.
#
# The gradients are still there, and have to go before the next `backward`.
# `optimizer.zero_grad()` clears those of the parameters that the optimizer was given; `layer.zero_grad()` clears those of the layer.
# Here these are the same, and both set them to `None`.

# %%
optimizer.zero_grad()
print(layer.weight.grad, layer.bias.grad, x.grad)

# %% [markdown]
# ## Three steps
#
# Now with a thousandth of that learning rate.
# The loop is the one that we know: compute the loss, clear the old gradients, compute new ones, step.

# %%
learning_rate = 1e-4  # too small, as we will see
num_steps = 3
layer = copy.deepcopy(start_layer)
optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)

for step in range(num_steps):
    loss = criterion(layer(x), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"after step {step + 1}: output {layer(x)[0]:.4f}")
way = 1 - layer(x)[0] / output[0]
print(f"{way:.1%} of the way")
assert 0.015 < way < 0.02

# %% [markdown]
# It crawls: after three steps the output has come 1.8 % of its way.
#
# ## Many steps
#
# The same loop as a function, so that we can try other learning rates.
# It notes the output before each step and after the last one.


# %%
def train(learning_rate, num_steps):
    """Outputs along the way, from the same start: num_steps + 1 numbers."""
    layer = copy.deepcopy(start_layer)
    optimizer = torch.optim.SGD(layer.parameters(), lr=learning_rate)
    outputs = [layer(x).item()]
    for _ in range(num_steps):
        optimizer.zero_grad()
        criterion(layer(x), target).backward()
        optimizer.step()
        outputs.append(layer(x).item())
    return outputs


# %% [markdown]
# In the picture, look on which side of 0 the outputs are.

# %% alt="Output against step: two learning rates stay below 0, two swing about it"
fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for rate in [0.001, 0.01, 0.03, 0.033]:
    ax.plot(train(rate, num_steps=10), "o-", markersize=4, label=f"{rate}")
ax.axhline(target.item(), color="gray", linewidth=0.8)
ax.set(xlabel="step", ylabel="output", title=f"Ten steps from {output.item():.2f}")
ax.legend(title="learning rate", loc="upper left", bbox_to_anchor=(1, 1))
plt.show()

# %% [markdown]
# Small learning rates stay on the side where we started, here below 0, and come nearer.
# At 0.03 each step jumps across, but lands a little nearer; at 0.033, a little further away.
#
# ## Why
#
# A step changes weight $w_i$ by $-\eta \cdot 2 y x_i$ and the bias by $-\eta \cdot 2y$, where $\eta$ is the learning rate.
# So the output changes by $-2 \eta y (x_1^2 + x_2^2 + x_3^2 + x_4^2 + 1)$.
# The bracket is 31 here, so a step multiplies the output by the factor $1 - 62 \eta$.
# The output arrives as long as the factor is between −1 and 1, that is for learning rates below $1/31$.
# At half of that the factor is 0: one step, and done.

# %% tags=["predict"] ask="At the learning rate 0.01 a step multiplies the output by 0.38. By what at 0.1?" answers=["factor -5.2000", "factor 0.0380", "factor 3.8000"] why="The factor falls with the rate, through 0 at 1/62 and -1 at 1/31; beyond, each step lands farther away, on the other side."
bracket = (x**2).sum().item() + 1
for rate in [1e-4, 0.01, 0.03, 0.033, 0.1]:
    factor = 1 - 2 * rate * bracket
    before, after = train(rate, num_steps=1)
    print(f"learning rate {rate:<6}  factor {factor:7.4f}")
    assert np.isclose(after / before, factor, rtol=1e-3)

largest = 1 / bracket
best = largest / 2
print(f"arrives below {largest:.4f}, in one step at {best:.4f}")
assert bracket == 31
assert abs(train(best, num_steps=1)[-1]) < 1e-4

# %% [markdown]
# ## The sweep
#
# Sixty learning rates, ten steps each, and the loss at the end: watch the width of the good range, and the wall to its right.

# %% alt="Loss after ten steps against learning rate: flat, a deep valley, a wall"
rates = np.geomspace(1e-4, 0.1, 60)
losses = np.array([train(rate, num_steps=10)[-1] ** 2 for rate in rates])
visible = np.maximum(losses, 1e-12)  # what is below is rounding
start_loss = output.item() ** 2

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.loglog(rates, visible, "o-", markersize=3, label="after ten steps")
ax.axhline(start_loss, color="gray", linestyle="--", label="at the start")
ax.axvline(largest, color="C1", linestyle=":", label=f"learning rate {largest:.4f}")
ax.set(xlabel="learning rate", ylabel="loss", title=f"{len(rates)} learning rates")
ax.legend()
plt.show()

# %% [markdown]
# To the left, little happens; in the valley the layer learns; right of the dotted line it gets worse than it was.

# %%
assert (losses[rates > 1.01 * largest] > start_loss).all()
assert (losses[rates < 0.99 * largest] < start_loss).all()

# %% [markdown]
# For larger models there is no such formula.
# One tries learning rates, in larger steps than here, each two or three times the one before, and takes one well to the left of the wall.
#
# ## Try it yourself
#
# **1.** With the learning rate 1e-4, how many steps leave a hundredth of the loss, by the factor (`steps_by_formula`) and by counting (`steps_counted`)?

# %% tags=["solution"]
factor = 1 - 2 * 1e-4 * bracket
steps_by_formula = np.log(0.01) / np.log(factor**2)
crawl = np.array(train(1e-4, num_steps=1000)) ** 2
steps_counted = (crawl < 0.01 * start_loss).argmax()
print(f"{steps_by_formula:.1f} by the formula, so {steps_counted}")
assert steps_counted == np.ceil(steps_by_formula)

# %% [markdown]
# **2.** Divide the input by ten.
# Up to which learning rate, `new_largest`, does the output arrive now?

# %% tags=["solution"]
small_bracket = ((x / 10) ** 2).sum().item() + 1
new_largest = 1 / small_bracket
print(f"below {new_largest:.2f} instead of {largest:.2f}")
assert 20 * largest < new_largest < 1  # that is why later pages scale their data

# %% [markdown]
# ## What next
#
# A single row is an easy task: many weights give 0 for it.
# On the [next page](23_linear_regression.py) the same loop fits a line through three points.
# Textbooks on optimisation have the wall as the condition $\eta < 2/L$, where $L$ is the curvature of the loss.
