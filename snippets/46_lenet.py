# ---
# jupyter:
#   page:
#     teaches:
#       C5: Class by class
#     level: intermediate
#     read_first: [45_convolutional_network]
#     result: test_accuracy
#     publishes: [lenet.json]
# ---

# %% [markdown]
# # LeNet on CIFAR-10
#
# In 1998 LeNet-5, a network of convolutions with fully connected layers behind them, read the digits on bank cheques.
# Old tutorials train a relative of it, with two convolutions and three linear layers, on [CIFAR-10](41_cifar10.py), four pictures at a time.
# We train it for two epochs, and then do what one does with a trained model: save it, go on from a file, use it in another program, ask it about a picture from disk, and see which classes it knows well.
# You should know [convolutional networks](45_convolutional_network.py).

# %%
import base64
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from load import CIFAR10_CLASSES, cifar10

# %%
torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# %% [markdown]
# ## The data
#
# We train on 45,000 pictures, choose by the last 5,000, and keep the test pictures for the end.
# They stay bytes, since this model will prepare them itself.

# %%
data = cifar10()
images, labels = data.train_images.to(device), data.train_labels.to(device)
train_images, train_labels = images[:45_000], labels[:45_000]
valid_images, valid_labels = images[-5_000:], labels[-5_000:]
test_images = data.test_images.to(device)

# %% [markdown]
# ## The model
#
# It is written as a class: the layers are made in `__init__` and used in `forward`.
# A layer without weights, such as pooling, can be used twice.
#
# The mean and the deviation by which pictures are standardised are part of the model.
# They are no parameters, as training must not change them, but **buffers**: tensors that are saved with the model and move with it to a device.


# %%
class LeNet(nn.Module):
    """Two convolutions and three linear layers: bytes (n, 3, 32, 32) to (n, 10)."""

    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", mean)  # (3, 1, 1)
        self.register_buffer("std", std)  # (3, 1, 1)
        self.conv1 = nn.Conv2d(3, 6, kernel_size=5)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.pool = nn.MaxPool2d(2)
        self.linear1 = nn.Linear(16 * 5 * 5, 120)
        self.linear2 = nn.Linear(120, 84)
        self.linear3 = nn.Linear(84, 10)

    def forward(self, images):
        x = (images.float() - self.mean) / self.std
        x = self.pool(self.conv1(x).relu())  # (batch, 6, 14, 14)
        x = self.pool(self.conv2(x).relu())  # (batch, 16, 5, 5)
        x = x.flatten(1)  # (batch, 400)
        x = self.linear1(x).relu()  # (batch, 120)
        x = self.linear2(x).relu()  # (batch, 84)
        return self.linear3(x)  # (batch, 10)


pixels = train_images[:10_000].float().transpose(0, 1)  # (3, 10000, 32, 32)
std_and_mean = torch.std_mean(pixels.flatten(1), dim=1)  # (3,) each
channel_std, channel_mean = (value[:, None, None] for value in std_and_mean)
model = LeNet(channel_mean, channel_std).to(device)
print(f"{len(list(model.buffers()))} buffers")
assert sum(p.numel() for p in model.parameters()) == 62_006


# %%
@torch.no_grad()
def predict(model, images):
    """The logits of pictures, (n, 10)."""
    model.eval()
    return torch.cat([model(part) for part in images.split(500)])


def accuracy(logits, labels):
    """Share of the pictures whose highest logit is at their label."""
    return (logits.argmax(dim=1) == labels).float().mean().item()


# %% [markdown]
# ## The old recipe
#
# Bytes mapped to [−1, 1], batches of 4, gradient descent with a learning rate of 0.001 and a momentum of 0.9, two epochs.
# The loss of a single batch jumps, so one prints the **running loss**: the mean since the last print.
# The old tutorial does so every 2000 batches; here are 1000 batches, with a print every 250.

