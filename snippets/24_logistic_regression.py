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
# Four students studied for 1, 2, 3 and 4 hours.
# The first two failed the exam, the other two passed.
# We build a model that turns hours into the probability of passing: a linear layer and a **sigmoid**.
# With an old tutorial's settings it gives 42 % to one hour and 96 % to seven, but is wrong about one of its own four students.
# With better settings it is right about all four.
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
hours = torch.tensor([[1.0], [2.0], [3.0], [4.0]]).to(device)  # (4, 1)
passed = torch.tensor([[0.0], [0.0], [1.0], [1.0]]).to(device)  # (4, 1)
print(tuple(hours.shape), tuple(passed.shape))

# %% [markdown]
# ## From a number to a probability
#
# A linear layer answers with any number, from far below 0 to far above.
# The sigmoid, $\sigma(z) = 1 / (1 + e^{-z})$, squeezes it between 0 and 1.
# The number that goes into the sigmoid is called a **logit**; a logit of 0 is a probability of one half.

# %%
for logit in torch.tensor([-5.0, -1.0, 0.0, 1.0, 5.0]):
    print(f"logit {logit:4.0f}  sigmoid {torch.sigmoid(logit):.3f}")
    assert torch.isclose(torch.sigmoid(logit), 1 / (1 + torch.exp(-logit)))

# %% [markdown]
# ## The model
#
# It is the model of the page before with the sigmoid added.
#
# | | linear regression | logistic regression |
# |---|---|---|
# | outcome | a number | yes or no |
# | features | numbers | numbers |
# | model | $wx + b$ | $\sigma(wx + b)$ |
# | loss (the cost) | squared error | binary cross entropy |
# | training | forward, backward, step | the same |


# %%
class LogisticRegression(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear(x))  # (students, 1), between 0 and 1


model = LogisticRegression().to(device)
print(model)

# %% [markdown]
# ## The loss
#
# The model gives the probability $p$ of a pass.
# If the student passed, the loss is $-\log p$; if not, it is $-\log(1 - p)$.
# Both are 0 for a confident right answer and large for a confident wrong one.
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
learning_rate = 0.01
num_epochs = 1000
optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)

for epoch in range(num_epochs):
    optimizer.zero_grad()
    loss = criterion(model(hours), passed)
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
    with torch.no_grad():
        probabilities = model(torch.tensor(values).reshape(-1, 1).to(device))
    for value, probability in zip(values, probabilities[:, 0], strict=True):
        answer = "pass" if probability > 0.5 else "fail"
        print(f"hours {value:.0f}  probability {probability:.2f}  {answer}")
    return probabilities[:, 0]


answers = report(model, [1.0, 2.0, 3.0, 4.0, 7.0])
accuracy = ((answers[:4] > 0.5) == (passed[:, 0] > 0.5)).float().mean()
print(f"accuracy on the four students {accuracy:.0%}")
assert answers[0] < 0.5 < 0.9 < answers[4]
assert accuracy == 0.75

# %% [markdown]
# One hour and seven hours are answered rightly.
# But the student with two hours failed, and the model says "pass".
# Its answer changes where the logit is 0: $wx + b = 0$, so at $x = -b/w$, its **decision boundary**.


# %%
def boundary(linear):
    """Hours at which the probability is one half."""
    return -linear.bias.item() / linear.weight.item()


old_boundary = boundary(model.linear)
print(f"after {num_epochs} epochs the answer changes at {old_boundary:.2f} hours")
assert old_boundary < 2

# %% [markdown]
# It should lie between 2 and 3: the training was too short, and the loss still falling when it ended.
#
# ## The modern way: logits
#
# Sigmoid and logarithm are better computed together.
# Suppose that a student failed, and the logit is 30.
# The sigmoid rounds to exactly 1, and $-\log(1 - 1)$ is infinite.
# `nn.BCELoss` cuts that off at 100, and the gradient that reaches the logit is 0: the model is as wrong as can be and learns nothing.
# `nn.BCEWithLogitsLoss` takes the logit itself, and its gradient is 1.

# %%
logit_criterion = nn.BCEWithLogitsLoss()
failed = torch.tensor([0.0])
z = torch.tensor([30.0]).requires_grad_()
both = criterion(torch.sigmoid(z), failed), logit_criterion(z, failed)
for loss, slope in zip(both, [0, 1], strict=True):
    z.grad = None
    loss.backward()
    print(f"loss {loss.item():3.0f}, gradient {z.grad.item():.0f}")
    assert z.grad.item() == slope

