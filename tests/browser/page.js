// Runs the test module that the page's ?module= names; the driver waits for window.results.
import { run } from "/tests/harness.js";

window.results = await run(`/tests/${new URLSearchParams(location.search).get("module")}`);
