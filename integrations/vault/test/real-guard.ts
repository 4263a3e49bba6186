// Runs the program of its arguments for as long as somebody holds the other end of its standard input: a test run that is killed lets go of it, and runs no hook.
import { spawn } from "node:child_process";

const [program = "", ...options] = process.argv.slice(2);
const child = spawn(program, options, { stdio: "ignore" });
child.on("error", () => process.exit(127));
child.on("exit", (code) => process.exit(code ?? 1));
process.stdin.on("close", () => child.kill("SIGKILL"));
process.stdin.resume();
