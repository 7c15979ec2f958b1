import { readFileSync } from "node:fs";

const TOKEN = /^[\w-]{16,200}$/;
const MOST_BYTES = 1_024;
const STDIN = "-";

export const tokenOptions = {
  "token-file": { type: "string", default: STDIN },
  /** Refused: every user of the machine can read the arguments of every process. */
  token: { type: "string" },
} as const;

/**
 * The enrolment's token: from the file, from the variable NUSANTARAD_TOKEN, or from standard input, which is where the
 * panel's command puts it.
 */
export async function enrolmentToken(given: {
  token?: string | undefined;
  "token-file": string;
}): Promise<string> {
  if (given.token !== undefined) {
    throw new Error(
      "a token among the arguments can be read by every user of this machine: open another enrolment in the panel and\n" +
        "give its token on standard input, in NUSANTARAD_TOKEN or with --token-file",
    );
  }
  const text = (await textOf(given["token-file"])).trim();
  if (!TOKEN.test(text)) throw new Error("that is no enrolment token: the panel shows one, once");
  return text;
}

async function textOf(file: string): Promise<string> {
  if (file !== STDIN) return readFileSync(file, "utf8");
  const { NUSANTARAD_TOKEN: fromEnvironment } = process.env;
  if (fromEnvironment !== undefined) return fromEnvironment;
  if (process.stdin.isTTY) process.stderr.write("The enrolment's token: ");
  let text = "";
  for await (const piece of process.stdin.setEncoding("utf8")) {
    text += String(piece);
    if (text.includes("\n") || text.length > MOST_BYTES) break;
  }
  return text.slice(0, MOST_BYTES);
}
