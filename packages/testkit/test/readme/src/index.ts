import { defineIntegration, registerIntegration } from "@coffer/core";
import { acme } from "./acme.ts";

const integration = defineIntegration({ specVersion: 1, name: "acme", package: "acme-flavor", flavors: [acme], schemas: [] });
registerIntegration(integration);
// oxlint-disable-next-line import/no-default-export -- an integration is the default export of its entry
export default integration;
