import type { StackDefinition } from "@coffer/stack";

/** A stack for programs. */
export function stackRecord({ name, secretsManager, orchestrator, origin, file }: StackDefinition): object {
  const part = (component: StackDefinition["secretsManager"]): object | null =>
    component === undefined ? null : { name: component.name, flavor: component.flavor };
  return { name, secretsManager: part(secretsManager), orchestrator: part(orchestrator), origin, file };
}

/** A component of a stack in a cell. */
export function partText(component: StackDefinition["secretsManager"]): string {
  return component === undefined ? "" : `${component.name} (${component.flavor})`;
}
