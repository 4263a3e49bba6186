import { defineConfig } from "vitest/config";

// Without the condition "module", which is for bundlers: Node cannot load what the AWS SDK has there.
const conditions = ["@coffer/source", "node", "development|production"];
const folders = ["packages", "integrations", "apps"];

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    reporters: ["default", "./scripts/closing-reporter.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: "v8", include: ["{packages,integrations,apps}/*/src/**/*.ts"], reporter: ["text-summary", "json-summary"] },
    projects: [
      ...folders.map((folder) => ({
        extends: true as const,
        test: {
          name: folder,
          include: [`${folder}/*/src/**/*.test.ts`, `${folder}/*/test/**/*.test.ts`],
          exclude: ["**/*.crash.test.ts", "**/*.server.test.ts"],
        },
      })),
      { extends: true as const, test: { name: "docs", include: ["docs/*.test.ts"] } },
      // Every case here kills or starves a process under strace; two at a time is what a small machine carries without slowing the clocks of the others.
      { extends: true as const, test: { name: "crash", include: ["{packages,apps}/*/test/**/*.crash.test.ts"], testTimeout: 600_000 } },
      // The real servers, which `npm test` leaves out: they need more than Node, and are started by the files themselves.
      {
        extends: true as const,
        test: { name: "servers", include: ["integrations/*/test/**/*.server.test.ts"], testTimeout: 120_000, hookTimeout: 600_000 },
      },
      {
        extends: true as const,
        test: {
          name: "types",
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: "tsc",
            include: ["{packages,integrations,apps}/*/src/**/*.test-d.ts"],
            tsconfig: "./tsconfig.json",
          },
        },
      },
    ],
  },
});
