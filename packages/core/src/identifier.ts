const IDENTIFIER = /^[a-z][a-z0-9_]*$/;

/** Whether text can be the name of a flavor or the type of a schema. */
export function isIdentifier(text: string): boolean {
  return IDENTIFIER.test(text);
}

/** @throws TypeError when the name of a flavor or the type of a schema is not one */
export function assertIdentifier(what: string, name: string): void {
  if (!isIdentifier(name))
    throw new TypeError(`A ${what} is named with lower-case letters, digits and "_", starting with a letter: ${JSON.stringify(name)}`);
}
