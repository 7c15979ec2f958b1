import { Fields, isObject, type Json } from "../common/fields.ts";

export interface ResendError {
  statusCode: number;
  name: string;
  message: string;
}

export interface MailInput {
  from: string;
  to: string[];
  subject: string;
  html: string | null;
  text: string | null;
  given: Json;
}

const address = /^[^\s@<>,;"]+@[^\s@<>,;"]+\.[^\s@<>,;".]+$/;
const named = /^[^<>]*<([^<>]+)>$/;

/** The bare address of `a@b.c` or `Name <a@b.c>`, in lower case; null when it is neither. */
export function bareAddress(text: string): string | null {
  const bare = (named.exec(text)?.[1] ?? text).trim();
  return address.test(bare) ? bare.toLowerCase() : null;
}

function fail(statusCode: number, name: string, message: string): ResendError {
  return { statusCode, name, message };
}

function missing(field: string): ResendError {
  return fail(422, "missing_required_field", `Missing \`${field}\` field.`);
}

/** One address or a list of them; the provider takes at most fifty. */
function readAddresses(given: Json, field: string): string[] | ResendError {
  const value = given[field];
  const list: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  if (list.length > 50) {
    return fail(422, "validation_error", `\`${field}\` must hold at most 50 addresses.`);
  }
  const addresses: string[] = [];
  for (const one of list) {
    if (typeof one !== "string" || bareAddress(one) === null) {
      return fail(
        422,
        "validation_error",
        `Invalid \`${field}\` field. The email address needs to follow the \`email@example.com\` or \`Name <email@example.com>\` format.`,
      );
    }
    addresses.push(one);
  }
  return addresses;
}

function readOptions(given: Json): ResendError | null {
  const fields = new Fields(given);
  for (const field of ["html", "text", "scheduled_at", "topic_id"]) fields.text(field);
  if (fields.has("headers")) {
    const headers = fields.raw("headers");
    const texts =
      isObject(headers) && Object.values(headers).every((one) => typeof one === "string");
    if (!texts) fields.fail("headers", "must be an object of strings");
  }
  fields.list("tags").forEach((value, index) => {
    const tag = fields.at("tags", index, value);
    tag.text("name", { required: true, max: 256, pattern: /^[A-Za-z0-9_-]+$/ });
    tag.text("value", { required: true, max: 256, pattern: /^[A-Za-z0-9_-]+$/ });
  });
  const [first] = fields.errors;
  if (first) return fail(422, "validation_error", first);
  for (const attachment of fields.list("attachments")) {
    const readable = isObject(attachment) && (attachment.content || attachment.path);
    if (!readable) return fail(422, "invalid_attachment", "Attachment must have content or path.");
  }
  return null;
}

function readContent(given: Json): ResendError | null {
  const has = (field: string) => given[field] !== undefined && given[field] !== null;
  if (has("template") && (has("html") || has("text"))) {
    return fail(422, "validation_error", "`template` cannot be used with `html` or `text`.");
  }
  if (!has("template") && !has("html") && !has("text")) {
    return missing("html` or `text");
  }
  return null;
}

/** Reads one message, or gives the provider's error: the first that applies, as it answers. */
export function readMail(
  value: unknown,
  verifiedDomains: readonly string[] | undefined,
): MailInput | ResendError {
  if (!isObject(value)) return fail(422, "validation_error", "The body must be an object.");
  for (const field of ["from", "to", "subject"]) {
    const given = value[field];
    const empty = given === undefined || given === null || given === "";
    if (empty || (Array.isArray(given) && given.length === 0)) return missing(field);
  }
  const { from, subject } = value;
  const sender = typeof from === "string" ? bareAddress(from) : null;
  if (typeof from !== "string" || sender === null) {
    return fail(
      422,
      "invalid_from_address",
      "Invalid `from` field. The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.",
    );
  }
  if (verifiedDomains && !verifiedDomains.includes(sender.split("@")[1] ?? "")) {
    return fail(403, "validation_error", `The ${sender.split("@")[1]} domain is not verified.`);
  }
  if (typeof subject !== "string") {
    return fail(422, "validation_error", "`subject` must be a string.");
  }
  const to = readAddresses(value, "to");
  if (!Array.isArray(to)) return to;
  for (const field of ["cc", "bcc", "reply_to"]) {
    const others = readAddresses(value, field);
    if (!Array.isArray(others)) return others;
  }
  const problem = readContent(value) ?? readOptions(value);
  if (problem) return problem;
  return {
    from,
    to,
    subject,
    html: typeof value.html === "string" ? value.html : null,
    text: typeof value.text === "string" ? value.text : null,
    given: value,
  };
}
