# ---
# jupyter:
#   page:
#     teaches: [Z9]
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page with a malformed header

# %%
print("hello")
