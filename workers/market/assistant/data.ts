const LONGEST_RESULT = 8_000;

/**
 * Text that people or shops wrote, on its way to the model: as JSON in an envelope that it cannot close, because no
 * `<` and no `>` in it survives. The fixed prompt says that nothing inside is an instruction; what the model makes of
 * that is not relied upon (migrations/functions/market_assistant_actions.sql).
 */
export function asData(source: string, value: unknown): string {
  let json = JSON.stringify(value);
  if (json.length > LONGEST_RESULT) json = JSON.stringify(`${json.slice(0, LONGEST_RESULT)}…`);
  const inert = json.replace(
    /[<>&\u2028\u2029]/g,
    (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `<data sumber="${source}">\n${inert}\n</data>`;
}

const PLAIN_NAME = /^[\p{L}\p{N} .,'&()/-]{0,40}$/u;
const MOST_WORDS = 6;

/** Whether a name is only that: too short and too simple to tell a model anything. */
export const isPlainName = (name: string) =>
  PLAIN_NAME.test(name) && name.split(" ").length <= MOST_WORDS;

/** Line ends, marks and links that nobody types to an assistant, but that come with what is copied from elsewhere. */
const COPIED = /[\n\r{}<>[\]`|\\]|https?:/u;
const MOST_TYPED = 300;

/** Whether a user's message may hold what somebody else wrote (a buyer's chat, a page): a guess, on the safe side. */
export const looksCopied = (message: string) => message.length > MOST_TYPED || COPIED.test(message);

/** Somebody's words in a sentence of the server's own: whole, because a yes is said to them; on one line, without marks. */
export function quoted(words: unknown): string {
  const plain = String(words ?? "")
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .replace(/["“”`*[\]<>]/g, "'")
    .trim();
  return `“${plain}”`;
}
