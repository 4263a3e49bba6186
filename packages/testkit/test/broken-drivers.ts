import type { BrokenDriver } from "./broken/breaking.ts";
import { BROKEN_DELETES } from "./broken/deletes.ts";
import { BROKEN_FAILURES } from "./broken/failures.ts";
import { BROKEN_WITH_OTHERS } from "./broken/foreign.ts";
import { BROKEN_LISTS } from "./broken/lists.ts";
import { BROKEN_NAMES } from "./broken/names.ts";
import { BROKEN_SECRECY } from "./broken/secrecy.ts";
import { BROKEN_VALUES } from "./broken/values.ts";
import { BROKEN_BULK_READS } from "./broken/bulk.ts";
import { BROKEN_CREATES } from "./broken/creates.ts";
import { BROKEN_REPLACES } from "./broken/replaces.ts";
import { BROKEN_REVISIONS } from "./broken/revisions.ts";

/** Each has one defect; together they have one for every demand that a driver can miss. */
export const BROKEN_DRIVERS: readonly BrokenDriver[] = [
  ...BROKEN_VALUES,
  ...BROKEN_NAMES,
  ...BROKEN_CREATES,
  ...BROKEN_REPLACES,
  ...BROKEN_REVISIONS,
  ...BROKEN_DELETES,
  ...BROKEN_LISTS,
  ...BROKEN_BULK_READS,
  ...BROKEN_WITH_OTHERS,
  ...BROKEN_FAILURES,
  ...BROKEN_SECRECY,
];
