# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page with a syntax error

# %%
print("fine so far")

# %%
answer = 42
print("unclosed"
