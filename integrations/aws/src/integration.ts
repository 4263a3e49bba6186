import { defineIntegration } from "@coffer/core";
import { aws } from "./flavor.ts";
import { awsSchema } from "./schemas.ts";

/** What this package brings: the flavor `aws` and the secret schema `aws`. */
export default defineIntegration({ specVersion: 1, name: "aws", package: "@coffer/aws", flavors: [aws], schemas: [awsSchema] });
