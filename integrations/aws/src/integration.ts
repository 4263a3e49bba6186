import { defineIntegration } from "@coffer/core";
import { aws } from "./flavor.ts";

/** What this package brings: the flavor `aws` and the secret schema `aws`. */
export default defineIntegration({
  specVersion: 1,
  name: "aws",
  package: "@coffer/aws",
  flavors: [aws],
  schemas: [{ type: "aws", load: async () => (await import("./schemas.ts")).awsSchema }],
});
