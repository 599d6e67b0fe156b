"""The browser client's tests: JavaScript modules, which `tests/e2e/test_browser.py` runs in Chromium."""
