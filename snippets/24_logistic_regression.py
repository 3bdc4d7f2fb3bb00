# ---
# jupyter:
#   page:
#     teaches:
#       C6: Training
#       D3: The model
#     level: beginner
#     read_first: [23_linear_regression]
# ---

# %% [markdown]
# # Logistic regression
#
# Four students studied for 1, 2, 3 and 4 hours; the first two failed the exam, the other two passed.
# We build a model that turns hours into the probability of passing: a linear layer and a **sigmoid**.
# With an old tutorial's settings it gives 42 % to one hour and 96 % to seven, but is wrong about one of the four students that it learned from; a larger learning rate mends that.
# Then sigmoid and loss become one function, which is not more accurate but safer.
# You should have seen [linear regression](23_linear_regression.py) the PyTorch way.

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
# One row per student; a fail is 0.0, a pass is 1.0: decimal numbers, because the loss will compare them with probabilities.

# %%
hours = torch.tensor([[1.0], [2.0], [3.0], [4.0]], device=device)  # (4, 1)
passed = torch.tensor([[0.0], [0.0], [1.0], [1.0]], device=device)  # (4, 1)
print(tuple(hours.shape), tuple(passed.shape))

# %% [markdown]
# ## From a number to a probability
#
# A linear layer answers with any number, from far below 0 to far above.
# The sigmoid, $\sigma(z) = 1 / (1 + e^{-z})$, squeezes it between 0 and 1.
# The number that goes into the sigmoid is called a **logit**; a logit of 0 is a probability of one half.

# %% tags=["predict"] ask="The sigmoid of 1 is 0.731: what is that of -1?" answers=["-0.731", "0.269", "0.000"] why="A sigmoid lies between 0 and 1; logits as far to the one side as to the other give two that add up to 1."
for logit in torch.tensor([-5.0, -1.0, 0.0, 1.0, 5.0]):
    print(f"logit {logit:4.0f}  sigmoid {torch.sigmoid(logit):.3f}")
    assert torch.isclose(torch.sigmoid(logit), 1 / (1 + torch.exp(-logit)))

# %% [markdown]
# ## The model
#
# It is the model of the page before with the sigmoid added.
# `nn.Sequential` is a module that sends its input through one layer after the other.
#
# | | linear regression | logistic regression |
# |---|---|---|
# | outcome | a number | yes or no |
# | features | numbers | numbers |
# | model | $wx + b$ | $\sigma(wx + b)$ |
# | loss (the cost) | squared error | binary cross entropy |

# %%
model = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid()).to(device)
print(model)  # (students, 1) -> (students, 1), between 0 and 1

# %% [markdown]
# ## The loss
#
# The model gives the probability $p$ of a pass.
# If the student passed, the loss is $-\log p$, with the natural logarithm; if not, it is $-\log(1 - p)$.
# Both are near 0 for a confident right answer and large for a confident wrong one.
# (`torch.where` takes from its second argument where the first is true, and from its third elsewhere.)
# The mean over the students is the **binary cross entropy**, `nn.BCELoss`.

# %%
criterion = nn.BCELoss()
p = model(hours).detach()  # (4, 1)
each = torch.where(passed == 1, -torch.log(p), -torch.log(1 - p))
print("loss of each:", "  ".join(f"{value:.3f}" for value in each[:, 0]))
print(f"mean {each.mean():.3f}, nn.BCELoss {criterion(p, passed):.3f}")
assert torch.isclose(each.mean(), criterion(p, passed))

# %% [markdown]
# ## Training
#
# The loop is that of the page before; learning rate and number of epochs are those of an old tutorial.

# %%
learning_rate = 0.01  # the old tutorial's, too small, as we will see
num_epochs = 1000
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

for epoch in range(num_epochs):
    loss = criterion(model(hours), passed)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch == 0 or epoch % 250 == 249:
        print(f"epoch {epoch + 1:4d}  loss {loss.item():.3f}")

# %% [markdown]
# ## Result
#
# We ask for the four students and for seven hours; the answer is "pass" where the probability is above one half.


# %%
def report(model, values):
    """Print probability and answer for each number of hours."""
    model.eval()
    with torch.no_grad():
        probabilities = model(torch.tensor(values, device=device).reshape(-1, 1))
    for value, probability in zip(values, probabilities[:, 0], strict=True):
        answer = "pass" if probability > 0.5 else "fail"
        print(f"hours {value:.0f}  probability {probability:.2f}  {answer}")
    return probabilities[:, 0]


answers = report(model, [1.0, 2.0, 3.0, 4.0, 7.0])
right = ((answers[:4] > 0.5) == (passed[:, 0] > 0.5)).sum()
print(f"right about {right} of 4 students")
assert answers[0] < 0.5 < 0.9 < answers[4]  # for every seed

# %% [markdown]
# The student with two hours failed, and the model says "pass".
# Its answer changes where the logit $wx + b$ is 0, so at $x = -b/w$, its **decision boundary**.


# %% tags=["predict"] ask="The probability is 0.42 at 1 hour and 0.56 at 2: where does the answer change?" answers=["1.55", "2.50", "0.50"] why="It changes where the probability passes one half, and that is between these two students."
def boundary(linear):
    """Hours at which the probability is one half."""
    return -linear.bias.item() / linear.weight.item()