# %% tags=["predict"] ask="There are ten classes. How high is the mean loss of the first 250 steps?" answers=["loss 2.30", "loss 1.00", "loss 0.10"] why="A network that gives each of ten classes the same chance has the logarithm of ten as loss, and leaves it slowly by small steps."
half = torch.full((3, 1, 1), 127.5)
model = LeNet(half, half).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
running_loss = 0.0

for step, batch in enumerate(torch.randperm(4000).split(4), start=1):
    loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    running_loss += loss.item()
    if step % 250 == 0:
        print(f"step {step:4}  loss {running_loss / 250:.2f}")
        running_loss = 0.0

# %% [markdown]
# ## Training
#
# Now the recipe of the pages before: one function makes what belongs to a training run, another runs an epoch of it.


# %%
def new_run(learning_rate, num_steps):
    """A new model, its optimizer and its schedule."""
    model = LeNet(channel_mean, channel_std).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, learning_rate, num_steps, cycle_momentum=False
    )
    return model, optimizer, schedule


def one_epoch(model, optimizer, schedule, num_images, stop=None):
    """Train on the first pictures once, in random order; return the losses."""
    model.train()
    losses = []
    for batch in torch.randperm(num_images).split(128)[:stop]:
        loss = F.cross_entropy(model(train_images[batch]), train_labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return losses


# %% [markdown]
# The learning rate is chosen on 5,000 of the pictures.

# %%
rates, scores = [0.003, 0.01, 0.03], []
for rate in rates:
    torch.manual_seed(0)
    run = new_run(rate, num_steps=2 * math.ceil(5_000 / 128))
    for epoch in range(2):
        one_epoch(*run, num_images=5_000)
    scores.append(accuracy(predict(run[0], valid_images), valid_labels))
    print(f"rate {rate:5}  validation {scores[-1]:.2f}")
best_rate = rates[scores.index(max(scores))]

# %% [markdown]
# ## A checkpoint
#
# Training that is interrupted should go on where it was.
# For that the weights are not enough: AdamW remembers the gradients of the past, the schedule its step, and the random generator its place.
# A **checkpoint** keeps all four; we save one after the first of two epochs.
# (On a GPU, layers that draw at random take from a generator of the device's own; then its state, `torch.cuda.get_rng_state()`, belongs into the file, too.)

# %%
files = tempfile.TemporaryDirectory()
folder = Path(files.name)
num_steps = 2 * math.ceil(len(train_images) / 128)
torch.manual_seed(1)
model, optimizer, schedule = new_run(best_rate, num_steps)
one_epoch(model, optimizer, schedule, len(train_images))
checkpoint = {
    "model": model.state_dict(),
    "optimizer": optimizer.state_dict(),
    "schedule": schedule.state_dict(),
    "random": torch.get_rng_state(),
}
torch.save(checkpoint, folder / "checkpoint.pt")
losses = one_epoch(model, optimizer, schedule, len(train_images))

# %% [markdown]
# Now as if the power had failed after the first epoch: everything new, filled from the file.
# The next losses are those of the run that was not disturbed.

# %%
saved = torch.load(folder / "checkpoint.pt", weights_only=True, map_location="cpu")
resumed, optimizer, schedule = new_run(best_rate, num_steps)
resumed.load_state_dict(saved["model"])
optimizer.load_state_dict(saved["optimizer"])
schedule.load_state_dict(saved["schedule"])
torch.set_rng_state(saved["random"])

resumed_losses = one_epoch(resumed, optimizer, schedule, len(train_images), stop=20)
differences = torch.tensor(resumed_losses) - torch.tensor(losses[:20])
print(f"largest difference of 20 losses {differences.abs().max():.3f}")
assert differences[0] == 0 and differences.abs().max() < 0.01

# %% [markdown]
# ## Result
#
# The test pictures, for the first time.

# %%
logits = predict(model, test_images).cpu()
test_accuracy = accuracy(logits, data.test_labels)
print(f"test accuracy {test_accuracy:.2f}")
assert test_accuracy > 0.52

# %% [markdown]
# ## Save and load
#
# To use a model, its state is enough: a dictionary of named tensors, buffers among them.
# We save that, not the model object, since a file of tensors can be read without running anyone's code.
# `weights_only=True`, the default since PyTorch 2.6, refuses a file that would run any.
# To load it one needs the class, and makes a new model, with any mean and deviation.

# %% tags=["predict"] ask="How many tensors are in the file?" answers=["7 tensors", "14 tensors", "12 tensors"] why="Five layers have a weight and a bias each, pooling has neither, and the two buffers are saved as well."
torch.save(model.state_dict(), folder / "lenet.pt")
state = torch.load(folder / "lenet.pt", weights_only=True, map_location=device)
print(
    f"{len(state)} tensors, the first is {next(iter(state))} {tuple(state['mean'].shape)}"
)
loaded = LeNet(torch.zeros(3, 1, 1), torch.ones(3, 1, 1)).to(device)
loaded.load_state_dict(state)
assert torch.equal(predict(loaded, test_images[:500]).cpu(), logits[:500])

# %% [markdown]
# ## A picture of one's own, in another program
#
# A program that has not even the class needs a file that holds the computation as well.
# `torch.export` writes one: it follows `forward` once, and notes what is done, for any number of pictures.

# %%
batch = torch.export.Dim("batch")
example = test_images[:2].cpu()
exported = torch.export.export(model.cpu(), (example,), dynamic_shapes=({0: batch},))
torch.export.save(exported, folder / "lenet.pt2")

# %% [markdown]
# In place of your photo we save a test picture, ten times as large.
# The program below is started as a process of its own, with nothing but the two files.
# It gives the photo three colours and makes it as small as the pictures of the set: each pixel is the mean of those that it covers.
# Then it moves the channels to the front, and asks the model.
# We assert that its answer is the same as here; that is not to say that it is right.

# %%
photo = Image.fromarray(data.test_images[1].permute(1, 2, 0).numpy())
photo.resize((320, 320), Image.Resampling.NEAREST).save(folder / "photo.png")

program = """
import numpy, torch
from PIL import Image
photo = Image.open("photo.png").convert("RGB").resize((32, 32), Image.Resampling.BOX)
pixels = torch.from_numpy(numpy.array(photo)).permute(2, 0, 1)
model = torch.export.load("lenet.pt2").module()
print(model(pixels[None]).argmax().item())
"""
command = [sys.executable, "-c", program]
done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
answer = int(done.stdout)
print(
    f"it says {CIFAR10_CLASSES[answer]}, it is {CIFAR10_CLASSES[data.test_labels[1]]}"
)
assert answer == logits[1].argmax()
files.cleanup()

# %% [markdown]
# ## In the browser
#
# A browser has no PyTorch, but this network is small enough to be computed without.
# To make its file small, too, a weight gets a byte: the largest of a layer becomes 127 or −127, the others the nearest whole number in proportion, and the layer has one `scale` to multiply them by.
# Bytes are no text, so base64 writes three of them as four letters.


# %%
def as_text(tensor):
    """The bytes of a tensor in base64."""
    return base64.b64encode(tensor.cpu().numpy().tobytes()).decode("ascii")


layers, rounded = {}, dict(state)  # rounded: what the file has, as a state
for name in ["conv1", "conv2", "linear1", "linear2", "linear3"]:
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    scale = weight.abs().max() / 127
    whole = (weight / scale).round()
    rounded[f"{name}.weight"] = whole * scale
    layers[name] = {
        "weights": as_text(whole.to(torch.int8)),
        "scale": scale.item(),
        "bias": [round(value, 6) for value in bias.tolist()],
    }

# %% [markdown]
# Does the rounding change what it says?

# %%
loaded.load_state_dict(rounded)
says = predict(loaded, test_images[:1000]).argmax(dim=1).cpu()
same = (says == logits[:1000].argmax(dim=1)).float().mean().item()
print(f"the same answer for {same:.0%} of a thousand pictures")
assert same > 0.98

# %% [markdown]
# Hardly.
# With the weights goes the first test picture of each class.

# %%
first = [(data.test_labels == label).nonzero()[0].item() for label in range(10)]
says = predict(loaded, test_images[first]).softmax(dim=1)
published = {
    "layers": layers,
    "mean": channel_mean.flatten().tolist(),
    "std": channel_std.flatten().tolist(),
    "classes": CIFAR10_CLASSES,
    "pictures": as_text(data.test_images[first]),  # (10, 3, 32, 32)
    "probabilities": [[round(p, 5) for p in row] for row in says.tolist()],
}
assert Path("lenet.json").write_text(json.dumps(published)) < 250_000

# %% [markdown]
# Here is what the network sees.
# Choose a picture, and follow it from layer to layer; a map that you choose is shown large, with its filter.
# Look for maps of the first convolution that light up along edges of one direction, and see what pooling leaves of them.
# The frame on the picture is all that the brightest place of the map can see: how much larger is it after the second convolution?
#
# <div data-widget="what-the-network-sees" data-published="lenet.json">
# <p>On the page's own site, and with JavaScript, here are ten pictures to choose from, the maps of each layer, and the probability of each class.</p>
# </div>

# %% [markdown]
# ## Class by class
#
# The share of right answers within each class.
# An old program counts them in a loop over batches of four: of larger ones it [sees four pictures only](51_mistakes.py), and with smaller ones it breaks.
# No loop is needed: count the right ones of each class, and divide by how many there are.

# %% alt="Bars: accuracy of each class, and a line at the mean"
probabilities, answers = logits.softmax(dim=1).max(dim=1)
right = answers == data.test_labels
class_counts = data.test_labels.bincount(minlength=10)
class_accuracies = data.test_labels[right].bincount(minlength=10) / class_counts

fig, ax = plt.subplots(figsize=(5.5, 3.2), layout="constrained")
ax.bar(range(10), class_accuracies.numpy())
ax.axhline(test_accuracy, color="tab:orange", label=f"all: {test_accuracy:.2f}")
ax.set(ylabel="test accuracy", ylim=(0, 1))
ax.set_xticks(range(10), CIFAR10_CLASSES, rotation=45, ha="right")
ax.legend()
plt.show()

# %%
vehicles, animals = class_accuracies[[0, 1, 8, 9]], class_accuracies[2:8]
print(f"vehicles {vehicles.mean():.2f}, animals {animals.mean():.2f}")

# %% [markdown]
# On the whole vehicles are known better than animals, perhaps because a car keeps its shape, while animals bend and turn.
#
# ## Try it yourself
#
# **1.** When the model is sure, is it right?
# Compare its mean probability with its accuracy, for the answers above and below 80 %.
# Call the mask of those above `sure`.

# %% tags=["solution"]
sure = probabilities > 0.8
for name, part in [("sure", sure), ("not sure", ~sure)]:
    said, was = probabilities[part].mean(), right[part].float().mean()
    print(f"{name:8} says {said:.2f}, is right {was:.2f}")
assert right[sure].float().mean() > right[~sure].float().mean()

# %% [markdown]
# **2.** What `share` of the file is the first linear layer?

# %% tags=["solution"]
share = model.linear1.weight.numel() / sum(value.numel() for value in state.values())
print(f"{share:.2f}")
assert share > 0.7

# %% [markdown]
# ## What next
#
# The [next page](47_overfitting.py) trains on fewer pictures for longer, until they are learned by heart, and asks what helps.
# The network is a relative of LeNet-5, from LeCun, Bottou, Bengio and Haffner's "Gradient-Based Learning Applied to Document Recognition" (1998).
