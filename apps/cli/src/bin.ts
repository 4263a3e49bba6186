#!/usr/bin/env node
// Plain enough for every Node that anybody still has, so that an old one gets a sentence instead of a syntax error.
import { enableCompileCache } from "./compile-cache.ts";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  enableCompileCache();
  void import("./run.ts").then(({ main }) => main());
} else {
  process.stderr.write(
    `error: coffer needs Node 22.18 or newer; this is Node ${process.versions.node}.\nhint: Install a newer Node (https://nodejs.org), then run the command again.\n`,
  );
  process.exitCode = 78;
}
