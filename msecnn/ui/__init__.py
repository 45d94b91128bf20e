"""The page. `page.py` composes; each tab is one Python file for its endpoints and modules for what is seen.

A tab is a `build(page)` in `tabs/NAME.py`. There, `page.mount_point("NAME")` makes a place, which a function named in
`static/app.js` fills, and `page.endpoint("NAME", handler)` answers the browser's `await call("NAME", {…})`. `app.js`
also lists which change of the state redraws which view.
"""
