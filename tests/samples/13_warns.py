# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that warns

# %%
import warnings

print("quiet")

# %%
warnings.warn("old_name is deprecated, use new_name", DeprecationWarning)
assert warnings.filters
