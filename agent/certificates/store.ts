import { createHash, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { CertificateFiles } from "../sites/record.ts";
import { type Budget, budgetSchema, emptyBudget } from "./budget.ts";

/** Of a stored certificate, what its own text does not say. */
const about = z.object({
  v: z.literal(1),
  directory: z.string(),
  staging: z.boolean(),
  email: z.string(),
  names: z.array(z.string()),
});
export type About = z.output<typeof about>;

export interface Stored extends CertificateFiles {
  about: About;
  leaf: X509Certificate;
}

/** An order that is under way, with the key that its certificate will be for. */
const openOrder = z.object({
  v: z.literal(1),
  directory: z.string(),
  names: z.array(z.string()),
  url: z.string(),
  key: z.string(),
});
export type OpenOrder = z.output<typeof openOrder>;

const account = z.object({ v: z.literal(1), key: z.string(), url: z.string().nullable() });
export type StoredAccount = z.output<typeof account>;

const KEPT_VERSIONS = 3;
const CHAIN = "chain.pem";
const KEY = "key.pem";
const ABOUT = "about.json";

export const newKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();

export type Store = ReturnType<typeof openStore>;

/** The agent's folder of certificates. Every file and folder in it is its owner's alone. */
export function openStore(dir: string) {
  const accountFile = (directory: string) =>
    join(
      dir,
      "accounts",
      `${createHash("sha256").update(directory).digest("hex").slice(0, 16)}.json`,
    );
  const orderFile = (domain: string, staging: boolean) =>
    join(dir, "orders", `${domain}${staging ? ".staging" : ""}.json`);
  const budgetFile = join(dir, "budget.json");
  return {
    account: async (directory: string): Promise<StoredAccount> => {
      const known = await readJson(accountFile(directory), account);
      if (known) return known;
      const made: StoredAccount = { v: 1, key: newKey(), url: null };
      await writeJson(accountFile(directory), made);
      return made;
    },
    keepAccount: (directory: string, kept: StoredAccount) =>
      writeJson(accountFile(directory), kept),
    order: (domain: string, staging: boolean) => readJson(orderFile(domain, staging), openOrder),
    keepOrder: (domain: string, staging: boolean, kept: OpenOrder) =>
      writeJson(orderFile(domain, staging), kept),
    dropOrder: (domain: string, staging: boolean) =>
      rm(orderFile(domain, staging), { force: true }),
    budget: async (): Promise<Budget> =>
      (await readJson(budgetFile, budgetSchema)) ?? emptyBudget(),
    keepBudget: (kept: Budget) => writeJson(budgetFile, kept),
    add: (domain: string, kept: { chain: string; key: string; about: About }) =>
      addVersion(join(dir, "live", domain), kept),
    /** What is in a site's configuration, if it is one of ours and whole. */
    read: (files: CertificateFiles) =>
      dirname(files.certificateFile).startsWith(join(dir, "live", "/"))
        ? readVersion(dirname(files.certificateFile))
        : Promise.resolve(null),
    /** All that are kept for a domain, the newest first. */
    versions: async (domain: string): Promise<Stored[]> => {
      const folder = join(dir, "live", domain);
      const read = await Promise.all(
        (await versionNames(folder)).map((name) => readVersion(join(folder, name))),
      );
      return read.filter((one) => one !== null);
    },
    /** Removes all but the newest few and the one in use. */
    prune: async (domain: string, inUse: string) => {
      const folder = join(dir, "live", domain);
      for (const name of (await versionNames(folder)).slice(KEPT_VERSIONS)) {
        const version = join(folder, name);
        if (dirname(inUse) !== version) await rm(version, { recursive: true, force: true });
      }
    },
  };
}

async function versionNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => /^\d{14}-[0-9a-f]{8}$/.test(name))
    .sort()
    .reverse();
}

/** Key and chain come into their place together, by the renaming of their folder, or not at all. */
async function addVersion(
  folder: string,
  { chain, key, about: kept }: { chain: string; key: string; about: About },
): Promise<Stored> {
  const stamp = new Date().toISOString().replaceAll(/\D/g, "").slice(0, 14);
  const name = `${stamp}-${randomBytes(4).toString("hex")}`;
  const draft = join(folder, `.${name}`);
  // Of a run that was killed: there is a private key in it.
  for (const left of await readdir(folder).catch(() => [])) {
    if (left.startsWith(".")) await rm(join(folder, left), { recursive: true, force: true });
  }
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await writeWhole(join(draft, KEY), key);
  await writeWhole(join(draft, CHAIN), chain);
  await writeWhole(join(draft, ABOUT), JSON.stringify(kept));
  await syncFolder(draft);
  await rename(draft, join(folder, name));
  await syncFolder(folder);
  const stored = await readVersion(join(folder, name));
  if (!stored) throw new Error("what was just stored cannot be read");
  return stored;
}

async function readVersion(folder: string): Promise<Stored | null> {
  const certificateFile = join(folder, CHAIN);
  try {
    const kept = await readJson(join(folder, ABOUT), about);
    const leaf = new X509Certificate(await readFile(certificateFile));
    return kept && { certificateFile, keyFile: join(folder, KEY), about: kept, leaf };
  } catch {
    return null;
  }
}

async function readJson<S extends z.ZodType>(file: string, schema: S): Promise<z.output<S> | null> {
  try {
    return schema.safeParse(JSON.parse(await readFile(file, "utf8"))).data ?? null;
  } catch {
    return null;
  }
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.new`;
  await rm(draft, { force: true });
  await writeWhole(draft, JSON.stringify(value));
  await rename(draft, file);
  await syncFolder(dirname(file));
}

async function writeWhole(file: string, text: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(file, flags, 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
