// The entry for development: runs from the sources, and also finds the integrations of this repository, so that a new one needs no edit anywhere else.
import { fileURLToPath } from "node:url";
import { main } from "./run.ts";

await main([fileURLToPath(new URL("../../../integrations", import.meta.url))]);
