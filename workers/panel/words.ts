import { z } from "@hono/zod-openapi";
import { SYSTEM_DATABASE_USERS, SYSTEM_DATABASES } from "../../shared/agent-protocol/databases.ts";
import {
  absolutePath,
  databaseHost,
  databaseWord,
  domainName,
  emailAddress,
  phpVersion,
  relativePath,
  runtime,
} from "../../shared/agent-protocol/fields.ts";

/**
 * The fields of the panel's bodies: cleaned as the contract says, then held against the words that commands are made
 * of, and refused in the contract's words. What passes here can be an argument, a directive or a file name as it is.
 */
const field = <S extends z.ZodType>(words: string, clean: (text: string) => string, shape: S) =>
  z
    .string()
    .default("")
    .transform((text, ctx): z.output<S> => {
      const parsed = shape.safeParse(clean(text));
      if (parsed.success) return parsed.data;
      ctx.addIssue({ code: "custom", message: words });
      return z.NEVER;
    });

/** Lower case of ASCII alone: `toLowerCase` makes an ordinary k of the Kelvin sign. */
const asciiLower = (text: string) => text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
const trimmed = (text: string) => text.trim();
const asItIs = (text: string) => text;

const cleanDomain = (text: string) => asciiLower(text.trim().replace(/\.$/, ""));
/** Doubled and final slashes and "." parts go; a ".." stays and is refused. */
const cleanPath = (text: string) => text.trim().replace(/(?:\/\.?(?=\/|$))+/g, "") || text.trim();

export const domain = field("invalid domain", cleanDomain, domainName).openapi({
  type: "string",
  example: "contoh.web.id",
});
export const rootPath = field("invalid root_path", cleanPath, absolutePath).openapi({
  type: "string",
  example: "/var/www/contoh",
});
export const runtimeWord = field(
  "invalid runtime",
  (text) => asciiLower(text.trim()),
  runtime,
).openapi({ type: "string", example: "php" });

export const aliases = z
  .array(field("invalid aliases", cleanDomain, domainName))
  .max(20, "invalid aliases")
  .default([])
  .openapi({ example: [] });
export const php = field("invalid php_version", trimmed, phpVersion).optional();
export const documentRoot = field("invalid document_root", asItIs, relativePath).openapi({
  type: "string",
  example: "",
});
export const entryFile = field("invalid entry", asItIs, relativePath.min(1)).optional();

const isSystem = (names: readonly string[], name: string) => names.includes(asciiLower(name));
const ordinaryDatabase = databaseWord.refine((name) => !isSystem(SYSTEM_DATABASES, name));
const ordinaryUser = databaseWord.refine((name) => !isSystem(SYSTEM_DATABASE_USERS, name));

export const databaseName = field("invalid database name", asItIs, ordinaryDatabase).openapi({
  type: "string",
  example: "toko_uji",
});
export const databaseUser = field("invalid username", asItIs, ordinaryUser).openapi({
  type: "string",
  example: "toko_uji",
});
export const databaseUserHost = z
  .string()
  .default("localhost")
  .transform((text, ctx) => {
    const parsed = databaseHost.safeParse(text);
    if (parsed.success) return parsed.data;
    ctx.addIssue({ code: "custom", message: "invalid host" });
    return z.NEVER;
  })
  .openapi({ type: "string", example: "localhost" });

const MAX_PASSWORD = 200;
const MIN_PASSWORD = 8;
/** At least 8 that are no blanks; controls are never meant, and nobody could type them. */
const goodPassword = z
  .string()
  .max(MAX_PASSWORD)
  .refine((text) => text.replace(/\s/g, "").length >= MIN_PASSWORD)
  .refine((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());
export const databasePassword = field("invalid password", asItIs, goodPassword).openapi({
  type: "string",
  example: "rahasia-sekali",
});

export const certificateEmail = field("invalid email", trimmed, emailAddress).openapi({
  type: "string",
  example: "admin@contoh.web.id",
});
