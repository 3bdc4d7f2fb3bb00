# ---
# jupyter:
#   page:
#     teaches:
#       E8: From loose layers
#       E9: As a module
#       E15: "A mistake: half of the parameters"
#     level: beginner
#     read_first: [25_batches]
# ---

# %% [markdown]
# # A small neural network
#
# Two linear layers with a sigmoid between them: that is a neural network.
# Ours has four inputs, two hidden units and one output, and learns the four rows from the page before.
# We build it from loose layers first, then as a module, and train it: every answer ends within 0.05 of its label.
# Then we forget half of its parameters, as an old tutorial did, and measure what that costs.
# You should know the training loop with [batches](25_batches.py).

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# Four rows of four zeros and ones, a label for each, in shuffled batches of two.

# %%
x = torch.tensor([[0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1]]).float()
y = torch.tensor([[0], [1], [1], [0]]).float()
x, y = x.to(device), y.to(device)
loader = DataLoader(TensorDataset(x, y), batch_size=2, shuffle=True)
print(tuple(x.shape), tuple(y.shape))

# %% [markdown]
# ## From loose layers
#
# The first layer turns four numbers into two, the hidden units.
# The sigmoid squeezes each of them between 0 and 1.
# The second layer turns the two into one.
# Without the sigmoid there would be no point in two layers, as the first exercise shows.

# %%
hidden_size = 2
hidden = nn.Linear(4, hidden_size).to(device)
output = nn.Linear(hidden_size, 1).to(device)

units = torch.sigmoid(hidden(x))  # (4, 4) -> (4, 2)
answers = output(units)  # (4, 2) -> (4, 1)
print(tuple(x.shape), "->", tuple(units.shape), "->", tuple(answers.shape))

# %% [markdown]
# ## As a module
#
# Loose layers have to be named wherever they are used; a module keeps them together.
# The sigmoid is part of the network, so it is made in the module too.
# The old tutorial used one from outside, and its class worked nowhere else.


# %%
class Network(nn.Module):
    def __init__(self, inputs, hidden_size):
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden_size)
        self.sigmoid = nn.Sigmoid()
        self.output = nn.Linear(hidden_size, 1)

    def forward(self, x):
        return self.output(self.sigmoid(self.hidden(x)))  # (rows, 1)


torch.manual_seed(0)  # the seed of the loose layers: the same start
network = Network(4, hidden_size).to(device)
assert torch.equal(network(x), answers)
print(network)
print("numbers to learn:", sum(p.numel() for p in network.parameters()))

# %% [markdown]
# ## Training
#
# The loop is that of the page before, with a learning rate that gets somewhere.
# Every 100 epochs we print the loss of all rows.

# %%
learning_rate = 0.1
num_epochs = 400  # ample, as the ten seeds below show
criterion = nn.MSELoss()
optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate)

for epoch in range(num_epochs):
    for batch_x, batch_y in loader:
        optimizer.zero_grad()
        loss = criterion(network(batch_x), batch_y)
        loss.backward()
        optimizer.step()
    if epoch % 100 == 99:
        print(f"epoch {epoch + 1}  loss {criterion(network(x), y).item():.4f}")

# %% [markdown]
# ## Result
#
# The task is solved when the largest error is at most 0.05.


# %%
def largest_error(network):
    """The largest distance of an answer from its label."""
    with torch.no_grad():
        return (network(x) - y).abs().max().item()


print("labels ", "  ".join(f"{value:.2f}" for value in y[:, 0]))
print("answers", "  ".join(f"{abs(value):.2f}" for value in network(x)[:, 0]))
print(f"largest error {largest_error(network):.2f}")
assert largest_error(network) <= 0.05

# %% [markdown]
# ## What it learned
#
# The hidden units of a row are two numbers, so a row is a point in a plane.
# The output layer answers 0.5 on a line in that plane, more on one side of it and less on the other.
# See where the points with label 1 are, before training and after.
# The loose layers show the start: they had the same weights, and are not trained yet.

# %% alt="Hidden units of the four rows: close together before, two groups after"
fig, axes = plt.subplots(1, 2, figsize=(5.4, 3), layout="constrained")
panels = [("before", hidden, output), ("after", network.hidden, network.output)]
for ax, (name, first_layer, second_layer) in zip(axes, panels, strict=True):
    points = torch.sigmoid(first_layer(x)).detach().cpu()  # (4, 2)
    for label in (0, 1):
        chosen = points[(y[:, 0] == label).cpu()]
        ax.plot(chosen[:, 0], chosen[:, 1], "os"[label], label=f"label {label}")
    w0, w1, b = *second_layer.weight[0].tolist(), second_layer.bias.item()
    start = 0, (0.5 - b) / w1  # there, 0 * w0 + height * w1 + b = 0.5
    ax.axline(start, slope=-w0 / w1, color="gray", label="answer 0.5")
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="hidden unit 0", title=name)
axes[0].set_ylabel("hidden unit 1")
axes[0].legend()
plt.show()

# %% [markdown]
# Before, the four points lie close together, and the line is outside the picture; after, the two labels are on different sides of it.
# The network has moved both: the points by its first layer, the line by its second.
#
# ## Was it luck?
#
# Training starts from random weights, so one success says little.
# We train from ten seeds and look at the worst network.
# The loop moves into a function, which is also told which parameters to train: all of them at first, fewer in the next section.


