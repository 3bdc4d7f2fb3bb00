# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
#     time_limit: 2
# ---

# %% [markdown]
# # A page that hangs

# %%
print("fine so far")

# %%
count = 0
while True:
    count += 1
