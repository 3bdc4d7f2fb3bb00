# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that is killed

# %%
print("fine so far")

# %%
import os
import signal

os.kill(os.getpid(), signal.SIGKILL)
