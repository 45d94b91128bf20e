"""The page without a server: `python -m web --out FOLDER` builds it as plain files; docs/browser.md describes it."""
