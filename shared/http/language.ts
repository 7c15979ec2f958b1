import { z } from "zod";

/** What the refusals of an API are written in. */
export type Language = "id" | "en";

const { localeError: inIndonesian } = z.locales.id();
const { localeError: inEnglish } = z.locales.en();

/** zod finds its own words once, before anybody knows which API refuses: so an issue carries them in both languages. */
z.config({
  localeError: (issue) => {
    issue.english = inEnglish?.(issue);
    return inIndonesian?.(issue);
  },
});

/** Of what stands below all APIs (ledger, database, idempotency), and is refused in Indonesian there. */
const ENGLISH: Record<string, string> = {
  "Saldo tidak cukup": "Insufficient balance",
  "Jumlah melebihi batas": "The amount is above the limit",
  "Idempotency-Key sudah dipakai untuk permintaan lain":
    "The Idempotency-Key was used for another request",
  "Layanan sedang terganggu. Silakan coba lagi sebentar lagi.":
    "The service is disturbed. Please try again in a moment.",
  "Layanan sedang terganggu. Silakan coba lagi.": "The service is disturbed. Please try again.",
};

/** A refusal's words in the language of who is refused. */
export const inLanguage = (words: string, language: Language): string =>
  language === "en" ? (ENGLISH[words] ?? words) : words;

/** An issue's words: the schema's own, where it has any, else zod's in this language. */
export function issueWords(issue: z.core.$ZodIssue, language: Language): string {
  const english = "english" in issue ? issue.english : undefined;
  return language === "en" && typeof english === "string" ? english : issue.message;
}
