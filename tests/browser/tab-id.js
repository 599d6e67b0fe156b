// Tells the id that this page takes for its tab.
import { tabId } from "/meteor-net/tab.js";

window.tabId = await tabId();