# %% [markdown]
# For our four students the two losses agree; the layer inside our model, without the sigmoid, gives their logits.

# %%
loss_from_p = criterion(model(hours), passed)
loss_from_logits = logit_criterion(model.linear(hours), passed)
print(f"four students: {loss_from_p.item():.4f}, {loss_from_logits.item():.4f}")
assert torch.isclose(loss_from_p, loss_from_logits)

# %% [markdown]
# So the modern model is only the linear layer.
# We train it for as many epochs, with a learning rate fifty times as large.

# %%
learning_rate = 0.5  # found by trying: the loss still falls in every epoch
logit_model = nn.Linear(1, 1).to(device)
optimizer = torch.optim.SGD(logit_model.parameters(), lr=learning_rate)
losses = []

for epoch in range(num_epochs):
    optimizer.zero_grad()
    loss = logit_criterion(logit_model(hours), passed)  # no sigmoid here
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"loss {losses[0]:.3f} at first, {losses[-1]:.3f} at last")
assert losses == sorted(losses, reverse=True)

# %% [markdown]
# The sigmoid is needed only to read the answers; `nn.Sequential` puts it behind the trained layer.

# %%
trained = nn.Sequential(logit_model, nn.Sigmoid())
answers = report(trained, [1.0, 2.0, 3.0, 4.0])
new_boundary = boundary(logit_model)
print(f"the answer changes at {new_boundary:.2f} hours")
assert 2.4 < new_boundary < 2.6
assert ((answers > 0.5) == (passed[:, 0] > 0.5)).all()

# %% [markdown]
# ## What it learned
#
# Each curve is a model's probability of passing; see where it crosses one half, at its boundary.

# %% alt="Two S-shaped curves: a flat one, and a steep one with its middle at 2.46"
grid = torch.linspace(0, 8, 81).reshape(-1, 1)  # (81, 1)
curves = [("old", model, old_boundary), ("new", trained, new_boundary)]

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for name, classifier, where in curves:
    probabilities = classifier(grid.to(device)).detach().cpu()
    ax.plot(grid, probabilities, label=f"{name} settings, boundary {where:.2f}")
ax.plot(hours.cpu(), passed.cpu(), "o", label="students")
ax.axhline(0.5, color="gray", linestyle=":")
ax.set(xlabel="hours", ylabel="probability of a pass", title="Two trainings, one model")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# The old curve is flat and has not arrived yet; the new one is steep, with its middle between the second and the third student.
# With more epochs it would become steeper still: no student contradicts the boundary, so a larger $w$ always makes the loss a little smaller.
# Four students are no reason to be as sure as that; the second exercise looks at it.
#
# ## Try it yourself
#
# **1.** How many hours of study does the new model want to see for a probability of 90 %?
# The logit of a probability $p$ is $\log(p / (1 - p))$, in PyTorch `torch.logit`.

# %% tags=["solution"]
wanted = torch.logit(torch.tensor(0.9)).item()
needed = (wanted - logit_model.bias.item()) / logit_model.weight.item()
check = trained(torch.tensor([[needed]]).to(device)).item()
print(f"{needed:.2f} hours")
assert abs(check - 0.9) < 1e-3

# %% [markdown]
# **2.** Multiply the new model's logits by 2 and by 3: the boundary stays, the curve gets steeper.
# What does the loss do, and what if the second student had passed and the third failed?

# %% tags=["solution"]
logits = logit_model(hours).detach()
for labels in [passed, passed[[0, 2, 1, 3]]]:
    three = [logit_criterion(factor * logits, labels).item() for factor in (1, 2, 3)]
    print("loss", "  ".join(f"{value:.4f}" for value in three))
    assert three == sorted(three, reverse=labels is passed)

# %% [markdown] tags=["solution"]
# Where students contradict each other, being sure costs: there is a best $w$, and training stops there.

# %% [markdown]
# ## What next
#
# Until now all samples went through the model at once.
# On the [next page](25_batches.py) they come in batches.
# Statisticians have used this model for yes-or-no outcomes since the middle of the twentieth century; its loss is what they call the negative log-likelihood.
