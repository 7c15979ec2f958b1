/** Characters that count as letters or signs and show nothing: Hangul fillers and the empty Braille cell. */
const BLANK = /[\u115f\u1160\u3164\uffa0\u2800]/g;

/**
 * Whether a name shows anything at all: one of spaces, zero-width characters and changes of direction alone looks like
 * no name, and like every other such name.
 */
export const isReadable = (name: string): boolean =>
  /[\p{L}\p{N}\p{P}\p{S}]/u.test(name.replace(BLANK, ""));

export const UNREADABLE = "Nama harus berisi huruf atau angka yang terlihat";
