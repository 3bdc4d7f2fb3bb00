"""A visit begins when all of its page is there, however busy the machine is."""

from pathlib import Path

from playwright.sync_api import Browser

from browser.browsing import Visit, served

# It computes for longer than a network has to be quiet to be taken for idle.
BUSY = "<script>{ const end = Date.now() + 900; while (Date.now() < end); }</script>"
SLOW = f"""<!doctype html><title>Slow</title>
{(BUSY + f"<p>{'word ' * 30_000}") * 3}
<script src="late.js"></script>
"""
# And then has no idle moment, for which what comes last waits.
LATE = """
const end = Date.now() + 1500;
function compute() {
  const pause = Date.now() + 30;
  while (Date.now() < pause);
  if (Date.now() < end) setTimeout(compute);
}
compute();
requestIdleCallback(() => { window.built = true; });
"""


def test_visit_waits_for_a_slow_page(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(SLOW, encoding="utf-8")
    (tmp_path / "late.js").write_text(LATE, encoding="utf-8")
    with served(tmp_path) as address, browser.new_context() as context:
        assert Visit(context, address).open(address).tab.evaluate("window.built")