# %%
def train(seed, choose_parameters):
    """A trained network, and its loss after each epoch."""
    torch.manual_seed(seed)
    network = Network(4, hidden_size).to(device)
    optimizer = torch.optim.SGD(choose_parameters(network), lr=learning_rate)
    losses = []
    for _ in range(num_epochs):
        for batch_x, batch_y in loader:
            optimizer.zero_grad()
            criterion(network(batch_x), batch_y).backward()
            optimizer.step()
        losses.append(criterion(network(x), y).item())
    return network, losses


seeds = range(10)
whole = [train(seed, lambda network: network.parameters()) for seed in seeds]
whole_errors = [largest_error(network) for network, losses in whole]
print(f"{len(whole)} networks, worst error {max(whole_errors):.2f}")
assert max(whole_errors) <= 0.05

# %% [markdown]
# ## A mistake: half of the parameters
#
# With loose layers it is easy to write `torch.optim.SGD(hidden.parameters(), ...)` and forget the other layer.
# Nothing warns: the gradients of the output layer are computed and never used.

# %%
half = [train(seed, lambda network: network.hidden.parameters()) for seed in seeds]
half_errors = [largest_error(network) for network, losses in half]
mean_error = sum(half_errors) / len(half_errors)
print(f"{len(half)} networks, best error {min(half_errors):.2f}, mean {mean_error:.2f}")
assert min(half_errors) > 0.2

# %% [markdown]
# Not one of the ten solves the task.
# The output layer keeps its random weights, and the units that feed it are between 0 and 1.
# So its answers lie between the bias plus all negative weights and the bias plus all positive ones.
# Do the labels 0 and 1 lie there, too?

# %%
in_reach = 0
for forgetful, _ in half:
    weight, bias = forgetful.output.weight, forgetful.output.bias
    lowest = (bias + weight.clamp(max=0).sum()).item()
    highest = (bias + weight.clamp(min=0).sum()).item()
    in_reach += lowest < 0.05 and highest > 0.95
print(f"{in_reach} of {len(half)} output layers reach both labels")
assert in_reach <= len(half) / 2

# %% [markdown]
# With such an output layer, no hidden units whatever would solve the task.
# In the picture, the losses of the ten whole networks keep falling, and those of the ten others stop early.

# %% alt="Loss against epoch for twenty networks: ten fall far, ten stay near the top"
fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
for color, name, runs in [("C0", "all parameters", whole), ("C1", "first layer", half)]:
    for number, (_, losses) in enumerate(runs):
        entry = name if number == 0 else None  # one entry in the legend
        ax.semilogy(losses, color=color, alpha=0.7, linewidth=1, label=entry)
ax.set(xlabel="epoch", ylabel="loss", title=f"{len(whole)} seeds, trained twice")
ax.legend()
plt.show()

# %% [markdown]
# A module makes the mistake less likely, because `network.parameters()` holds all of them.
# With loose layers, the optimizer needs the parameters of both.

# %%
both = [*hidden.parameters(), *output.parameters()]
optimizer = torch.optim.SGD(both, lr=learning_rate)
for _ in range(num_epochs):
    for batch_x, batch_y in loader:
        optimizer.zero_grad()
        criterion(output(torch.sigmoid(hidden(batch_x))), batch_y).backward()
        optimizer.step()
loose_error = (output(torch.sigmoid(hidden(x))) - y).abs().max().item()
print(f"loose layers, both trained: largest error {loose_error:.2f}")
assert loose_error <= 0.05

# %% [markdown]
# ## Try it yourself
#
# **1.** A linear layer of a linear layer is one linear layer.
# Find its weight and its bias for the two loose layers.

# %% tags=["solution"]
merged_weight = output.weight @ hidden.weight  # (1, 2) @ (2, 4) -> (1, 4)
merged_bias = output.weight @ hidden.bias + output.bias  # (1,)
print(tuple(merged_weight.shape), tuple(merged_bias.shape))
assert torch.allclose(output(hidden(x)), x @ merged_weight.T + merged_bias, atol=1e-6)

# %% [markdown]
# **2.** The four rows are easy: the label is 1 minus the last input, so a linear layer alone can learn them.
# Exclusive or is not: the label is 1 where exactly one of two inputs is 1.
# Train a linear layer and a network with eight hidden units on it, for 2000 steps at the learning rate 0.5.

# %% tags=["solution"]
xor_x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).to(device)
xor_y = torch.tensor([[0.0], [1.0], [1.0], [0.0]]).to(device)
xor_errors = []
for model in [nn.Linear(2, 1).to(device), Network(2, 8).to(device)]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(2000):
        optimizer.zero_grad()
        criterion(model(xor_x), xor_y).backward()
        optimizer.step()
    xor_errors.append((model(xor_x) - xor_y).abs().max().item())
print(f"largest error: linear {xor_errors[0]:.2f}, network {xor_errors[1]:.2f}")
assert xor_errors[0] > 0.4 and xor_errors[1] < 0.05

# %% [markdown]
# ## What next
#
# Our four rows were tensors from the start.
# The [next page](27_data_sets.py) makes batches out of tables and files.
# Networks of this shape spread in the 1980s, together with back-propagation: the chain rule, applied layer by layer.
