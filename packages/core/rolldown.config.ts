import { defineConfig } from "rolldown";

// One file per entry instead of one per source file: a program that imports core waits for a third as long. Types stay file by file.
export default defineConfig({
  input: {
    index: "src/index.ts",
    schemas: "src/schemas.ts",
    discovery: "src/discovery.ts",
    redaction: "src/redaction.ts",
    transport: "src/transport.ts",
  },
  platform: "node",
  external: [/^zod($|\/)/, /^node:/],
  output: { dir: "dist", format: "esm", sourcemap: true, entryFileNames: "[name].js", chunkFileNames: "shared/[name].js" },
});
