# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A good page
#
# It prints, shows a table and draws.

# %%
import matplotlib.pyplot as plt
import pandas as pd
import torch

# %%
print("loss 0.3125")
torch.tensor([0.5, 0.25])

# %%
pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})

# %% alt="A line that falls from 1 to 0"
print("before the figure")
fig, ax = plt.subplots()
ax.plot([1, 0])
ax.set_title("falls")
assert ax.get_title() == "falls"
plt.show()
print("after the figure")
