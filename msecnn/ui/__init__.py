"""The page. `page.py` composes; each tab is one Python file for its questions and one script for what is seen.

A tab is a `build(page)` in `tabs/NAME.py`. There, `page.mount_point("NAME")` makes a place, which `static/NAME.js`
fills by `msecnn.surface("NAME", (element) => …)`, and `page.endpoint("question", handler)` answers the script's
`await msecnn.call("question", {…})`. What the browser knows is in `msecnn.state`; `msecnn.on("tag window", …)` hears of
changes and `msecnn.set({…})` makes them.
"""
