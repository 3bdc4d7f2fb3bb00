# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that calls exit

# %%
import sys

print("fine so far")
sys.exit(0)
