// Preloaded with --import: writes the URL of every module that is loaded after it into the file that MODULE_TRACE names.
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

const file = process.env["MODULE_TRACE"] ?? "";

registerHooks({
  load(url, context, next) {
    appendFileSync(file, `${url}\n`);
    return next(url, context);
  },
});