print(f"the answer changes at {boundary(model[0]):.2f} hours")

# %% [markdown]
# It should lie between 2 and 3: the training was too short, and the loss still falling when it ended.
#
# ## One change: the learning rate
#
# The same model from the same start, the same loss, as many epochs; only the learning rate grows.


# %%
def train(model, criterion, learning_rate):
    """Train a model in place; its last loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    for epoch in range(num_epochs):
        loss = criterion(model(hours), passed)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


for rate in [0.01, 0.1, 0.5]:
    torch.manual_seed(0)
    faster = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid()).to(device)
    last_loss = train(faster, criterion, rate)
    where = boundary(faster[0])
    print(f"rate {rate:<4}  loss {last_loss:.4f}  boundary {where:.2f}")

best_rate = rate  # the last, and from here on ours
answers = report(faster, [1.0, 2.0, 3.0, 4.0])
assert ((answers > 0.5) == (passed[:, 0] > 0.5)).all() and loss > 5 * last_loss

# %% [markdown]
# With 0.5 the model is right about all four, and its boundary lies in the middle.
#
# ## The modern way: logits
#
# Sigmoid and logarithm are better computed together.
# Suppose that a student failed, and the logit is 120.
# The sigmoid rounds to exactly 1, and $-\log(1 - 1)$ is infinite.
# `nn.BCELoss` cuts that off at 100, and the gradient that reaches the logit is 0: the model is as wrong as can be and learns nothing.
# `nn.BCEWithLogitsLoss` takes the logit itself, and its gradient is 1.

# %%
logit_criterion = nn.BCEWithLogitsLoss()
failed = torch.tensor([0.0])
z = torch.tensor([120.0], requires_grad=True)
both = criterion(torch.sigmoid(z), failed), logit_criterion(z, failed)
for loss, slope in zip(both, [0, 1], strict=True):
    z.grad = None
    loss.backward()
    print(f"loss {loss.item():3.0f}, gradient {z.grad.item():.0f}")
    assert z.grad.item() == slope

# %% [markdown]
# So the modern model is only the linear layer; we train it from the same start, at the same learning rate.

# %%
torch.manual_seed(0)
logit_model = nn.Linear(1, 1).to(device)
logit_loss = train(logit_model, logit_criterion, best_rate)
trained = nn.Sequential(logit_model, nn.Sigmoid())  # to read the answers
print(f"loss {last_loss:.4f} with BCELoss, {logit_loss:.4f} with logits")
assert abs(last_loss - logit_loss) < 1e-4

# %% [markdown]
# The logits of four students stay small, where the two losses are one function; we gain safety, not accuracy.
#
# ## What it learned
#
# Each curve is a model's probability of passing; see where it crosses one half, at its boundary.

# %% alt="Two S-shaped curves: a flat one, and a steep one with its middle near 2.5"
grid = torch.linspace(0, 8, 81).reshape(-1, 1)  # (81, 1)

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for rate, classifier in [(0.01, model), (best_rate, trained)]:
    with torch.no_grad():
        probabilities = classifier(grid.to(device)).cpu()
    ax.plot(grid, probabilities, label=f"learning rate {rate}")
ax.plot(hours.cpu(), passed.cpu(), "o", label="students")
ax.axhline(0.5, color="gray", linestyle=":")
ax.set(xlabel="hours", ylabel="probability of a pass", title="Two trainings, one model")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# With more epochs the steep one would become steeper still: no student contradicts the boundary, so larger logits, with the boundary where it is, always make the loss a little smaller.
#
# ## Try it yourself
#
# **1.** How many hours, `needed`, does the new model want to see for a probability $p$ of 90 %, whose logit is $\log(p / (1 - p))$, in PyTorch `torch.logit`?

# %% tags=["solution"]
wanted = torch.logit(torch.tensor(0.9)).item()
needed = (wanted - logit_model.bias.item()) / logit_model.weight.item()
print(f"{needed:.2f} hours")
assert abs(trained(torch.full((1, 1), float(needed), device=device)) - 0.9) < 1e-3

# %% [markdown]
# **2.** Multiply the new model's logits by 2 and by 3: the boundary stays, the curve gets steeper.
# What does the loss do, and what if two students contradict that: the second passed and the third failed?
# Put the losses with the factors 1, 2 and 3 into a list `agreed`, and those of the second case into `contradicted`.

# %% tags=["solution"]
logits = logit_model(hours).detach()
agreed, contradicted = [], []
for labels, three in [(passed, agreed), (passed[[0, 2, 1, 3]], contradicted)]:
    three += [logit_criterion(factor * logits, labels).item() for factor in (1, 2, 3)]
    print("loss", "  ".join(f"{value:.4f}" for value in three))
assert agreed[0] > agreed[1] > agreed[2]
assert contradicted[0] < contradicted[1] < contradicted[2]

# %% [markdown]
# ## What next
#
# On the last pages a step saw all samples, and by hand it saw one; on the [next page](25_batches.py) it sees a few.
# Statisticians have used this model for yes-or-no outcomes since the middle of the twentieth century; its loss is what they call the negative log-likelihood.
