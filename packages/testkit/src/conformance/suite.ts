import { abortCases } from "./cases/abort.ts";
import { bulkCases } from "./cases/bulk.ts";
import { classifyCases } from "./cases/classify.ts";
import { contractCases } from "./cases/contract.ts";
import { createCases } from "./cases/create.ts";
import { deleteCases } from "./cases/delete.ts";
import { failureCases } from "./cases/failures.ts";
import { foreignCases } from "./cases/foreign.ts";
import { keyCases } from "./cases/keys.ts";
import { listCases } from "./cases/list.ts";
import { managedBulkCases } from "./cases/managed-bulk.ts";
import { managedFailureCases } from "./cases/managed-failures.ts";
import { managerCases } from "./cases/manager.ts";
import { nameCases } from "./cases/names.ts";
import { randomCases } from "./cases/random.ts";
import { refusalCases } from "./cases/refusals.ts";
import { replaceCases } from "./cases/replace.ts";
import { revisionCases } from "./cases/revisions.ts";
import { secrecyCases } from "./cases/secrecy.ts";
import { valueCases } from "./cases/values.ts";
import type { CaseDefinition } from "./definition.ts";
import { Lab } from "./lab.ts";
import { within } from "./patience.ts";
import type { ConformanceCase, ConformanceSubject, OpenedSubject } from "./subject.ts";

const DEFINITIONS: readonly CaseDefinition[] = [
  ...contractCases,
  ...valueCases,
  ...keyCases,
  ...createCases,
  ...replaceCases,
  ...deleteCases,
  ...revisionCases,
  ...nameCases,
  ...listCases,
  ...bulkCases,
  ...foreignCases,
  ...failureCases,
  ...classifyCases,
  ...abortCases,
  ...managerCases,
  ...managedBulkCases,
  ...managedFailureCases,
  ...refusalCases,
  ...secrecyCases,
  ...randomCases,
];

/**
 * Every demand of the contract on this flavor, chosen by what it declares. The cases are plain data for any test runner: each has a name,
 * a reason to be skipped or `false`, and a `run` that passes or throws. They share nothing and can run in any order.
 */
export function conformanceCases<Opened extends OpenedSubject>(subject: ConformanceSubject<Opened>): ConformanceCase[] {
  // The suite only ever hands back to the subject what its own `open` has made.
  const plain = subject as unknown as ConformanceSubject;
  return DEFINITIONS.map((definition) => ({
    name: definition.name,
    skip: definition.needs.map((need) => need(plain)).find((reason) => reason !== false) ?? false,
    run: () => runCase(definition, plain),
  }));
}

async function runCase(definition: CaseDefinition, subject: ConformanceSubject): Promise<void> {
  const lab = await Lab.open(subject);
  try {
    await within(lab.patienceMs * 10, "The case did not end", definition.run(lab));
  } finally {
    await lab.dispose();
  }
}
