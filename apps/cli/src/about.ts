import packageJson from "../package.json" with { type: "json" };

/** What this CLI is. */
export const about: { readonly name: string; readonly version: string } = { name: packageJson.name, version: packageJson.version };
