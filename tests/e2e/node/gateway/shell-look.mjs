// The frame's own pages at every width, light and dark, without barriers.
import { look, run } from "./browser.mjs";

run((browser) => look(browser, ["overview", "logs", "revisions", "revisions/1", "users", "users/tokens", "users/audit"]));
