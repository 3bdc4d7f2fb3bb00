# ---
# jupyter:
#   page:
#     teaches: {}
#     level: beginner
#     read_first: []
# ---

# %% [markdown]
# # A page that fails in a thread

# %%
print("fine so far")

# %%
import logging
import threading

thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

# %%
import os

logging.warning("look out")
print(os.getcwd())
