import { defineConfig } from "rolldown";

// A few files instead of one per source file, which a command would wait for. Types stay file by file; what is in `dependencies` stays outside.
export default defineConfig({
  input: { index: "src/index.ts", schemas: "src/schemas.ts" },
  platform: "node",
  external: /^[^./]/,
  output: { dir: "dist", format: "esm", sourcemap: true, entryFileNames: "[name].js", chunkFileNames: "shared/[name].js" },
});
