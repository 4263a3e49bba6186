import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/**
 * Somebody who has read the README of an integration: a project with the package, core and zod installed, and the programs of the README in it as `block-0.ts` and
 * so on.
 */
export class Reader {
  readonly readme: string;
  /** The programs of the README, in their order. */
  readonly programs: readonly string[];
  /** The project. */
  readonly folder: string;
  readonly #root: string;

  /** @param packageFolder the folder of the integration, two below the root of the repository */
  constructor(packageFolder: string) {
    this.#root = join(packageFolder, "../..");
    this.readme = readFileSync(join(packageFolder, "README.md"), "utf8");
    this.programs = this.blocks("ts");
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), "coffer-readme-")));
    const { name } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as { readonly name: string };
    mkdirSync(join(this.folder, "node_modules/@coffer"), { recursive: true });
    for (const [from, to] of [
      [packageFolder, name],
      [join(this.#root, "packages/core"), "@coffer/core"],
      [join(packageFolder, "node_modules/zod"), "zod"],
      [join(this.#root, "node_modules/@types"), "@types"],
    ] as const)
      symlinkSync(from, join(this.folder, "node_modules", to));
    this.write("package.json", JSON.stringify({ name: "reader", type: "module" }));
    this.write("tsconfig.json", JSON.stringify({ extends: join(this.#root, "tsconfig.base.json"), include: ["*.ts"] }));
    for (const [index, text] of this.programs.entries()) this.write(`block-${index}.ts`, text);
  }

  /** The code blocks of the README in one language. */
  blocks(language: string): string[] {
    return [...this.readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** What the compiler says about the programs: nothing when they are right. */
  async compile(): Promise<string> {
    const compiler = createRequire(join(this.#root, "package.json")).resolve("typescript/package.json");
    const command = [join(dirname(compiler), "bin/tsc"), "-p", "."];
    const { stdout = "", stderr = "" } = await promisify(execFile)(process.execPath, command, { cwd: this.folder }).catch(
      (error: { readonly stdout?: string; readonly stderr?: string }) => error,
    );
    return stdout + stderr;
  }

  /** Takes the project away. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
