"""Runs the pages in `snippets/`, judges what they printed, and keeps what passed.

script    a percent script as cells with line numbers, and its header
run       what running a page gave
execute   one page's cells, run in this process, with the outputs Jupyter would show
world     this process as the page's own: what `python page.py` sees, heard
outputs   what a page shows: the text on its descriptors, and what it displays
figures   figures as SVG or PNG
pool      pages run two at a time, each in a process of its own, within its time limit
server    the process that pages are forked from, and those that watch over them
processes what a process has started, found and ended
folders   where pages run, cleared away whatever was killed
checkout  what lies in the project before and after a run
preload   what it has imported
environment  the environment variables of a page
compare   printed text against recorded text: words exactly, numbers within tolerance
expected  the recorded text of a page, in tests/expected/
variations  ways of running a page that may move its numbers and nothing else
recording what a page prints in all of these, as one recording with spreads
judge     everything that can be wrong with a run, as messages
store     page files: what the site is made of, valid until something changes
watch     re-runs a page when it is saved, for live serving
"""
