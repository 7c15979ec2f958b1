/** What is looked for: words that the index of words knows, and texts that a name must hold as they stand. */
export interface SearchTerms {
  terms: string[];
  /** Patterns for `ilike`. */
  texts: string[];
}

/**
 * What the index of words takes for a letter or a digit, which is not all that Unicode calls a number: the name
 * "2m²" is there as the word "2m".
 */
const RUN = /[\p{Alphabetic}0-9]+/gu;

/**
 * A typed word of letters and digits is a term. One with other signs in it ("50%", "t-shirt") must stand in the name as
 * it is, `%` and `_` being letters; its runs of letters and digits narrow the search where they surely begin a word of
 * the name or are long enough to be looked for inside of words.
 */
export function termsOf(words: readonly string[]): SearchTerms {
  const terms: string[] = [];
  const texts: string[] = [];
  for (const word of words) {
    const runs = word.toLowerCase().match(RUN) ?? [];
    if (runs.length === 1 && runs[0] === word.toLowerCase()) {
      terms.push(runs[0]);
      continue;
    }
    texts.push(`%${word.replace(/[\\%_]/g, "\\$&")}%`);
    terms.push(...runs.filter((run, i) => i > 0 || run.length >= 3 || runs.length === 1));
  }
  return { terms: [...new Set(terms)], texts };
}
