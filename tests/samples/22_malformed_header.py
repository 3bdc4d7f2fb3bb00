# ---
# jupyter:
#   page:
#     teaches: {Z9: A section}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page with a malformed header

# %%
print("hello")
