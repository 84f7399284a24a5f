// Whether the data of pages is what the types say that the page's script is checked against.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const types = fileURLToPath(
  new URL("../../src/report/page/assets/script/types.d.ts", import.meta.url),
);
const typescript = createRequire(import.meta.url).resolve("typescript/package.json");

/** A text that is longer than any name says nothing about types. */
const LONGEST = 1000;

/** The data of a page as it is before the script unpacks it. */
export function dataOf(file) {
  const [, json] = readFileSync(file, "utf8").match(/id="data">(.*?)<\/script>/s);
  return JSON.parse(json);
}

/** The data as a literal of TypeScript, in which a property too many is an error, too. */
function literal(value) {
  if (typeof value === "string") return JSON.stringify(value.slice(0, LONGEST));
  if (Array.isArray(value)) return `[${value.map(literal).join(",\n")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if ("f64" in value || "f32" in value) return "column";
  const entries = Object.entries(value);
  return `{${entries.map(([name, of]) => `${JSON.stringify(name)}: ${literal(of)}`).join(",\n")}}`;
}

export function typeChecks(files) {
  const folder = mkdtempSync(join(tmpdir(), "burn-lca-types-"));
  try {
    const written = files.map((file, number) => {
      const text = [
        `import type { Column, Data } from ${JSON.stringify(types)};`,
        "declare const column: Column;",
        `export const data: Data = ${literal(dataOf(file))};`,
      ];
      const path = join(folder, `page${number}.ts`);
      writeFileSync(path, text.join("\n"));
      return path;
    });
    const options = ["--ignoreConfig", "--noEmit", "--strict", "--allowImportingTsExtensions"];
    const tsc = join(dirname(typescript), "bin", "tsc");
    execFileSync(process.execPath, [tsc, ...options, "--lib", "es2024", ...written]);
  } catch (error) {
    throw new Error(`${error.stdout ?? ""}${error.message}`.slice(0, 4000));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
