# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that exits

# %%
print("fine so far")

# %%
import os

os._exit(0)
