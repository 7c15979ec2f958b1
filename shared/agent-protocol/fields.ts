import { z } from "zod";

/**
 * The words that commands are made of. Both sides check them: the edge before it stores, the agent before it acts.
 * Every one is a closed set of characters without blanks, quotes, `;`, `{`, `$` or controls, and never starts with
 * "-", so that none can be read as an option, a line or a directive by a program it reaches.
 */

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";

/** Lower-case, at least two labels, without a final dot. */
export const domainName = z
  .string()
  .min(3)
  .max(253)
  .regex(new RegExp(`^${LABEL}(?:\\.${LABEL})+$`));

/** Absolute, clean: no empty, "." or ".." part, no trailing "/", no part that starts with "-". Never "/". */
export const absolutePath = z
  .string()
  .max(512)
  .regex(/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._][A-Za-z0-9._-]{0,254})+$/);

/** Below something, "/"-separated, clean; "" is that something itself. */
export const relativePath = z
  .string()
  .max(512)
  .regex(
    /^$|^(?!\.{1,2}(?:\/|$))[A-Za-z0-9._][A-Za-z0-9._-]*(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._][A-Za-z0-9._-]*)*$/,
  );

export const siteId = z.string().regex(/^site_[0-9]{1,20}_[0-9a-f]{12}$/);

/** A name that `useradd` takes as it is. */
export const unixUser = z.string().regex(/^[a-z][a-z0-9_-]{0,30}[a-z0-9]$/);

export const runtime = z.enum(["php", "node", "python", "static"]);
export type Runtime = z.output<typeof runtime>;

/** For example "8.2". */
export const phpVersion = z.string().regex(/^[0-9]{1,2}\.[0-9]{1,2}$/);

/** Of a database or of one of its users. */
export const databaseWord = z.string().regex(/^[A-Za-z0-9_]{1,64}$/);

/** Where a database user may come from. */
export const databaseHost = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9._%][A-Za-z0-9._%-]*$/);

/** `*` and the SHA-1 of the SHA-1 of the password, as MariaDB stores it; the password itself never travels. */
export const passwordHash = z.string().regex(/^\*[0-9A-F]{40}$/);

export const emailAddress = z
  .string()
  .max(254)
  .regex(
    /^[A-Za-z0-9._%+][A-Za-z0-9._%+-]*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,63}$/,
  );
